"""Many sessions at once, and what has to hold whatever the order was. Every reply names the zxid at which it is true, so
the writes have one order: a small tree is led through it, and each reply, each read and each watch event has to be what that
tree says at that zxid."""
import random
import threading

from . import zk_stream

OPEN = [(31, "world", "anyone")]
NO_NODE, BAD_VERSION, EPHEMERAL_PARENT, EXISTS, NOT_EMPTY, UNDONE = -101, -103, -108, -110, -111, -2
CREATED, DELETED, CHANGED, CHILDREN = 1, 2, 3, 4


class Refused(Exception):
    pass


class Node:
    def __init__(self, zxid, data, owner):
        self.czxid = self.mzxid = self.pzxid = zxid
        self.data, self.owner = data, owner
        self.version = self.cversion = self.made = 0
        self.children = set()

    def stat(self):
        return {"czxid": self.czxid, "mzxid": self.mzxid, "pzxid": self.pzxid, "version": self.version, "cversion": self.cversion,
                "aversion": 0, "ephemeralOwner": self.owner, "dataLength": len(self.data or b""), "numChildren": len(self.children)}


class Tree:
    """What the server should be. `write` answers (error, result) and keeps the changes for the watches."""

    def __init__(self, root, zxid):
        self.nodes = {root: Node(zxid, None, 0)}
        self.changes = []

    def write(self, zxid, session, name, fields):
        self.changes, before = [], None
        try:
            if name != "multi":
                return 0, self._one(zxid, session, name, fields)
            before = {p: (vars(n).copy(), set(n.children)) for p, n in self.nodes.items()}
            done = []
            for part, inner in fields["parts"]:
                done.append((part, 0, self._one(zxid, session, part, inner)))
            return 0, done
        except Refused as why:
            self.changes = []
            if before is None:
                return why.args[0], None
            for path, (values, children) in before.items():
                node = self.nodes.setdefault(path, Node(0, None, 0))
                vars(node).update(values, children=children)
            for path in set(self.nodes) - set(before):
                del self.nodes[path]
            codes = [0] * len(done) + [why.args[0]] + [UNDONE] * (len(fields["parts"]) - len(done) - 1)
            return 0, [("error", code, {"err": code}) for code in codes]

    def _one(self, zxid, session, name, f):
        path = f.get("path")
        if name in ("create", "create2"):
            parent = self._get(path.rsplit("/", 1)[0])
            if f["flags"] & 2:
                path += f"{parent.made:010}"
            if path in self.nodes:
                raise Refused(EXISTS)
            if parent.owner:
                raise Refused(EPHEMERAL_PARENT)
            node = self.nodes[path] = Node(zxid, f["data"], session if f["flags"] & 1 else 0)
            parent.children.add(path.rsplit("/", 1)[1])
            parent.made += 1
            self._child_changed(parent, zxid)
            self.changes.append((CREATED, path))
            return {"path": path, **({"stat": node.stat()} if name == "create2" else {})}
        if name == "close":
            for gone in sorted(p for p, n in self.nodes.items() if n.owner == session):
                self._remove(gone, zxid)
            return {}
        node = self._get(path)
        if f["version"] not in (-1, node.version):
            raise Refused(BAD_VERSION)
        if name == "delete":
            if node.children:
                raise Refused(NOT_EMPTY)
            self._remove(path, zxid)
            return {}
        if name == "setData":
            node.data, node.version, node.mzxid = f["data"], node.version + 1, zxid
            self.changes.append((CHANGED, path))
            return {"stat": node.stat()}
        return {}  # check

    def _get(self, path):
        if path not in self.nodes:
            raise Refused(NO_NODE)
        return self.nodes[path]

    def _remove(self, path, zxid):
        del self.nodes[path]
        parent = self.nodes[path.rsplit("/", 1)[0]]
        parent.children.remove(path.rsplit("/", 1)[1])
        self._child_changed(parent, zxid)
        self.changes.append((DELETED, path))

    @staticmethod
    def _child_changed(parent, zxid):
        parent.cversion += 1
        parent.pzxid = zxid

    def read(self, name, path):
        node = self.nodes.get(path)
        if node is None:
            return NO_NODE, None
        found = {"stat": node.stat()}
        if name == "getData":
            found["data"] = node.data
        if name == "getChildren2":
            found["children"] = sorted(node.children)
        return 0, found


class Watches:
    """The watches of one session, as the tree's changes take them."""

    def __init__(self):
        self.left = set()  # (path, "data" or "child")
        self.stay = {}     # path -> recursive?

    def hear(self, kind, path):
        parent = path.rsplit("/", 1)[0]
        told = []
        taken = {(path, "data")} | ({(path, "child")} if kind == DELETED else set())
        above = [path[:n] for n in range(len(path)) if path[n] == "/"]
        if self.left & taken or path in self.stay or any(self.stay.get(p) for p in above):
            told.append((kind, path))
        self.left -= taken
        if kind != CHANGED:
            if (parent, "child") in self.left or self.stay.get(parent) is False:
                told.append((CHILDREN, parent))
            self.left.discard((parent, "child"))
        return told


def _write(random_, root):
    pick = random_.choice
    path = root + pick(("/a", "/b", "/a/x", "/a/y", "/b/x", "/b/x/z"))
    name = random_.choices(("create", "create2", "delete", "setData"), (4, 2, 4, 5))[0]
    if name in ("create", "create2"):
        return name, {"path": path, "data": pick((None, b"", b"some")), "acl": OPEN, "flags": pick((0, 0, 0, 1, 2, 3))}
    return name, {"path": path, "version": pick((-1, -1, -1, 0, 1)), **({"data": pick((None, b"x", b"other"))} if name == "setData" else {})}


def _request(random_, root):
    luck = random_.random()
    if luck < 0.35:
        return _write(random_, root)
    if luck < 0.45:
        parts = [_write(random_, root) for _ in range(random_.choice((1, 2, 3)))]
        return "multi", {"parts": [*parts, ("check", {"path": root + "/a", "version": -1})][:3]}
    path = root + random_.choice(("", "/a", "/b", "/a/x", "/b/x", "/b/x/z"))
    if luck < 0.48:
        return "addWatch", {"path": path, "mode": random_.choice((0, 1))}
    return random_.choice(("exists", "getData", "getChildren2")), {"path": path, "watch": random_.random() < 0.4}


class Runner(threading.Thread):
    """One session that keeps some requests in flight. `seen`: (request, message) and (None, event) as they came."""

    def __init__(self, port, root, seed, count, persistent):
        super().__init__(daemon=True)
        self.random, self.root, self.count, self.persistent = random.Random(seed), root, count, persistent
        self.stream = zk_stream.Stream(port)
        self.seen, self.problem = [], None

    def run(self):
        try:
            sent, flying, added = 0, [], set()
            while sent < self.count or flying:
                fresh = []
                while sent < self.count and len(flying) + len(fresh) < self.random.choice((1, 4, 12)):
                    request = _request(self.random, self.root)
                    if request[0] == "addWatch":  # one mode a path: what a second one does differs by release
                        if request[1]["path"] in added or not self.persistent:
                            continue
                        added.add(request[1]["path"])
                    fresh.append(request)
                    sent += 1
                if fresh:
                    self.stream.send(fresh)
                    flying += fresh
                message = self.stream.next()
                if message.name == "closed":
                    raise ConnectionError("closed in the middle")
                self.seen.append((flying.pop(0) if message.name != "event" else None, message))
            self.stream.send([("closeSession", {})])
            while not self.seen or self.seen[-1][0] != ("close", {}):  # what comes behind that reply is nobody's
                message = self.stream.next()
                self.seen.append((("close", {}) if message.name != "event" else None, message))
        except Exception as e:
            self.problem = f"{type(e).__name__}: {e}"


def record(port, root, seed, sessions=6, count=300, persistent=True):
    """Lets the sessions run at once; (the runners, the tree as it was before). AssertionError where one did not get through.
    persistent: with addWatch, which a server before 3.9 forgets where a read watches that path too."""
    opener = zk_stream.Stream(port)
    made = opener.call("create", path=root, data=None, acl=OPEN, flags=0)
    runners = [Runner(port, root, f"{seed}/{n}", count, persistent) for n in range(sessions)]
    for r in runners:
        r.start()
    for r in runners:
        r.join(60)
    opener.call("closeSession")
    opener.close()
    for n, r in enumerate(runners):
        if r.problem or r.is_alive():
            raise AssertionError(f"session {n}: {r.problem or 'still at it after 60 s'}")
    return runners, Tree(root, made.zxid)


def run(port, root, seed, sessions=6, count=300, persistent=True):
    """`record` and `judge`: what did not hold, or None; how many replies and events were looked at."""
    runners, tree = record(port, root, seed, sessions, count, persistent)
    return judge(tree, runners)


def _plain(result):
    if isinstance(result, list):
        return [(kind, error, _plain(inner)) for kind, error, inner in result]
    if not result:
        return result
    plain = dict(result)
    if "stat" in plain:
        plain["stat"] = {k: v for k, v in plain["stat"].items() if k not in ("ctime", "mtime")}
    if "children" in plain:
        plain["children"] = sorted(plain["children"])
    return plain


WRITES = {"create", "create2", "delete", "setData", "multi", "close"}


def judge(tree, runners):
    replies, expected, watches = [], [[] for _ in runners], [Watches() for _ in runners]
    for n, r in enumerate(runners):
        last = 0
        for place, (request, message) in enumerate(r.seen):
            if request is None:
                continue
            if message.zxid < last:
                return f"session {n}: zxid {message.zxid} after {last}", 0, 0
            last = message.zxid
            # at one zxid the write comes first, then what was read there
            replies.append((message.zxid, request[0] not in WRITES, n, place, request, message))
    replies.sort(key=lambda row: row[:4])
    writes = [row[0] for row in replies if not row[1]]
    if len(set(writes)) != len(writes):
        return "two writes with one zxid", 0, 0
    for zxid, reads, n, _place, (name, fields), message in replies:
        if name == "addWatch":
            watches[n].stay[fields["path"]] = fields["mode"] == 1
            continue
        if reads:
            want = tree.read(name, fields["path"])
            if fields["watch"] and (want[0] == 0 or name == "exists"):
                watches[n].left.add((fields["path"], "child" if name == "getChildren2" else "data"))
        else:
            want = tree.write(zxid, runners[n].stream.id, name, fields)
            for kind, path in tree.changes:
                for other in range(len(runners)):
                    expected[other] += [(zxid, event) for event in watches[other].hear(kind, path)]
            if name == "close":
                watches[n] = Watches()
        got = message.error, None if message.error else _plain(message.body["parts"] if name == "multi" else message.body)
        if got != (want[0], want[1]):
            return f"session {n} at zxid {zxid}: {name} {fields} was answered {got}, the order of the writes says {want}", 0, 0
    return _judge_events(runners, expected) or (None, len(replies), sum(map(len, expected)))


def _judge_events(runners, expected):
    """Each event that had to come came once, in order, and before any reply that shows its change."""
    for n, r in enumerate(runners):
        came = 0
        for request, message in r.seen:
            if request is None:
                want = expected[n][came][1] if came < len(expected[n]) else None
                got = (message.body["type"], message.body["path"])
                same = [e for z, e in expected[n] if came < len(expected[n]) and z == expected[n][came][0]]
                if got != want and got not in same:  # inside one transaction a closing session's order is free
                    return f"session {n}: event {came} is {got}, not {want}", 0, 0
                came += 1
            elif came < len(expected[n]) and expected[n][came][0] <= message.zxid:
                return f"session {n}: {request} was answered at zxid {message.zxid} before the event {expected[n][came]}", 0, 0
        if came != len(expected[n]):
            return f"session {n}: {came} events came, not {len(expected[n])}", 0, 0
    return None
