"""ZooKeeper's data directory as a second pair of eyes reads it: a snapshot that a server took at rest, field by field."""
import glob
import os
import struct
import zlib


class Cursor:
    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, form):
        values = struct.unpack_from(">" + form, self.data, self.at)
        self.at += struct.calcsize(">" + form)
        return values if len(values) > 1 else values[0]

    def buffer(self):
        size = self.take("i")
        if size < 0:
            return None
        self.at += size
        return self.data[self.at - size:self.at]

    def text(self):
        return (self.buffer() or b"").decode("utf-8", "surrogateescape")


class Snapshot:
    """sessions {id: timeout}; nodes {path: (data, acl, czxid, mzxid, ctime, mtime, version, creates, aversion, owner,
    pzxid)}, the acl as a list of (perms, scheme, id)."""

    def __init__(self, data):
        at = Cursor(data)
        magic, self.version, self.dbid = at.take("4siq")
        assert magic == b"ZKSN", magic
        self.sessions = dict(at.take("qi") for _ in range(at.take("i")))
        acls = {-1: [(31, "world", "anyone")]}
        for _ in range(at.take("i")):
            number = at.take("q")
            acls[number] = [(at.take("i"), at.text(), at.text()) for _ in range(at.take("i"))]
        self.nodes = {}
        while True:
            path = at.text()
            if path == "/":
                break
            data_, acl = at.buffer(), at.take("q")
            self.nodes[path or "/"] = (data_, acls[acl], *at.take("qqqqiiiqq"))
        checksum = zlib.adler32(data[:at.at])
        assert at.take("q") == checksum and at.text() == "/", "the seal"
        self.trailer = len(data) - at.at


def write_large_snapshot(path, zxid, folders, each):
    """/f<n>/z<m> with a hundred bytes each: for what takes time. Returns how many znodes there are."""
    def node(path, data, zxid, creates=0):
        raw = path.encode()
        return (struct.pack(">i", len(raw)) + raw + struct.pack(">i", len(data)) + data +
                struct.pack(">qqqqqiiiqq", -1, zxid, zxid, 0, 0, 0, creates, 0, 0, zxid))
    checksum = 1
    with open(path, "wb") as f:
        def put(piece):
            nonlocal checksum
            checksum = zlib.adler32(piece, checksum)
            f.write(piece)
        put(b"ZKSN" + struct.pack(">iqii", 2, -1, 0, 0) + node("", b"", 0, folders) + node("/zookeeper", b"", 0) +
            node("/zookeeper/quota", b"", 0))
        for folder in range(folders):
            put(node(f"/f{folder}", b"", 1 + folder, each) + b"".join(
                node(f"/f{folder}/z{n:08}", os.urandom(100), 1 + folder) for n in range(each)))
        put(struct.pack(">i", 1) + b"/")
        f.write(struct.pack(">qi", checksum, 1) + b"/")
    return 3 + folders * (each + 1)


def newest(data_dir):
    """(zxid, Snapshot) of the newest uncompressed one."""
    found = {int(os.path.basename(p).split(".")[1], 16): p for p in glob.glob(os.path.join(data_dir, "version-2", "snapshot.*"))
             if os.path.basename(p).count(".") == 1}
    zxid = max(found)
    with open(found[zxid], "rb") as f:
        return zxid, Snapshot(f.read())
