"""The real coordinator killed under load again and again, stopped for longer than time-outs, and on a full disk.

Writers note what was acknowledged to them; a reader looks for all of it afterwards."""
import os
import re
import signal
import struct
import subprocess
import threading

from lib import proc, zk_wire
from lib.context import case
from lib.report import Timer

CREATE, SET_DATA, MULTI, PING = 1, 5, 14, 11
EPHEMERAL, SEQUENTIAL = 1, 2
OPEN_ACL = struct.pack(">ii", 1, 31) + zk_wire.text("world") + zk_wire.text("anyone")
WINDOW = 16  # requests of one writer on the way


def create_body(path, data=b"", flags=0):
    return zk_wire.text(path) + struct.pack(">i", len(data)) + data + OPEN_ACL + struct.pack(">i", flags)


def set_body(path, data):
    return zk_wire.text(path) + struct.pack(">i", len(data)) + data + struct.pack(">i", -1)


def multi_body(parts):
    return b"".join(struct.pack(">i?i", op, False, -1) + body for op, body in parts) + struct.pack(">i?i", -1, True, -1)


def path_of(payload):
    return payload[4:4 + struct.unpack_from(">i", payload)[0]].decode()


class Writer(threading.Thread):
    """One session that writes without a pause and comes back whenever the server does."""

    def __init__(self, port, number):
        super().__init__(daemon=True)
        self.port, self.number = port, number
        self.root = f"/load/w{number}"
        self.session = None
        self.acknowledged = []      # (kind, what) in the order of the replies
        self.count = 0
        self.zxid = 0
        self.problems = []
        self.ended = threading.Event()

    def run(self):
        try:
            while not self.ended.is_set():
                try:
                    self.connect()
                    while not self.ended.is_set():
                        self.window()
                except (OSError, ConnectionError, struct.error):
                    pass  # killed: again
        except Exception as e:  # a thread's exception would be lost
            self.problems.append(f"{type(e).__name__}: {e}")

    def connect(self):
        old = self.session
        if not old:
            self.session = zk_wire.Session(self.port, 20000)
            self.session.create(self.root + "/e", b"", EPHEMERAL)
            return
        new = zk_wire.Session(self.port, 20000, old.id, old.password)
        if new.id != old.id:
            self.problems.append(f"session 0x{old.id:x} is gone after a restart")
            self.ended.set()
            return
        self.session = new

    def window(self):
        asked, out = [], b""
        for _ in range(WINDOW):
            self.count += 1
            n, root = self.count, self.root
            kind = ("create", "set", "sequential", "multi")[n % 4]
            if kind == "create":
                op, body = CREATE, create_body(f"{root}/c{n}", str(n).encode())
            elif kind == "set":
                op, body = SET_DATA, set_body(f"{root}/s", str(n).encode())
            elif kind == "sequential":
                op, body = CREATE, create_body("/load/q/n-", root.encode(), SEQUENTIAL)
            else:
                op, body = MULTI, multi_body([(CREATE, create_body(f"{root}/m{n}a")), (CREATE, create_body(f"{root}/m{n}b")),
                                              (SET_DATA, set_body(f"{root}/ms", str(n).encode()))])
            self.session.xid += 1
            asked.append((self.session.xid, kind, n))
            body = struct.pack(">ii", self.session.xid, op) + body
            out += struct.pack(">i", len(body)) + body
        self.session.socket.sendall(out)
        for xid, kind, n in asked:
            frame = self.session.frame()
            got, zxid, error = struct.unpack_from(">iqi", frame)
            if got != xid or error:
                self.problems.append(f"{kind} {n}: reply to {got} for {xid}, error {error}")
            if zxid <= self.zxid:
                self.problems.append(f"zxid 0x{zxid:x} behind 0x{self.zxid:x}")
            self.zxid = zxid
            self.acknowledged.append((kind, path_of(frame[16:]) if kind == "sequential" else n))


def check_writer(t, reader, w, final):
    """What one writer was told stands in the tree."""
    missing, half = [], []
    names = set(reader.children(w.root))
    for kind, n in w.acknowledged:
        if kind == "create" and f"c{n}" not in names:
            missing.append(f"c{n}")
        if kind == "multi" and not {f"m{n}a", f"m{n}b"} <= names:
            missing.append(f"m{n}")
    for name in names:
        found = re.fullmatch(r"m(\d+)([ab])", name)
        if found and f"m{found[1]}{'b' if found[2] == 'a' else 'a'}" not in names:
            half.append(name)
    t.check(f"writer {w.number}: {len(w.acknowledged)} acknowledged writes, none is lost", not missing, missing[:20])
    t.check(f"writer {w.number}: every multi is whole or absent", not half, half[:20])
    for name, kind in (("s", "set"), ("ms", "multi")):
        last = max([n for k, n in w.acknowledged if k == kind], default=0)
        t.check(f"writer {w.number}: the last {kind} stands", int(reader.get(f"{w.root}/{name}") or 0) >= last,
                (reader.get(f"{w.root}/{name}"), last))
    t.check(f"writer {w.number}: nothing went back, no session was lost", not w.problems, w.problems[:5])
    if final:
        t.check(f"writer {w.number}: its ephemeral is there", reader.exists(w.root + "/e"))


@case("kill -9 again and again under load: nothing acknowledged is lost")
def kill_loop(t):
    own = t.new_cluster()
    zk = own.zk.launch().wait_ready()
    first = zk_wire.Session(zk.port)
    for path in ("/load", "/load/q"):
        first.create(path)
    writers = [Writer(zk.port, n) for n in range(4)]
    for w in writers:
        first.create(w.root)
        first.create(w.root + "/s")
        first.create(w.root + "/ms")
    first.close()
    rounds, step = (2, 200) if t.home.apache else (8, 600)
    try:
        for w in writers:
            w.start()
        for n in range(rounds):
            before = sum(len(w.acknowledged) for w in writers)
            proc.wait_until(lambda: sum(len(w.acknowledged) for w in writers) >= before + step + 37 * n or
                            any(w.problems for w in writers), 40, f"{step} more writes are acknowledged in round {n}")
            zk.kill()
            zk.launch().wait_ready()
    finally:
        for w in writers:
            w.ended.set()
        for w in writers:
            w.join(30)
    t.check("every writer came to its end", not any(w.is_alive() for w in writers))
    reader = zk_wire.Session(zk.port)
    for w in writers:
        check_writer(t, reader, w, final=True)
    given = [name for w in writers for kind, name in w.acknowledged if kind == "sequential"]
    there = set(reader.children("/load/q"))
    t.check(f"{len(given)} sequential names, none was given twice", len(set(given)) == len(given))
    t.check("and all are there", all(name.rsplit("/", 1)[1] in there for name in given))
    reader.close()


class Pinger(threading.Thread):
    """A session that only lives: a ping each third of its time-out. Notes what it hears."""

    def __init__(self, session):
        super().__init__(daemon=True)
        self.session, self.ended, self.lost = session, threading.Event(), None

    def run(self):
        try:
            while not self.ended.wait(self.session.timeout_ms / 3000):
                self.session.socket.sendall(struct.pack(">iii", 8, -2, PING))
                self.session.frame()
        except (OSError, ConnectionError, struct.error) as e:
            self.lost = f"{type(e).__name__}: {e}"


@case("a coordinator that was stopped for longer than a time-out expires nobody",
      ours_only="ZooKeeper expires those whose pings its own pause kept from it")
def stopped(t):
    own = t.new_cluster(zk_extra={"tickTime": 500, "minSessionTimeout": 1000})
    zk = own.zk.launch().wait_ready()
    sessions = [zk_wire.Session(zk.port, 1000 + 300 * n) for n in range(5)]
    for n, session in enumerate(sessions):
        t.require(f"session {n}: an ephemeral", session.create(f"/e{n}", b"", EPHEMERAL) == 0)
        session.socket.settimeout(15)
    pingers = [Pinger(s) for s in sessions]
    for p in pingers:
        p.start()
    reader = zk_wire.Session(zk.port, 30000)
    pid = zk.pid()
    try:
        for pause in (0.3, 0.7, 1.1, 1.5, 1.9, 0.5, 0.9, 3.0):
            os.kill(pid, signal.SIGSTOP)
            try:
                clock = Timer()
                proc.wait_until(lambda: clock.seconds() >= pause, 10, "the pause is over")
            finally:
                os.kill(pid, signal.SIGCONT)
            clock = Timer()
            proc.wait_until(lambda: clock.seconds() >= 1.2, 10, "time for an unfair expiry")
            t.check(f"after a pause of {pause} s every ephemeral is there",
                    all(reader.exists(f"/e{n}") for n in range(5)), [reader.exists(f"/e{n}") for n in range(5)])
        t.check("and every connection", not any(p.lost for p in pingers), [p.lost for p in pingers])
    finally:
        for p in pingers:
            p.ended.set()
    proc.wait_until(lambda: not any(reader.exists(f"/e{n}") for n in range(5)), 20, "those that are silent now expire")
    t.ok("whoever is silent expires as ever")
    reader.close()


@case("a full disk under the coordinator", ours_only="Apache ZooKeeper ends with a stack trace")
def disk_full(t):
    where = t.folder("tmpfs")
    made = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=40m", "interop", where], capture_output=True, text=True)
    if made.returncode != 0:
        t.skip(f"a tmpfs cannot be mounted here: {made.stderr.strip()}")
    try:
        own = t.new_cluster(zk_extra={"dataDir": os.path.join(where, "data")})
        zk = own.zk.launch().wait_ready()
        session = zk_wire.Session(zk.port, 30000)
        session.create("/full")
        with open(os.path.join(where, "ballast"), "wb") as f:
            f.write(b"\0" * (22 << 20))
        value, count = os.urandom(400000), 0
        try:
            while count < 200 and session.create(f"/full/{count}", value) == 0:
                count += 1
        except (OSError, ConnectionError, struct.error):
            pass
        t.require("writes end when the disk is full", 5 < count < 200, count)
        status = zk.wait_end(20)
        t.check("the coordinator ends with a status that is not 0", status not in (None, 0), status)

        def words(since):
            lines = [x for x in zk.output()[since:].splitlines() if "free space" in x and where in x]
            t.check("and says in one line where there is no room", lines, zk.output()[since:][-1500:])
        words(0)
        said = len(zk.output())
        with open(os.path.join(where, "more"), "wb", buffering=0) as f:  # what a buffer held would fail again at its end
            try:
                while True:
                    f.write(b"\0" * 4096)
            except OSError:
                pass
        zk.launch()
        if zk.wait_end(20) is None:
            t.check("started again it serves, or refuses in words", zk.answers())
            zk.kill()
        else:
            words(said)
        os.remove(os.path.join(where, "more"))
        os.remove(os.path.join(where, "ballast"))
        zk.launch().wait_ready()
        reader = zk_wire.Session(zk.port)
        wrong = [n for n in range(count) if reader.get(f"/full/{n}") != value]
        t.check(f"with room again all {count} acknowledged znodes are there", not wrong, wrong)
        t.check("and writes go on", reader.create("/full/again", value) == 0)
        reader.close()
    finally:
        t.end_case()
        subprocess.run(["umount", where], capture_output=True)


@case("a damaged store is refused by the file's name", ours_only="the files are ours")
def damaged(t):
    own = t.new_cluster()
    zk = own.zk.launch().wait_ready()
    session = zk_wire.Session(zk.port)
    for n in range(200):
        session.create(f"/n{n}", os.urandom(500))
    zk.kill()
    folder = os.path.join(own.zk.pairs["dataDir"], "odradek")
    name = max(n for n in os.listdir(folder) if n.endswith(".log"))
    path = os.path.join(folder, name)
    with open(path, "r+b") as f:
        f.seek(20000)
        byte = f.read(1)
        f.seek(20000)
        f.write(bytes([byte[0] ^ 4]))
    status = zk.launch().wait_end(20)
    t.check("it does not start", status not in (None, 0), status)
    t.check("one line names the file and the remedy", any(path in x and "restore" in x for x in zk.output().splitlines()),
            zk.output()[-1500:])
    with open(path, "r+b") as f:
        f.seek(20000)
        f.write(byte)
    zk.launch().wait_ready()
    reader = zk_wire.Session(zk.port)
    t.check("mended it starts with all of it", all(reader.exists(f"/n{n}") for n in range(200)))
    reader.close()
