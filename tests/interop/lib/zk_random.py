"""What the model test asks: a seeded stream of turns. A turn is what one session does before anybody else does something:
a few requests in one write, or a step of its life (connect, drop, attach, close). Names are few, so that sessions meet.

Paths are written with '~' for the root of the run, so that a script can be run again elsewhere. What exists is followed
by the replies (`learn`), so that most requests find their znode and some do not."""
import base64
import hashlib
import random

WORLD = [(31, "world", "anyone")]
USERS = ("ann:pass", "bob:word", "super:admin")


def digest(user):
    return user.split(":")[0] + ":" + base64.b64encode(hashlib.sha1(user.encode()).digest()).decode()


SUPER = digest("super:admin")  # what a server's superDigest has to be

NAMES = ("a", "b", "c", "d")
LASTS = ("a", "b", "c", "d", "s-", "", "e")
BAD_PATHS = ("", "relative", "~/a/", "~//a", "~/./a", "~/../a", "~/a\x01", "~/a\x00b", "~/a\x9f", "~/\ue000", "~/\ufff1",
             "/", "/zookeeper", "/zookeeper/quota", "~/..", "~/a/.")
ACLS = (
    (WORLD, 60), ([(1, "world", "anyone")], 3), ([(15, "world", "anyone")], 3), ([(30, "world", "anyone")], 2),
    ([(0, "world", "anyone")], 1), ([(31, "auth", "")], 4), ([(1, "world", "anyone"), (31, "auth", "")], 3),
    ([(31, "digest", digest("ann:pass"))], 3), ([(17, "digest", digest("ann:pass")), (1, "digest", digest("bob:word"))], 2),
    ([(31, "digest", digest("bob:word")), (1, "world", "anyone")], 2), ([(31, "ip", "127.0.0.1")], 3),
    ([(31, "ip", "127.0.0.0/8")], 1), ([(31, "ip", "10.0.0.0/8")], 1), ([(31, "ip", "10.0.0.0/99")], 1),
    ([(31, "world", "anyone"), (31, "world", "anyone")], 1), ([], 1), (None, 1), ([(31, "world", "else")], 1),
    ([(31, "nobody", "knows")], 1), ([(31, "digest", "no-colon")], 1), ([(64, "world", "anyone")], 1),
    ([(31, "ip", "not-an-address")], 1))

# how often a turn's request is what
WEIGHTS = {
    "create": 16, "create2": 8, "createContainer": 4, "createTTL": 4, "delete": 16, "setData": 14, "getData": 12, "exists": 10,
    "getChildren": 8, "getChildren2": 6, "getACL": 4, "setACL": 5, "multi": 12, "multiRead": 4, "sync": 2, "addWatch": 8,
    "removeWatches": 5, "checkWatches": 4, "setWatches": 2, "setWatches2": 2, "getEphemerals": 3, "getAllChildrenNumber": 4,
    "whoAmI": 1, "ping": 1}
LIFE = {"auth": 10, "close": 10, "drop": 8, "takeover": 6}  # of one turn in twelve


class Script:
    def __init__(self, seed, slots=4, without=()):
        self.random = random.Random(seed)
        self.slots = slots
        self.states = ["none"] * slots  # none, open, dropped
        self.known = {}                 # path -> the last version heard of
        self.weights = {k: v for k, v in WEIGHTS.items() if k not in without}
        self.life = {k: v for k, v in LIFE.items() if k not in without}

    def _pick(self, weighted):
        return self.random.choices(list(weighted), list(weighted.values()))[0]

    # --- a turn ---------------------------------------------------------------------------------------------------------------
    def turn(self):
        slot = self.random.randrange(self.slots)
        state = self.states[slot]
        if state == "none":
            return slot, [("connect", {})]
        if state == "dropped":
            if self.random.random() < 0.5:  # the others go on for a while
                open_slots = [n for n in range(self.slots) if self.states[n] == "open"]
                if open_slots:
                    return self.random.choice(open_slots), self.requests()
            # With a wrong password only where nobody is connected: ZooKeeper ends the session's connection for it, soon or late.
            if self.random.random() < 0.1:
                return slot, [("wrong", {})]
            name = "setWatches2" if "setWatches2" in self.weights else "setWatches"
            return slot, [("attach", {}), (name, self.watch_lists(name == "setWatches2"))]
        if self.life and self.random.random() < 1 / 12:
            return slot, [self.life_step()]
        return slot, self.requests()

    def life_step(self):
        step = self._pick(self.life)
        if step == "auth":
            kind = self.random.random()
            if kind < 0.85:
                return "auth", {"scheme": "digest", "auth": self.random.choice(USERS[:2] * 3 + USERS[2:])}
            return "auth", self.random.choice(({"scheme": "digest", "auth": "no-colon"}, {"scheme": "nobody", "auth": "x"},
                                               {"scheme": "ip", "auth": "1.2.3.4"}, {"scheme": "world", "auth": "anyone"}))
        return step, {}

    def requests(self):
        turn = []
        for _ in range(self.random.choice((1, 1, 1, 2, 3, 6))):
            turn.append(self.request(self._pick(self.weights)))
            if turn[-1][0] == "setACL":  # what follows close behind it ZooKeeper judges by the old ACL or by the new one
                break
        return turn

    # --- a request --------------------------------------------------------------------------------------------------------------
    def path(self, existing=0.75):
        luck = self.random.random()
        if luck < 0.02 and existing < 1:
            return self.random.choice(BAD_PATHS)
        if luck < existing and self.known:
            return self.random.choice(sorted(self.known))
        return "~" + "".join("/" + self.random.choice(NAMES) for _ in range(self.random.choice((0, 1, 1, 2, 2, 3))))

    def new_path(self):
        parents = [p for p in sorted(self.known) if p.count("/") < 4] if self.random.random() < 0.9 else []
        parent = self.random.choice(parents) if parents else self.path(0)
        if self.random.random() < 0.02:
            return self.random.choice(BAD_PATHS)
        return f"{parent}/{self.random.choice(LASTS)}"

    def version(self, path, known=True):
        luck = self.random.random()
        if luck < 0.6:
            return -1
        return self.known.get(path, 0) if luck < 0.9 and known else self.random.choice((0, 1, 2, 7, -2))

    def data(self):
        return self.random.choice((None, b"", b"x", b"some", b"more bytes", bytes(range(0, 256, 17))))

    def acl(self):
        return self.random.choices([a for a, _ in ACLS], [w for _, w in ACLS])[0]

    def create(self, name):
        fields = {"path": self.new_path(), "data": self.data(), "acl": self.acl()}
        if name == "createContainer":
            fields["flags"] = self.random.choices((4, 0, 2), (40, 1, 1))[0]
        elif name == "createTTL":
            fields["flags"] = self.random.choices((5, 6, 0, 1), (20, 20, 1, 1))[0]
            fields["ttl"] = self.random.choices((10 ** 9, 0xffffffffff, 0x10000000000, 0, -1), (40, 2, 1, 1, 1))[0]
            if fields["flags"] < 5:  # no TTL of this is looked at before it is applied: see below
                fields["ttl"] = 10 ** 9
        else:
            # Not 5 and 6, which want a TTL: ZooKeeper 3.8.4 writes a transaction that it cannot apply, and ends.
            fields["flags"] = self.random.choices((0, 1, 2, 3, 4, 9, -1), (50, 20, 20, 20, 2, 1, 1))[0]
        return fields

    def watch_lists(self, persistent):
        kinds = ("data", "exist", "child") + (("persistent", "recursive") if persistent else ())
        lists = {kind: sorted({self.path(0.6) for _ in range(self.random.choice((0, 0, 1, 2)))}) for kind in kinds}
        return {"back": self.random.choice((0, 0, 1, 3, 10, 10 ** 6)), **lists}

    def request(self, name, inside=False):
        pick = self.random.choice
        if name in ("create", "create2", "createContainer", "createTTL"):
            fields = self.create(name)
            if inside and fields["acl"] is None:
                fields["acl"] = []
            return name, fields
        if name in ("delete", "setData", "check", "setACL"):
            path = self.path(0.9)
            fields = {"path": path, "version": self.version(path, known=name != "setACL")}
            if name == "setData":
                fields["data"] = self.data()
            if name == "setACL":
                fields["path"] = path if path.startswith("~") else self.path(1)  # the root's would stay for the next run
                fields["acl"] = self.acl()
            return name, fields
        if name in ("exists", "getData", "getChildren", "getChildren2"):
            return name, {"path": self.path(0.8), "watch": self.random.random() < 0.5}
        if name == "multi":
            # a null ACL there is none of ZooKeeper's errors but its own null pointer
            kinds = {"create": 6, "create2": 3, "createContainer": 1, "createTTL": 1, "delete": 5, "setData": 4, "check": 4}
            return name, {"parts": [self.request(self._pick({k: v for k, v in kinds.items() if k in self.weights or k == "check"}), True)
                                    for _ in range(pick((0, 1, 2, 2, 3, 3, 4, 6)))]}
        if name == "multiRead":
            return name, {"parts": [self.request(pick(("getData", "getChildren")), True) for _ in range(pick((0, 1, 2, 3, 5)))]}
        if name == "addWatch":
            return name, {"path": self.path(0.7), "mode": self.random.choices((0, 1, 2), (10, 10, 1))[0]}
        if name in ("removeWatches", "checkWatches"):
            return name, {"path": self.path(0.9), "type": self.random.choices((1, 2, 3, 0, 6), (10, 10, 10, 1, 1))[0]}
        if name in ("setWatches", "setWatches2"):
            return name, self.watch_lists(name == "setWatches2")
        if name in ("ping", "whoAmI"):
            return name, {}
        if name == "getEphemerals":
            return name, {"path": pick(("~", "~/a", self.path(0.9), "/"))}
        fields = {"path": self.path(0.85)}  # getACL, sync, getAllChildrenNumber
        if name == "getAllChildrenNumber" and fields["path"] == "":
            fields["path"] = "/"  # by its other name ZooKeeper's root counts itself as well
        return name, fields

    # --- what the replies tell -----------------------------------------------------------------------------------------------------
    def learn(self, states, turn, replies):
        """states: of the slots, see above; turn: what was sent; replies: (name, error, body) in the same order, paths with '~'."""
        self.states = states
        for (name, fields), (_reply, error, body) in zip(turn, replies):
            if name == "multi" and error == 0:
                for (part, asked), (_kind, failed, result) in zip(fields["parts"], body["parts"]):
                    self._learn_one(part, asked, failed, result)
            else:
                self._learn_one(name, fields, error, body)

    def _learn_one(self, name, fields, error, body):
        path = fields.get("path")
        if path is None or not path.startswith("~"):
            return
        if error == 0 and body and "path" in body and name.startswith("create"):
            self.known[body["path"]] = 0
        elif error == 0 and name == "delete" or error == -101:
            if path != "~":
                self.known.pop(path, None)
        elif error == 0 and body and "stat" in body:
            self.known[path] = body["stat"]["version"]
