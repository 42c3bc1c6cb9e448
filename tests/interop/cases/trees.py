"""ZooKeeper's clients: kazoo, the C client, zkCli and our own frames read, write and watch the tree."""
import os
import re
import struct
import subprocess
import threading

from lib import cluster, jvm, peers, proc, zk_wire
from lib.context import case
from lib.report import Timer


@case("kazoo")
def kazoo(t):
    status, out = proc.run([peers.python(), os.path.join(peers.CLIENTS, "python", "kazoo_tree.py"), t.cluster.zk_address], timeout=120)
    t.report.client_lines("kazoo_tree.py", status, out)


@case("the C client")
def c_client(t):
    program = peers.c_program("zk_tree.c", "-lzookeeper_mt", "-lpthread")
    status, out = proc.run([program, t.cluster.zk_address], timeout=60)
    t.report.client_lines("zk_tree", status, out)


@case("zkCli of ZooKeeper 3.8")
def zk_cli(t):
    vm = t.keep(jvm.Jvm(peers.zookeeper(), t.scratch, ["Driver.java"]))
    main = vm.mains["zookeeper-shell.sh"]
    script = """create /cli first
get /cli
set /cli second
get -s /cli
create -s /cli/seq- x
create -e /cli/eph y
ls /cli
stat /cli
getAcl /cli
get -w /cli
set /cli third
delete /cli/eph
create /cli/sub
create /cli/sub/deep z
deleteall /cli
ls /
version
quit
"""
    status, out = vm.run(main, ["-server", t.cluster.zk_address], stdin=script, timeout=60)
    t.check("ends with 0", status == 0, (status, out))
    for name, pattern in (("create", r"Created /cli\b"), ("get", r"(?m)^first$"), ("set", r"(?m)^second$"),
                          ("get -s", r"dataVersion = 1"), ("a sequential node", r"Created /cli/seq-0000000000"),
                          ("ls", r"\[eph, seq-0000000000\]"), ("stat", r"numChildren = 2"),
                          ("getAcl", r"'world,'anyone\s*\n: cdrwa"), ("a watch fires", r"NodeDataChanged path:/cli")):
        t.check(name, re.search(pattern, out), out)
    t.check("deleteall", "cli" not in (re.findall(r"(?m)^\[.*\]$", out) or ["cli"])[-1], out)
    status, out = vm.run(main, ["-server", t.cluster.zk_address, "ls", "/brokers/ids"], timeout=30)
    t.check("one-shot", status == 0 and "[0]" in out, (status, out))


def get_data(path, watch):
    return zk_wire.text(path) + struct.pack(">?", watch)


@case("an event comes before the reply that shows the change, replies in order, zxids never back")
def order(t):
    writer, reader = zk_wire.Session(t.cluster.zk.port), zk_wire.Session(t.cluster.zk.port)
    path, rounds = "/" + t.unique("order"), 60
    assert writer.create(path, struct.pack(">q", 0)) == 0
    done = threading.Event()

    def write():
        for n in range(1, rounds + 1):
            writer.set(path, struct.pack(">q", n))
        done.set()
    thread = threading.Thread(target=write, daemon=True)
    thread.start()
    shown, events, late, backwards, xids, last_zxid = 0, 0, 0, 0, 0, 0
    armed_at = None  # the value seen by the read that set the watch; a newer value may only follow an event
    reader.socket.settimeout(20)
    while not (done.is_set() and shown == rounds):
        first = xids
        for _ in range(20):
            xids += 1
            body = get_data(path, True)
            reader.socket.sendall(struct.pack(">iii", len(body) + 8, xids, 4) + body)
        while first < xids:
            frame = reader.frame()
            xid, zxid, _error = struct.unpack_from(">iqi", frame)
            if xid == -1:
                events += 1
                armed_at = None
                continue
            assert xid == first + 1, (xid, first)
            first = xid
            value = struct.unpack_from(">q", frame, 20)[0]
            backwards += zxid < last_zxid or value < shown
            last_zxid = max(last_zxid, zxid)
            late += armed_at is not None and value > armed_at
            shown = max(shown, value)
            armed_at = value if armed_at is None else armed_at
    thread.join()
    t.check("no reply showed a change before its event", late == 0, (late, events))
    t.check("events came", events > 0)
    t.check("neither zxid nor value went back", backwards == 0, backwards)
    for s in (reader, writer):
        s.close()


@case("a session: expiry, taken up from another connection, a wrong password")
def session_life(t):
    port = t.cluster.zk.port
    short = zk_wire.Session(port, timeout_ms=4000)
    t.check("the time-out that was asked for is given", 4000 <= short.timeout_ms <= 6000, short.timeout_ms)
    assert short.create("/short-lived", flags=1) == 0
    other = zk_wire.Session(port)
    again = zk_wire.Session(port, timeout_ms=4000, session=short.id, password=short.password)
    t.check("taken up with its password", again.id == short.id and again.call(3, get_data("/short-lived", False))[0] == 0, again.id)
    t.check("the ephemeral node lives", other.call(3, get_data("/short-lived", False))[0] == 0)
    wrong = zk_wire.Session(port, session=short.id, password=b"x" * 16)
    t.check("with a wrong password it is not", wrong.id == 0 or wrong.id != short.id, wrong.id)
    t.check("and that did it no harm", again.call(3, get_data("/short-lived", False))[0] == 0)

    def gone():
        return other.call(3, get_data("/short-lived", False))[0] == -101
    t.check("it lives while it is heard of", not gone())
    clock = Timer()
    proc.wait_until(gone, 15, "the silent session expires")
    t.check("and expires when it is silent", 2 < clock.seconds() < 12, clock.seconds())
    late = zk_wire.Session(port, session=short.id, password=short.password)
    t.check("an expired one is not given back", late.id != short.id or late.timeout_ms == 0, (late.id, late.timeout_ms))
    other.close()


@case("sessions survive a restart of the server", ours_only="ZooKeeper expires them by its own clock, which takes longer")
def sessions(t):
    own = t.new_cluster()
    own.zk.launch().wait_ready()
    watcher = proc.spawn([peers.python(), "-u", os.path.join(peers.CLIENTS, "python", "kazoo_session.py"), own.zk_address],
                         stderr=subprocess.DEVNULL)
    def expect(word):
        line = watcher.stdout.readline().decode().strip()
        t.require(word, line == word, line)
    expect("connected")
    own.zk.kill()
    expect("suspended")
    own.zk.launch().wait_ready()
    expect("the same session again")
    expect("its ephemeral node is there")
    expect("its watch still fires")
    watcher.wait(20)


@case("an Apache Kafka 3.5.2 broker runs on the coordinator as its plain ZooKeeper", ours_only="it does so every day")
def apache_broker(t):
    own = t.new_cluster()
    own.zk.launch().wait_ready()
    apache = cluster.Home(peers.kafka("3.5.2"))
    broker = cluster.Broker(apache, t.folder("apache"), t.ports.take(), f"127.0.0.1:{own.zk.port}/apache")
    own.broker = broker
    broker.launch().wait_ready(90)
    t.ok("it registers and answers")
    own.create_topic("on-ours", 2)
    with broker.connection() as c:
        from lib import kafka_wire as wire
        t.check("its own controller leads: topics work", c.produce("on-ours", 1, wire.batch([b"x"]))[0] == 0)
        t.check("and go again", c.delete_topic("on-ours") == 0)
    own.wait_gone("on-ours", 40)
    t.check("it stops cleanly", broker.stop(60) in (0, 143, -15))


@case("zookeeper-shell at a terminal: history and completion", ours_only="the official one needs JLine for it")
def terminal(t):
    import pty
    import select
    import time
    pid, fd = pty.fork()
    if pid == 0:
        os.environ[proc.MARK] = proc.RUN_ID
        os.environ["TERM"] = "xterm"
        os.environ["HOME"] = t.scratch
        os.execvp("bash", ["bash", t.home.bin("zookeeper-shell.sh"), t.cluster.zk_address])
    seen = ""

    def until(word, seconds=15):
        nonlocal seen
        end = time.monotonic() + seconds
        start = len(seen)
        while word not in seen[start:] and time.monotonic() < end:
            if select.select([fd], [], [], 0.2)[0]:
                try:
                    seen += os.read(fd, 65536).decode("utf-8", "replace")
                except OSError:
                    break
        return word in seen[start:]
    t.check("a prompt", until("] "), seen)
    os.write(fd, b"ls /brok\t")
    t.check("a path is completed", until("ers"), seen)
    os.write(fd, b"\n")
    t.check("and listed", until("[ids, seqid, topics]"), seen)
    os.write(fd, b"\x1b[A\n")
    t.check("the last line comes back by the arrow key", until("[ids, seqid, topics]"), seen)
    os.write(fd, b"quit\n")
    try:
        proc.wait_until(lambda: os.waitpid(pid, os.WNOHANG)[0] == pid, 10, "quit ends it")
        t.ok("quit ends it")
    finally:
        os.close(fd)
