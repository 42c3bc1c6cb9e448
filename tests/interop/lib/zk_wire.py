"""Just enough of the ZooKeeper protocol for bytes that no client library sends, and four-letter words."""
import socket
import struct


def four_letter(port, word, timeout=5):
    with socket.create_connection(("127.0.0.1", port), timeout) as s:
        s.sendall(word.encode())
        out = b""
        while True:
            try:
                piece = s.recv(65536)
            except ConnectionResetError:
                break
            if not piece:
                break
            out += piece
    return out.decode("utf-8", "replace")


class Session:
    """A raw session: connect, then any request by number."""

    def __init__(self, port, timeout_ms=10000, session=0, password=bytes(16)):
        self.socket = socket.create_connection(("127.0.0.1", port), 15)
        body = struct.pack(">iqiqi", 0, 0, timeout_ms, session, len(password)) + password + b"\0"
        self.socket.sendall(struct.pack(">i", len(body)) + body)
        answer = self.frame()
        _version, self.timeout_ms, self.id, n = struct.unpack_from(">iiqi", answer)
        self.password = answer[20:20 + n]
        self.xid = 0

    def frame(self):
        return self.receive(struct.unpack(">i", self.receive(4))[0])

    def receive(self, n):
        data = b""
        while len(data) < n:
            piece = self.socket.recv(n - len(data))
            if not piece:
                raise ConnectionError("closed")
            data += piece
        return data

    def call(self, operation, body=b""):
        """(error, payload)"""
        self.xid += 1
        self.socket.sendall(struct.pack(">iii", len(body) + 8, self.xid, operation) + body)
        while True:
            data = self.frame()
            xid, _zxid, error = struct.unpack_from(">iqi", data)
            if xid == self.xid:
                return error, data[16:]

    # --- the tree: error numbers are the protocol's, 0 is success ---------------------------------------------------------
    def get(self, path):
        """The data, or None where there is no such znode."""
        error, data = self.call(4, text(path) + b"\0")
        if error:
            return None
        n = struct.unpack_from(">i", data)[0]
        return data[4:4 + max(n, 0)]

    def children(self, path):
        error, data = self.call(8, text(path) + b"\0")
        found, at = [], 4
        for _ in range(struct.unpack_from(">i", data)[0] if not error else 0):
            n = struct.unpack_from(">i", data, at)[0]
            found.append(data[at + 4:at + 4 + n].decode())
            at += 4 + n
        return found

    def create(self, path, data=b"", flags=0):
        return self.call(1, text(path) + struct.pack(">i", len(data)) + data + struct.pack(">ii", 1, 31) + text("world") +
                         text("anyone") + struct.pack(">i", flags))[0]

    def set(self, path, data):
        return self.call(5, text(path) + struct.pack(">i", len(data)) + data + struct.pack(">i", -1))[0]

    def delete(self, path):
        return self.call(2, text(path) + struct.pack(">i", -1))[0]

    def exists(self, path):
        return self.call(3, text(path) + b"\0")[0] == 0

    def copy_to(self, other, path):
        """Makes path and what is below it in another tree, with the same data."""
        parts = path.strip("/").split("/")
        for n in range(1, len(parts)):
            other.create("/" + "/".join(parts[:n]))
        data = self.get(path)
        if data is not None and other.create(path, data) == -110:
            other.set(path, data)
        for child in self.children(path):
            self.copy_to(other, f"{path}/{child}")

    def close(self):
        try:
            self.call(-11)
        except (OSError, ConnectionError):
            pass
        self.socket.close()


def text(value):
    raw = value.encode()
    return struct.pack(">i", len(raw)) + raw
