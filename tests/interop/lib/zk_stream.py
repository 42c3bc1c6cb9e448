"""A ZooKeeper connection as a stream: requests go out pipelined, replies and watch events come in exactly as they arrive."""
import socket
import struct

from . import zk_records as records


class Message:
    """A reply (to `name`), a watch event (name 'event'), or the connection's end (name 'closed')."""

    def __init__(self, name, xid=0, zxid=0, error=0, body=None):
        self.name, self.xid, self.zxid, self.error, self.body = name, xid, zxid, error, body

    def __repr__(self):
        return f"{self.name} xid={self.xid} zxid={self.zxid} error={self.error} {self.body}"


class Stream:
    def __init__(self, port, timeout_ms=30000, session=0, password=bytes(16), last_zxid=0, patience=20):
        self.socket = socket.create_connection(("127.0.0.1", port), patience)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.buffer = b""
        self.xid = 0
        self.waiting = []  # (xid, name) of what was sent and not answered, in order
        self.zxid = last_zxid
        body = struct.pack(">iqiqi", 0, last_zxid, timeout_ms, session, len(password)) + password + b"\0"
        self.socket.sendall(struct.pack(">i", len(body)) + body)
        answer = self._frame()
        if answer is None:
            self.id, self.password, self.timeout_ms = 0, bytes(16), 0
            return
        _version, self.timeout_ms, self.id, n = struct.unpack_from(">iiqi", answer)
        self.password = answer[20:20 + n]

    def _frame(self):
        """The next frame, None at the connection's end."""
        while True:
            if len(self.buffer) >= 4:
                n = struct.unpack_from(">i", self.buffer)[0]
                if len(self.buffer) >= 4 + n:
                    frame, self.buffer = self.buffer[4:4 + n], self.buffer[4 + n:]
                    return frame
            try:
                piece = self.socket.recv(262144)
            except (ConnectionResetError, BrokenPipeError):
                piece = b""
            if not piece:
                return None
            self.buffer += piece

    def send(self, requests):
        """Sends [(name, fields), ...] in one write."""
        out = b""
        for name, fields in requests:
            xid = records.XIDS.get(name)
            if xid is None:
                self.xid += 1
                xid = self.xid
            body = records.ask(name, fields)
            self.waiting.append((xid, name))
            out += struct.pack(">iii", len(body) + 8, xid, records.OPCODES[name]) + body
        try:
            self.socket.sendall(out)
        except (ConnectionResetError, BrokenPipeError):
            pass  # the next message says that it is closed

    def next(self):
        frame = self._frame()
        if frame is None:
            self.waiting.clear()
            return Message("closed")
        xid, zxid, error = struct.unpack_from(">iqi", frame)
        if xid == -1:
            body = records.In(frame, 16)
            kind, state, path = body.int(), body.int(), body.text()
            body.end()
            return Message("event", xid, zxid, error, {"type": kind, "state": state, "path": path})
        if not self.waiting or self.waiting[0][0] != xid:
            raise AssertionError(f"a reply with xid {xid} where {self.waiting[:1]} was awaited")
        name = self.waiting.pop(0)[1]
        if zxid > 0:
            self.zxid = max(self.zxid, zxid)
        return Message(name, xid, zxid, error, records.answer(name, frame[16:]) if error == 0 else frame[16:])

    def until_answered(self):
        """Everything up to the last reply that is awaited, or to the connection's end."""
        found = []
        while self.waiting:
            found.append(self.next())
            if found[-1].name == "closed":
                break
        return found

    def call(self, name, **fields):
        """One request; its reply, with the events before it dropped."""
        self.send([(name, fields)])
        return self.until_answered()[-1]

    def close(self):
        self.socket.close()
