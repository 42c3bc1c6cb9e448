"""ZooKeeper's requests and replies as Python values: what the model test asks and compares.

A request is an operation's name and a dictionary of its fields; a reply's body becomes a dictionary too. Strings and data
may be None, as on the wire. `ask(name, fields)` gives the body of a request, `answer(name, body)` reads that of a reply."""
import struct

OPCODES = {
    "create": 1, "delete": 2, "exists": 3, "getData": 4, "setData": 5, "getACL": 6, "setACL": 7, "getChildren": 8,
    "sync": 9, "ping": 11, "getChildren2": 12, "check": 13, "multi": 14, "create2": 15, "reconfig": 16,
    "checkWatches": 17, "removeWatches": 18, "createContainer": 19, "createTTL": 21, "multiRead": 22, "auth": 100,
    "setWatches": 101, "getEphemerals": 103, "getAllChildrenNumber": 104, "setWatches2": 105, "addWatch": 106,
    "whoAmI": 107, "closeSession": -11,
}
NAMES = {number: name for name, number in OPCODES.items()}
XIDS = {"ping": -2, "auth": -4, "setWatches": -8, "setWatches2": -8}  # the others count up
WRITES = {"create", "create2", "createContainer", "createTTL", "delete", "setData", "setACL", "multi", "check", "closeSession"}
CREATES = {"create", "create2", "createContainer", "createTTL"}
STAT = ("czxid", "mzxid", "ctime", "mtime", "version", "cversion", "aversion", "ephemeralOwner", "dataLength", "numChildren", "pzxid")


class Out:
    def __init__(self):
        self.parts = []

    def int(self, *values):
        self.parts.append(struct.pack(f">{len(values)}i", *values))
        return self

    def long(self, value):
        self.parts.append(struct.pack(">q", value))
        return self

    def bool(self, value):
        self.parts.append(b"\1" if value else b"\0")
        return self

    def buffer(self, value):
        if value is None:
            return self.int(-1)
        raw = value.encode() if isinstance(value, str) else value
        self.int(len(raw))
        self.parts.append(raw)
        return self

    def strings(self, values):
        self.int(len(values))
        for value in values:
            self.buffer(value)
        return self

    def acl(self, entries):
        if entries is None:
            return self.int(-1)
        self.int(len(entries))
        for perms, scheme, who in entries:
            self.int(perms).buffer(scheme).buffer(who)
        return self

    def header(self, kind, done, error):
        return self.int(kind).bool(done).int(error)

    def take(self):
        return b"".join(self.parts)


class In:
    def __init__(self, data, at=0):
        self.data, self.at = data, at

    def _unpack(self, form, size):
        value = struct.unpack_from(form, self.data, self.at)[0]
        self.at += size
        return value

    def int(self):
        return self._unpack(">i", 4)

    def long(self):
        return self._unpack(">q", 8)

    def bool(self):
        return self._unpack(">b", 1) != 0

    def buffer(self):
        n = self.int()
        if n < 0:
            return None
        if self.at + n > len(self.data):
            raise ValueError("a length beyond the frame")
        value = bytes(self.data[self.at:self.at + n])
        self.at += n
        return value

    def text(self):
        raw = self.buffer()
        return None if raw is None else raw.decode("utf-8", "surrogateescape")

    def many(self, one):
        return [one() for _ in range(max(self.int(), 0))]

    def stat(self):
        values = struct.unpack_from(">qqqqiiiqiiq", self.data, self.at)
        self.at += 68
        return dict(zip(STAT, values))

    def acl(self):
        return self.many(lambda: (self.int(), self.text(), self.text()))

    def header(self):
        return self.int(), self.bool(), self.int()

    def end(self):
        if self.at != len(self.data):
            raise ValueError(f"{len(self.data) - self.at} bytes too many")


# --- requests ---------------------------------------------------------------------------------------------------------------
def _put(out, name, f):
    if name in CREATES:
        out.buffer(f["path"]).buffer(f.get("data")).acl(f.get("acl")).int(f["flags"])
        if name == "createTTL":
            out.long(f["ttl"])
    elif name in ("delete", "check"):
        out.buffer(f["path"]).int(f["version"])
    elif name in ("exists", "getData", "getChildren", "getChildren2"):
        out.buffer(f["path"]).bool(f.get("watch", False))
    elif name == "setData":
        out.buffer(f["path"]).buffer(f.get("data")).int(f["version"])
    elif name == "setACL":
        out.buffer(f["path"]).acl(f.get("acl")).int(f["version"])
    elif name in ("getACL", "sync", "getEphemerals", "getAllChildrenNumber"):
        out.buffer(f["path"])
    elif name in ("checkWatches", "removeWatches"):
        out.buffer(f["path"]).int(f["type"])
    elif name == "addWatch":
        out.buffer(f["path"]).int(f["mode"])
    elif name in ("multi", "multiRead"):
        for part, fields in f["parts"]:
            out.header(OPCODES[part], False, -1)
            _put(out, part, fields)
        out.header(-1, True, -1)
    elif name in ("setWatches", "setWatches2"):
        out.long(f["zxid"])
        for kind in ("data", "exist", "child") + (("persistent", "recursive") if name == "setWatches2" else ()):
            out.strings(f.get(kind, []))
    elif name == "auth":
        out.int(0).buffer(f["scheme"]).buffer(f["auth"])
    elif name == "reconfig":
        out.buffer(f.get("joining")).buffer(f.get("leaving")).buffer(f.get("members")).long(f.get("config", -1))
    elif name not in ("ping", "whoAmI", "closeSession"):
        raise KeyError(name)


def ask(name, fields):
    out = Out()
    _put(out, name, fields)
    return out.take()


# --- replies ----------------------------------------------------------------------------------------------------------------
def _result(body, name):
    """What follows a reply's header, or one part's header in a multi."""
    if name == "create":
        return {"path": body.text()}
    if name in CREATES:
        return {"path": body.text(), "stat": body.stat()}
    if name in ("exists", "setData", "setACL"):
        return {"stat": body.stat()}
    if name == "getData":
        return {"data": body.buffer(), "stat": body.stat()}
    if name == "getACL":
        return {"acl": body.acl(), "stat": body.stat()}
    if name == "getChildren":
        return {"children": body.many(body.text)}
    if name == "getChildren2":
        return {"children": body.many(body.text), "stat": body.stat()}
    if name == "sync":
        return {"path": body.text()}
    if name == "getEphemerals":
        return {"ephemerals": body.many(body.text)}
    if name == "getAllChildrenNumber":
        return {"total": body.int()}
    if name == "whoAmI":
        return {"who": body.many(lambda: (body.text(), body.text()))}
    if name == "addWatch":
        return {"err": body.int()}
    return {}


def _parts(body):
    parts = []
    while True:
        kind, done, error = body.header()
        if done:
            return {"parts": parts, "end": (kind, error)}
        if kind == -1:
            parts.append(("error", error, {"err": body.int()}))
        else:
            parts.append((NAMES.get(kind, kind), error, _result(body, NAMES.get(kind))))


def answer(name, data):
    """The body of a reply whose header says success. ValueError or struct.error where it is no such body."""
    body = In(data)
    found = _parts(body) if name in ("multi", "multiRead") else _result(body, name)
    body.end()
    return found
