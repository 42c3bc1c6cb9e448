"""ZooKeeper's requests as lists of fields, each of which knows the ways in which its length can be wrong."""
import struct

INT, LONG = ">i", ">q"
MAX, MIN = 0x7FFFFFFF, -0x80000000
JUTE_MAX = 1048575  # jute.maxbuffer's default
OPEN = [(31, b"world", b"anyone")]
ROOT = b"/sweep"


def i32(value):
    return struct.pack(INT, value)


def sized(raw):
    return i32(-1) if raw is None else i32(len(raw)) + raw


class Text:  # a ustring or a buffer
    def __init__(self, raw):
        self.raw = raw

    def encode(self):
        return sized(self.raw)

    def broken(self):
        """(name, bytes) with each wrong length."""
        n = len(self.raw or b"")
        for length in (-1, -2, MIN, n + 1, 2 * JUTE_MAX, MAX):
            yield f"length {'one too many' if length == n + 1 else length}", i32(length) + (self.raw or b"")


class Acl:
    def __init__(self, entries):
        self.entries = entries

    def encode(self):
        if self.entries is None:
            return i32(-1)
        return i32(len(self.entries)) + b"".join(i32(p) + sized(s) + sized(i) for p, s, i in self.entries)

    def broken(self):
        rest = self.encode()[4:]
        for count in (-1, -2, MIN, len(self.entries) + 1, MAX):
            yield f"count {'one too many' if count > 0 and count != MAX else count}", i32(count) + rest
        for p, s, i in self.entries[:1]:
            for name, scheme in Text(s).broken():
                yield f"scheme {name}", i32(1) + i32(p) + scheme + sized(i)
            for name, who in Text(i).broken():
                yield f"id {name}", i32(1) + i32(p) + sized(s) + who


class Paths:
    def __init__(self, paths):
        self.paths = paths

    def encode(self):
        return i32(len(self.paths)) + b"".join(sized(p) for p in self.paths)

    def broken(self):
        rest = self.encode()[4:]
        for count in (-1, -2, MIN, len(self.paths) + 1, MAX):
            yield f"count {'one too many' if count > 0 and count != MAX else count}", i32(count) + rest
        for name, path in Text(b"/sweep").broken():
            yield f"first {name}", i32(1) + path


class Raw:
    def __init__(self, raw):
        self.raw = raw

    def encode(self):
        return self.raw

    def broken(self):
        return iter(())


def integer(value, kind=INT):
    return Raw(struct.pack(kind, value))


def flag(value):
    return Raw(bytes([value]))


def part(operation, *fields):
    return i32(operation) + b"\0" + i32(-1) + b"".join(f.encode() for f in fields)


END = i32(-1) + b"\1" + i32(-1)


def fresh(n=[0]):
    """A path that no other case has."""
    n[0] += 1
    return ROOT + b"/n%d" % n[0]


# name: operation and, for a path, the fields of its request. A request is well-formed as it stands here.
REQUESTS = {
    "create": (1, lambda p: [Text(p), Text(b"data"), Acl(OPEN), integer(0)]),
    "delete": (2, lambda p: [Text(p), integer(-1)]),
    "exists": (3, lambda p: [Text(p), flag(0)]),
    "getData": (4, lambda p: [Text(p), flag(0)]),
    "setData": (5, lambda p: [Text(p), Text(b"data"), integer(-1)]),
    "getACL": (6, lambda p: [Text(p)]),
    "setACL": (7, lambda p: [Text(p), Acl(OPEN), integer(-1)]),
    "getChildren": (8, lambda p: [Text(p), flag(0)]),
    "sync": (9, lambda p: [Text(p)]),
    "ping": (11, lambda p: []),
    "getChildren2": (12, lambda p: [Text(p), flag(0)]),
    "check": (13, lambda p: [Text(p), integer(-1)]),
    "create2": (15, lambda p: [Text(p), Text(b"data"), Acl(OPEN), integer(0)]),
    "reconfig": (16, lambda p: [Text(b"server.1=a:1:2;3"), Text(b"2"), Text(b""), integer(-1, LONG)]),
    "checkWatches": (17, lambda p: [Text(p), integer(2)]),
    "removeWatches": (18, lambda p: [Text(p), integer(2)]),
    "createContainer": (19, lambda p: [Text(p), Text(b"data"), Acl(OPEN), integer(4)]),
    "createTTL": (21, lambda p: [Text(p), Text(b"data"), Acl(OPEN), integer(5), integer(600000, LONG)]),
    "auth": (100, lambda p: [integer(0), Text(b"digest"), Text(b"sweep:secret")]),
    "setWatches": (101, lambda p: [integer(MAX, LONG), Paths([p]), Paths([p + b"/x"]), Paths([p])]),
    "sasl": (102, lambda p: [Text(b"")]),
    "getEphemerals": (103, lambda p: [Text(p)]),
    "getAllChildrenNumber": (104, lambda p: [Text(p)]),
    "setWatches2": (105, lambda p: [integer(MAX, LONG), Paths([p]), Paths([p + b"/x"]), Paths([p]), Paths([p]),
                                    Paths([p])]),
    "addWatch": (106, lambda p: [Text(p), integer(0)]),
    "whoAmI": (107, lambda p: []),
}
MAKES = ("create", "create2", "createContainer", "createTTL")
# As parts of a multi and of a multiRead.
PARTS = ("create", "create2", "createContainer", "createTTL", "delete", "setData", "check")
READS = ("getData", "getChildren")
WITH_PATH = [name for name in REQUESTS if name not in ("ping", "reconfig", "auth", "sasl", "whoAmI", "setWatches",
                                                       "setWatches2")]


def frame(body):
    return i32(len(body)) + body


def request(operation, body, xid=7):
    return frame(i32(xid) + i32(operation) + body)


def encode(fields):
    return b"".join(f.encode() for f in fields)


def connect_frame(version=0, seen=0, timeout=30000, session=0, password=bytes(16), tail=b"\0"):
    return frame(i32(version) + struct.pack(LONG, seen) + i32(timeout) + struct.pack(LONG, session) + sized(password) + tail)
