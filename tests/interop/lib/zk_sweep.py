"""What a server does with each case of zk_bad_input. `Sweep(port).run()` sends them and names the outcome:

    0, -5, -101 ...     the error of the reply, and the connection goes on
    -6 closed           a reply, then the end of the connection
    closed              the end of the connection
    silent              neither: the request behind it was answered
    hangs               neither, nor is the request behind it answered
    0[2/0 -1/-101]      multi and multiRead: type and error of each part of the reply

tests/golden/zookeeper/bad-input-3.8.tsv is the outcome of a real ZooKeeper (capture_zookeeper makes it)."""
import re
import socket
import struct

from .zk_bad_input import cases
from .zk_fields import INT, OPEN, ROOT, Acl, connect_frame, i32, request, sized

ENDING = ("-6", "-115", "-124")  # errors after which a server may close


class Sweep:
    """Runs the cases against a port. Needs an empty tree; leaves its own below /sweep. A session serves the cases of one
    group, "create/..." for example, as long as the server keeps it."""

    MARK = 1999999999  # the xid of the request behind each case, which shows that the connection goes on

    def __init__(self, port, patience=5):
        self.port, self.patience = port, patience
        self.socket = self.group = None

    def run(self, wanted=None):
        """{name: outcome}."""
        self.keeper = socket.create_connection(("127.0.0.1", self.port), self.patience)  # of the ephemeral
        self.keeper.sendall(connect_frame())
        receive_frame(self.keeper)
        for path, operation, flags in ((ROOT, 1, 0), (ROOT + b"/acl", 1, 0), (ROOT + b"/numbers", 1, 0),
                                       (ROOT + b"/container", 19, 4), (ROOT + b"/ephemeral", 1, 1)):
            self.keeper.sendall(request(operation, sized(path) + sized(b"") + Acl(OPEN).encode() + i32(flags)))
            if struct.unpack_from(">iqi", receive_frame(self.keeper))[2] != 0:
                raise AssertionError(f"{path} was not made")
        found = {}
        for number, case in enumerate(cases()):
            if number % 500 == 0:
                self.keeper.sendall(request(11, b"", xid=-2))
                receive_frame(self.keeper)
            if not wanted or wanted(case.name):
                found[case.name] = self.handshake(case) if case.connect is not None else self.exchange(case)
        self.close()
        self.keeper.close()
        return found

    def open(self):
        self.socket = socket.create_connection(("127.0.0.1", self.port), self.patience)
        self.socket.sendall(connect_frame())
        if receive_frame(self.socket) is None:
            raise AssertionError("no session")

    def close(self):
        if self.socket:
            self.socket.close()
        self.socket = None

    def exchange(self, case):
        group = case.name.split("/")[0]
        if group != self.group or case.alone:
            self.close()
            self.group = group
        if not self.socket:
            self.open()
        try:
            self.socket.sendall(case.frames + request(3, sized(b"/") + b"\0", xid=self.MARK))
        except ConnectionError:
            pass  # it is closed already; what it said is still there
        replies = []
        while True:
            try:
                reply, end = receive_frame(self.socket), "closed"
            except TimeoutError:
                reply, end = None, "hangs"
            if reply is None:
                self.close()
                return " ".join(replies + [end])
            xid, _zxid, error = struct.unpack_from(">iqi", reply)
            if xid == self.MARK:
                if replies and replies[-1] in ENDING and self.ends():
                    replies.append("closed")
                return " ".join(replies) or "silent"
            if xid == -1 and len(reply) > 24:
                continue  # an event
            if len(reply) == 37 and case.name.startswith("createSession"):
                replies.append("a handshake's answer")
                continue
            replies.append(str(error) + (parts_of(reply[16:]) if group in ("multi", "multiRead") and not error else ""))

    def ends(self):
        """A real server may still answer what it has read when it decides to close; it answers nothing sent after that."""
        try:
            self.socket.sendall(request(3, sized(b"/") + b"\0", xid=self.MARK))
            closed = receive_frame(self.socket) is None
        except ConnectionError:
            closed = True
        if closed:
            self.close()
        return closed

    def handshake(self, case):
        with socket.create_connection(("127.0.0.1", self.port), self.patience) as s:
            s.sendall(case.connect)
            try:
                data = receive_frame(s)
            except TimeoutError:
                return "hangs"
        if data is None:
            return "closed"
        _version, timeout, session, n = struct.unpack_from(">iiqi", data)
        return f"{'a session' if session else 'no session'}, time-out {timeout}, {n} bytes of password, {len(data)} bytes"


def receive(s, n):
    """n bytes, or None where the server closed before."""
    data = b""
    while len(data) < n:
        try:
            piece = s.recv(n - len(data))
        except ConnectionError:
            return None
        if not piece:
            return None
        data += piece
    return data


def receive_frame(s):
    length = receive(s, 4)
    return None if length is None else receive(s, struct.unpack(INT, length)[0])


def parts_of(body):
    """What a multi's reply says of each part; of the results only the ones with a known size are skipped."""
    said, at = [], 0
    while at + 9 <= len(body):
        kind, done, error = struct.unpack_from(">ibi", body, at)
        at += 9
        if done:
            return "[" + " ".join(said) + "]" + ("" if at == len(body) else " and more")
        said.append(f"{kind}/{error}")
        if kind == -1:
            at += 4
        elif kind in (1, 4, 15):
            at += 4 + max(0, struct.unpack_from(INT, body, at)[0]) + (0 if kind == 1 else 68)
        elif kind == 5:
            at += 68
        elif kind == 8:
            count = struct.unpack_from(INT, body, at)[0]
            at += 4
            for _ in range(count):
                at += 4 + struct.unpack_from(INT, body, at)[0]
        elif kind not in (2, 13):
            break
    return "[" + " ".join(said) + " and what is not understood]"


# --- the table ------------------------------------------------------------------------------------------------------------
def compress(found):
    """Rows of (name, outcome); cuts that come to the same are one row: 'create/cut at 0..41'."""
    rows = []
    for name, outcome in found.items():
        cut = re.fullmatch(r"(.*/cut at )(\d+)", name)
        if cut and rows and rows[-1][1] == outcome:
            before = re.fullmatch(r"(.*/cut at )(\d+)(?:\.\.(\d+))?", rows[-1][0])
            if before and before[1] == cut[1] and int(before[3] or before[2]) + 1 == int(cut[2]):
                rows[-1] = (f"{cut[1]}{before[2]}..{cut[2]}", outcome)
                continue
        rows.append((name, outcome))
    return rows


def expand(rows):
    found = {}
    for name, outcome in rows:
        cut = re.fullmatch(r"(.*/cut at )(\d+)\.\.(\d+)", name)
        for one in [f"{cut[1]}{n}" for n in range(int(cut[2]), int(cut[3]) + 1)] if cut else [name]:
            found[one] = outcome
    return found


def read_table(path):
    with open(path, encoding="utf-8") as f:
        return [tuple(line.rstrip("\n").split("\t")) for line in f if line.strip() and not line.startswith("#")]
