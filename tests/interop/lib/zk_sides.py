"""Runs the model test's turns on one server and says what came back in words that do not depend on the server: zxids count
from the start of the run, a session is named by who made it, times are left out, sets are sorted."""
from . import zk_records as records
from . import zk_stream

AUTH_FAILED = -115
LISTS = ("children", "ephemerals", "who", "acl")  # of what auth stands for in an ACL, the order is that of a set too


class Side:
    def __init__(self, name, port, root, slots=4, timeout_ms=30000):
        self.name, self.port, self.root, self.slots, self.timeout_ms = name, port, root, slots, timeout_ms
        self.streams = {}   # slot -> the open connection
        self.sessions = {}  # slot -> (id, password, last zxid): a session that can be taken up again
        self.owners = {}    # session id -> its name
        self.made = 0
        opener = zk_stream.Stream(port, timeout_ms)
        reply = opener.call("create", path=root, data=None, acl=[(31, "world", "anyone")], flags=0)
        if reply.error != 0:
            raise AssertionError(f"{name}: {root} cannot be made: {reply}")
        self.base = reply.zxid
        self.opener = opener

    # --- a turn ---------------------------------------------------------------------------------------------------------------
    def send(self, slot, turn):
        """Starts a turn; `collect` waits for its end."""
        self.turn = (slot, turn)
        requests = [(name, self.concrete(slot, name, fields)) for name, fields in turn if name in records.OPCODES]
        self.life = [name for name, _ in turn if name not in records.OPCODES]
        self.first = [self.step(slot, name) for name in self.life]
        if requests and slot in self.streams:
            self.streams[slot].send(requests)

    def collect(self):
        """(what the turn's session saw, {other slot: its events}); replies in words, in order."""
        slot, _turn = self.turn
        seen = list(self.first)
        stream = self.streams.get(slot)
        if stream:
            seen += self.words(slot, stream.until_answered())
            if seen and seen[-1][:2] == ("auth", AUTH_FAILED):
                seen += self.words(slot, self.rest(stream))
        others = {}
        for other, quiet in self.streams.items():
            if other != slot:
                quiet.send([("ping", {})])
        for other, quiet in list(self.streams.items()):
            if other != slot:
                words = [w for w in self.words(other, quiet.until_answered()) if w[0] != "ping"]
                if words:
                    others[other] = words
        if "close" in self.life:  # the order in which a session's ephemerals go is nobody's promise
            others = {k: sorted(v, key=repr) for k, v in others.items()}
        return seen, others

    def states(self):
        return ["open" if n in self.streams else "dropped" if n in self.sessions else "none" for n in range(self.slots)]

    # --- a session's life -------------------------------------------------------------------------------------------------------
    def step(self, slot, name):
        if name == "connect":
            stream = zk_stream.Stream(self.port, self.timeout_ms)
            self.made += 1
            self.owners[stream.id] = f"session {self.made}"
            return self.opened(slot, stream, ("connect", 0 if stream.id else -1, {"timeout": stream.timeout_ms}))
        if name == "drop":
            self.remember(slot).close()
            return ("drop", 0, None)
        if name in ("attach", "takeover"):
            before = self.remember(slot) if name == "takeover" else None
            session, password, zxid = self.sessions[slot]
            stream = zk_stream.Stream(self.port, self.timeout_ms, session, password, zxid)
            ended = None
            if before:
                ended = [w for w in self.words(slot, self.rest(before))]
                before.close()
            return self.opened(slot, stream, (name, 0 if stream.id == session else -1, {"timeout": stream.timeout_ms, "before": ended}))
        if name == "wrong":
            session = self.sessions[slot][0]
            stream = zk_stream.Stream(self.port, self.timeout_ms, session, b"wrong password!!", 0)
            stream.close()
            return ("wrong", 0, {"id": stream.id, "timeout": stream.timeout_ms, "password": stream.password})
        if name == "close":
            stream = self.streams.pop(slot)
            self.sessions.pop(slot, None)
            stream.send([("closeSession", {})])
            seen = sorted(self.words(slot, self.rest(stream)), key=lambda word: (word[0] != "event", repr(word)))
            stream.close()
            return ("close", 0, seen)
        raise KeyError(name)

    def opened(self, slot, stream, words):
        if stream.id:
            self.streams[slot] = stream
            self.sessions[slot] = (stream.id, stream.password, stream.zxid)
        else:
            stream.close()
            self.sessions.pop(slot, None)
        return words

    def remember(self, slot):
        stream = self.streams.pop(slot)
        self.sessions[slot] = (stream.id, stream.password, stream.zxid)
        return stream

    @staticmethod
    def rest(stream):
        found = []
        while not found or found[-1].name != "closed":
            found.append(stream.next())
        return found

    # --- to the wire and back -----------------------------------------------------------------------------------------------------
    def concrete(self, slot, name, fields):
        made = {}
        for key, value in fields.items():
            if key == "parts":
                value = [(part, self.concrete(slot, part, inner)) for part, inner in value]
            elif key == "back":
                key, value = "zxid", max(self.streams[slot].zxid - value, 0) if slot in self.streams else 0
            elif key in ("data", "exist", "child", "persistent", "recursive") and isinstance(value, list):
                value = [self.absolute(p) for p in value]
            elif key == "path":
                value = self.absolute(value)
            made[key] = value
        return made

    def absolute(self, path):
        return self.root + path[1:] if path.startswith("~") else path

    def shown(self, path):
        return "~" + path[len(self.root):] if path is not None and (path + "/").startswith(self.root + "/") else path

    def zxid(self, zxid):
        return zxid - self.base if zxid > self.base else min(zxid, 0)

    def words(self, slot, messages):
        found = []
        for m in messages:
            if m.name == "closed":
                self.streams.pop(slot, None)
                found.append(("closed", 0, None))
            elif m.name == "event":
                found.append(("event", m.error, {**m.body, "path": self.shown(m.body["path"])}))
            else:
                body = self.body(m.body) if m.error == 0 else None  # what 3.8 sends behind an error, 3.9 does not
                found.append((m.name, m.error, body, self.zxid(m.zxid)))
                if slot in self.sessions and slot in self.streams:
                    session, password, _ = self.sessions[slot]
                    self.sessions[slot] = (session, password, self.streams[slot].zxid)
        return found

    def body(self, body):
        made = {}
        for key, value in body.items():
            if key == "stat":
                value = self.stat(value)
            elif key == "path":
                value = self.shown(value)
            elif key == "parts":
                value = [(kind, error, self.body(inner)) for kind, error, inner in value]
            elif key == "ephemerals":
                value = sorted(self.shown(p) for p in value)
            elif key in LISTS:
                value = sorted(value)
            made[key] = value
        return made

    def stat(self, stat):
        made = dict(stat)
        for key in ("czxid", "mzxid", "pzxid"):
            made[key] = self.zxid(stat[key])
        made["ephemeralOwner"] = self.owners.get(stat["ephemeralOwner"], stat["ephemeralOwner"])
        made["times"] = stat["ctime"] <= stat["mtime"]  # the clock itself is not compared
        del made["ctime"], made["mtime"]
        return made

    def end(self):
        """Closes what is open, so that the next run finds no ephemerals and no watches of this one."""
        for slot, (session, password, zxid) in list(self.sessions.items()):
            stream = self.streams.get(slot) or zk_stream.Stream(self.port, self.timeout_ms, session, password, zxid)
            if stream.id:
                stream.call("closeSession")
            stream.close()
        self.opener.call("closeSession")
        self.opener.close()
