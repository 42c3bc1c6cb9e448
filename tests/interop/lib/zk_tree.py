"""A tree that shows everything a znode can be, written through any ZooKeeper server, and the same tree read back: every
field of every stat, ACLs, data. In raw frames, so that one client serves every release."""
import struct

from . import zk_wire
from .zk_wire import text

OPEN = ((31, "world", "anyone"),)
EPHEMERAL, SEQUENTIAL = 1, 2
STAT = struct.Struct(">qqqqiiiqiiq")
STAT_FIELDS = ("czxid", "mzxid", "ctime", "mtime", "version", "cversion", "aversion", "ephemeralOwner", "dataLength",
               "numChildren", "pzxid")


def buffer(data):
    return struct.pack(">i", -1) if data is None else struct.pack(">i", len(data)) + data


def acl_bytes(acl):
    return struct.pack(">i", len(acl)) + b"".join(struct.pack(">i", p) + text(s) + text(i) for p, s, i in acl)


def create_body(path, data=b"", flags=0, acl=OPEN):
    return text(path) + buffer(data) + acl_bytes(acl) + struct.pack(">i", flags)


class Client(zk_wire.Session):
    def must(self, operation, body=b""):
        error, answer = self.call(operation, body)
        if error:
            raise AssertionError(f"operation {operation} with {body[:80]}: error {error}")
        return answer

    def make(self, path, data=b"", flags=0, acl=OPEN):
        """The path as made."""
        answer = self.must(1, create_body(path, data, flags, acl))
        return answer[4:].decode()

    def make2(self, path, data=b"", flags=0, acl=OPEN):
        self.must(15, create_body(path, data, flags, acl))

    def make_container(self, path, data=b""):
        self.must(19, create_body(path, data, 4))

    def make_ttl(self, path, ttl_ms, data=b""):
        self.must(21, create_body(path, data, 5) + struct.pack(">q", ttl_ms))

    def put(self, path, data):
        self.must(5, text(path) + buffer(data) + struct.pack(">i", -1))

    def drop(self, path):
        self.must(2, text(path) + struct.pack(">i", -1))

    def set_acl(self, path, acl):
        self.must(7, text(path) + acl_bytes(acl) + struct.pack(">i", -1))

    def authenticate(self, scheme, credentials):
        body = struct.pack(">i", 0) + text(scheme) + buffer(credentials)
        self.socket.sendall(struct.pack(">iii", len(body) + 8, -4, 100) + body)
        _xid, _zxid, error = struct.unpack_from(">iqi", self.frame())
        assert error == 0, error

    def multi(self, *parts):
        """parts: (operation, body). The reply's payload; a multi that fails has its errors in there."""
        body = b"".join(struct.pack(">i?i", op, False, -1) + piece for op, piece in parts)
        return self.must(14, body + struct.pack(">i?i", -1, True, -1))

    def node(self, path):
        """(stat, acl, data), the data None where it is null; None where there is no such znode."""
        error, answer = self.call(4, text(path) + b"\0")
        if error == -101:
            return None
        assert error == 0, (path, error)
        size = struct.unpack_from(">i", answer)[0]
        data = None if size < 0 else answer[4:4 + size]
        stat = STAT.unpack_from(answer, 4 + max(size, 0))
        return dict(zip(STAT_FIELDS, stat)), self.acl(path), data

    def acl(self, path):
        answer = self.must(6, text(path))
        entries, at = [], 4
        for _ in range(struct.unpack_from(">i", answer)[0]):
            perms = struct.unpack_from(">i", answer, at)[0]
            at += 4
            words = []
            for _ in range(2):
                size = struct.unpack_from(">i", answer, at)[0]
                words.append(answer[at + 4:at + 4 + size].decode())
                at += 4 + size
            entries.append((perms, *words))
        return entries

    def vanish(self):
        """The connection ends, the session does not."""
        self.socket.close()


def dump(port, **more):
    """The whole tree: {path: (stat, acl, data)}. The server must let everybody read (skipACL)."""
    client = Client(port, **more)
    found, todo = {}, ["/"]
    while todo:
        path = todo.pop()
        node = client.node(path)
        if node is None:
            continue
        found[path] = node
        todo += [path.rstrip("/") + "/" + name for name in client.children(path)]
    client.close()
    return found


def differences(left, right, ignore=()):
    """Lines, at most twenty, that say where two dumps differ. ignore: paths that are not compared."""
    lines = []
    for path in sorted(set(left) | set(right)):
        if path in ignore:
            continue
        a, b = left.get(path), right.get(path)
        if a is None or b is None:
            lines.append(f"{path}: only on the {'right' if a is None else 'left'}")
        elif a != b:
            stats = [f"{f} {a[0][f]}/{b[0][f]}" for f in STAT_FIELDS if a[0][f] != b[0][f]]
            lines.append(f"{path}: {', '.join(stats) or 'ACL or data'}" + ("" if a[1:] == b[1:] else f" {a[1:]} {b[1:]}"))
    return lines[:20]


def write_rich_tree(port, version, timeout_ms=600000):
    """Everything there is, in a few hundred transactions. Returns the sessions that are left open: the owners of
    /live/a and /live/b. version: the server's, as a tuple."""
    a, b = Client(port, timeout_ms), Client(port, timeout_ms)
    gone = Client(port, timeout_ms)
    a.make("/kinds", b"")
    a.make("/kinds/null", None)
    a.make("/kinds/empty", b"")
    a.make("/kinds/binary", bytes(range(256)))
    a.make("/kinds/long", b"0123456789abcdef" * 200)
    a.make("/kinds/\u00e4\u00f6\u00fc \u65e5\u672c", "\u65e5\u672c".encode())
    deep = "/deep"
    for _ in range(12):
        a.make(deep)
        deep += "/d"
    for n in range(5):
        a.make("/seq/" if n else "/seq", b"s", SEQUENTIAL if n else 0)
    a.drop("/seq/0000000001")
    a.make("/seq/n-", b"t", SEQUENTIAL)
    a.make("/counters")
    for n in range(8):
        a.make(f"/counters/c{n}", str(n).encode())
    for n in range(0, 8, 2):
        a.drop(f"/counters/c{n}")
    for n in range(5):
        a.put("/counters/c1", b"v%d" % n)
    a.put("/counters/c3", None)
    write_acls(a)
    write_refusals(a)
    for operation in (1, 15) if version >= (3, 5) else (1,):
        a.multi((operation, create_body(f"/multi-{operation}", b"m")),
                (operation, create_body(f"/multi-{operation}/x", b"1")),
                (operation, create_body(f"/multi-{operation}/s-", b"2", SEQUENTIAL)),
                (5, text(f"/multi-{operation}/x") + buffer(b"twice") + struct.pack(">i", 0)),
                (13, text(f"/multi-{operation}") + struct.pack(">i", 0)),
                (2, text("/counters/c5") + struct.pack(">i", -1)) if operation == 1 else
                (2, text("/counters/c7") + struct.pack(">i", -1)))
    a.multi((1, create_body("/never", b"")), (2, text("/nothing-here") + struct.pack(">i", -1)), (5, text("/kinds") + buffer(b"no") + struct.pack(">i", -1)))
    if version >= (3, 5):
        write_extended(a, version)
    a.make("/zookeeper/quota/kinds")
    a.make("/zookeeper/quota/kinds/zookeeper_limits", b"count=100,bytes=100000")
    a.make("/zookeeper/quota/kinds/zookeeper_stats", b"count=0,bytes=0")
    a.make("/kinds/under-quota", b"12345")
    a.make("/live")
    a.make("/live/a", b"of a", EPHEMERAL)
    b.make("/live/b", b"of b", EPHEMERAL)
    b.make("/live/b-", b"", EPHEMERAL | SEQUENTIAL)
    for n in range(6):
        gone.make(f"/live/gone-{n}", b"", EPHEMERAL)
    gone.close()
    c = Client(port, timeout_ms)
    c.make("/live/gone-3", b"again", EPHEMERAL)
    c.drop("/live/gone-3")
    c.close()
    a.make("/last", b"written last")
    return a, b


def write_acls(client):
    client.make("/acl")
    client.make("/acl/digest", b"secret", acl=((31, "digest", "user:Oyt1cJDSJwbQAAEnIzIxJ0VCKCA="),))
    client.make("/acl/several", b"", acl=((1, "world", "anyone"), (31, "digest", "user:Oyt1cJDSJwbQAAEnIzIxJ0VCKCA="),
                                          (3, "ip", "10.0.0.0/8")))
    client.make("/acl/changed", b"")
    client.set_acl("/acl/changed", ((1, "world", "anyone"), (31, "ip", "127.0.0.1")))
    client.set_acl("/acl/changed", ((5, "world", "anyone"), (31, "ip", "127.0.0.1")))
    client.authenticate("digest", b"owner:password")
    client.make("/acl/auth", b"", acl=((31, "auth", ""),))


def write_refusals(client):
    """Requests that fail take a zxid too and stand in the log."""
    for operation, body in ((1, create_body("/kinds", b"")), (2, text("/missing") + struct.pack(">i", -1)),
                            (5, text("/kinds") + buffer(b"") + struct.pack(">i", 77)),
                            (2, text("/kinds") + struct.pack(">i", -1))):
        assert client.call(operation, body)[0] < 0


def write_extended(client, version):
    client.make2("/create2", b"two")
    client.make_container("/container", b"c")
    client.make("/container/child", b"")
    client.make_container("/container/inner")
    client.make_container("/empty-container")
    if version >= (3, 5, 4):
        client.make_ttl("/ttl", 3600000, b"an hour")
        client.make_ttl("/ttl-most", 0xffffffffff)
