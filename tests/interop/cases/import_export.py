"""In and out: a data directory that a real ZooKeeper left, snapshots from which one starts, backups and restores."""
import os
import re
import shutil
import struct
import tempfile
import threading

from lib import cluster, peers, proc, zk_files, zk_tree, zk_wire
from lib.context import case

RELEASES = ("3.4.14", "3.5.7", "3.6.4", "3.8.6", "3.9.5")
OPEN = {"skipACL": "yes", "extendedTypesEnabled": "true", "maxSessionTimeout": 900000}
ALONE = "a real ZooKeeper has no coordinator-admin"


def real(t, release, data):
    """An official server on that directory. It takes snapshots often, so that they are taken in the middle of writes."""
    home = cluster.ZookeeperHome(peers.zookeeper_server(release), release)
    folder = t.folder("zookeeper")
    return t.keep(cluster.Zookeeper(home, folder, t.ports.take(), {**OPEN, "preAllocSize": 64, "snapCount": 200},
                                    data=data))


def ours(t, data, **extra):
    return t.keep(cluster.Zookeeper(t.home, t.folder("ours"), t.ports.take(), {**OPEN, **extra}, data=data))


def admin(t, *words):
    return proc.run(["bash", t.home.bin("coordinator-admin.sh"), *words], timeout=120)


def write_at_once(port):
    """Four sessions over the same names, so that snapshots show the tree of no one moment."""
    def work(number):
        client = zk_tree.Client(port, 600000)
        for n in range(150):
            path = f"/busy/{(n * 7 + number) % 13}"
            client.call(1, zk_tree.create_body(path, b"%d" % n, zk_tree.EPHEMERAL if n % 5 == 0 else 0))
            client.call(1, zk_tree.create_body(path + "/below"))
            client.call(5, zk_tree.text(path) + zk_tree.buffer(b"%d" % n) + b"\xff\xff\xff\xff")
            client.call(7, zk_tree.text(path) + zk_tree.acl_bytes(((31, "digest", f"u{n % 4}:x"),)) + b"\xff\xff\xff\xff")
            client.call(2, zk_tree.text(path + "/below") + b"\xff\xff\xff\xff")
            client.call(2, zk_tree.text(path) + b"\xff\xff\xff\xff")
            if n % 40 == 20:
                client.close()
                client = zk_tree.Client(port, 600000)
        client.vanish()
    zk_tree.Client(port, 600000).make("/busy")
    threads = [threading.Thread(target=work, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


@case("there and back", each=RELEASES, ours_only="it is the one that is imported")
def there_and_back(t, release):
    data = t.folder("data")
    server = real(t, release, data).launch().wait_ready()
    owner, _other = zk_tree.write_rich_tree(server.port, tuple(map(int, release.split("."))))
    write_at_once(server.port)
    seen = zk_tree.Client(server.port)
    seen.make("/seen-last")
    server.kill()
    copy = t.folder("copy")
    shutil.copytree(data, copy, dirs_exist_ok=True)
    judge = real(t, release, copy).launch().wait_ready()
    expected = zk_tree.dump(judge.port)
    judge.kill()

    mine = ours(t, data).launch().wait_ready()
    found = zk_tree.dump(mine.port)
    t.check("every znode is as the real one has it", not zk_tree.differences(expected, found),
            zk_tree.differences(expected, found))
    # what is written in one session; of what four wrote at once some more may have stayed
    t.check("the tree is not a small one", len(expected) >= 45, len(expected))
    said = re.search(r"Imported (\d+) znodes, (\d+) sessions", mine.output())
    t.check("the log says how many", said and int(said[1]) == len(found), mine.output()[-600:])
    back = zk_wire.Session(mine.port, 30000, owner.id, owner.password)
    t.check("a session goes on with ZooKeeper's password", back.id == owner.id, (back.id, owner.id))
    t.check("and has its ephemeral", back.exists("/live/a"))
    wrong = zk_wire.Session(mine.port, 30000, _other.id, b"x" * 16)
    t.check("with another password it does not", wrong.timeout_ms == 0, wrong.timeout_ms)
    assert back.create("/of-ours") == 0
    status, out = admin(t, "check", "--server", f"127.0.0.1:{mine.port}")
    t.check("nothing in the store is wrong", status == 0 and "nothing is wrong" in out, (status, out))
    imports = mine.output().count("Imported ")
    mine.kill()
    mine.launch().wait_ready()
    t.check("a second start does not import again", zk_wire.Session(mine.port).exists("/of-ours") and
            mine.output().count("Imported ") == imports, mine.output()[-600:])
    if release == "3.4.14":
        return  # it knows no containers and no TTLs, but had none: the others show the way back
    away = os.path.join(t.folder("away"), "data")
    status, out = admin(t, "export", away, "--server", f"127.0.0.1:{mine.port}")
    t.check("export", status == 0 and "znodes" in out, (status, out))
    before = zk_tree.dump(mine.port)
    mine.kill()
    again = real(t, release, away).launch().wait_ready()
    after = zk_tree.dump(again.port)
    t.check("a real one starts from it with the same tree", not zk_tree.differences(before, after),
            zk_tree.differences(before, after))
    back = zk_wire.Session(again.port, 30000, owner.id, owner.password)
    t.check("and with the session", back.id == owner.id and back.exists("/live/a"), back.id)
    t.check("whose writes go on", back.create("/of-theirs") == 0)


@case("SIGKILL in the middle of an import, again and again", ours_only=ALONE)
def killed_import(t):
    data = t.folder("data")
    os.makedirs(os.path.join(data, "version-2"))
    znodes = zk_files.write_large_snapshot(os.path.join(data, "version-2", "snapshot.64"), 0x64, 100, 2000)
    mine = ours(t, data)
    store, unfinished = os.path.join(data, "odradek"), os.path.join(data, "odradek.import")
    killed = 0
    for _ in range(5):
        mine.launch()
        proc.wait_until(lambda: os.path.exists(unfinished) or os.path.exists(store), 20, "an import begins")
        if os.path.exists(store):
            break
        mine.kill()
        if os.path.exists(store):
            break
        killed += 1
    mine.kill()
    t.check("it was hit", killed > 0, killed)
    mine.launch().wait_ready()
    stat = zk_wire.four_letter(mine.port, "srvr")
    # the root counts twice, as in ZooKeeper's own srvr; the znodes that ZooKeeper 3.5 adds are not made
    t.check("then all of it is there", f"Node count: {znodes + 1}\n" in stat, stat)
    t.check("and nothing beside it", not os.path.exists(unfinished))


@case("data that is damaged stops the start with the place", ours_only=ALONE)
def damaged(t):
    data = t.folder("data")
    server = real(t, "3.8.6", data).launch().wait_ready()
    zk_tree.write_rich_tree(server.port, (3, 8, 6))
    server.kill()
    folder = os.path.join(data, "version-2")
    logs = sorted((n for n in os.listdir(folder) if n.startswith("log.")), key=lambda n: int(n[4:], 16))
    path = os.path.join(folder, logs[-1])
    with open(path, "r+b") as f:
        f.seek(16 + 12 + 5)
        byte = f.read(1)
        f.seek(-1, 1)
        f.write(bytes([byte[0] ^ 1]))
    mine = ours(t, data).launch()
    status = mine.wait_end()
    out = mine.output()
    line = next((l for l in out.splitlines() if l.startswith("coordinator: ")), "")
    t.check("one line with file and offset", status == 1 and f"{path} at offset 16" in line, (status, out[-800:]))
    t.check("nothing was made", not os.path.exists(os.path.join(data, "odradek")))
    judge = real(t, "3.8.6", data).launch()
    t.check("a real one does not start either", judge.wait_end(60) not in (None, 0), judge.output()[-300:])


@case("backup and restore while clients write", ours_only=ALONE)
def backup_restore(t):
    mine = ours(t, t.folder("data")).launch().wait_ready()
    where = f"127.0.0.1:{mine.port}"
    writer = zk_wire.Session(mine.port)
    assert writer.create("/n") == 0
    done, made = threading.Event(), 0

    def write():
        nonlocal made
        while not done.is_set():
            assert writer.create(f"/n/{made:06}", struct.pack(">q", made)) == 0
            made += 1
    thread = threading.Thread(target=write, daemon=True)
    thread.start()
    proc.wait_until(lambda: made > 200, 30, "writes")
    backup = os.path.join(t.folder("backup"), "one")
    status, out = admin(t, "backup", backup, "--server", where)
    at_backup = made
    t.check("a backup", status == 0, (status, out))
    proc.wait_until(lambda: made > at_backup + 100, 30, "more writes")
    done.set()
    thread.join()
    writer.call(9, zk_tree.text("/"))

    other = t.folder("other")
    status, out = admin(t, "restore", backup, "--data-dir", other)
    t.check("restored into an empty directory", status == 0, (status, out))
    second = ours(t, other).launch().wait_ready()
    there = sorted(zk_wire.Session(second.port).children("/n"))
    t.check("all that was written before, of what came later a beginning without a gap",
            200 <= len(there) <= at_backup + 5 and there == [f"{n:06}" for n in range(len(there))], len(there))
    status, out = admin(t, "check", "--server", f"127.0.0.1:{second.port}")
    t.check("nothing in it is wrong", status == 0, out)

    watcher = zk_wire.Session(mine.port, 30000)
    pid = mine.pid()
    status, out = admin(t, "restore", backup, "--server", where)
    t.check("restored while it runs", status == 0 and "Restored" in out, (status, out))
    t.check("by the same process", mine.alive() and mine.pid() == pid)
    try:
        watcher.frame()
        t.fail("clients are sent away")
    except (OSError, ConnectionError):
        t.ok("clients are sent away")
    client = zk_wire.Session(mine.port)
    t.check("the tree is the one of the backup", sorted(client.children("/n")) == there)
    gone = zk_wire.Session(mine.port, 30000, watcher.id, watcher.password)
    t.check("a session that the backup does not know is over", gone.timeout_ms == 0, gone.timeout_ms)
    status, out = admin(t, "backup", backup, "--server", where)
    t.check("a backup is not written over another", status == 1 and "not empty" in out, (status, out))


@case("what coordinator-admin refuses", ours_only=ALONE)
def refusals(t):
    status, out = admin(t, "--help")
    t.check("--help", status == 0 and "usage: coordinator-admin.sh" in out, (status, out))
    for words, text in ((("explode",), "no command"), (("export",), "wants one folder"),
                        (("check", "--server", "127.0.0.1:1"), "no coordinator answers"),
                        (("check", "--data-dir", "/nowhere"), "there is no store"),
                        (("restore", t.folder("empty"), "--server", "127.0.0.1:1"), "no whole backup")):
        status, out = admin(t, *words)
        t.check(" ".join(words[:2]), status == 1 and text in out, (status, out))
    mine = ours(t, t.folder("data")).launch().wait_ready()
    status, out = admin(t, "check", "--data-dir", mine.pairs["dataDir"])
    t.check("a store that is in use", status == 1 and "in use by another process" in out, (status, out))
    if os.geteuid() == 0:
        with tempfile.TemporaryDirectory() as open_to_all:
            os.chmod(open_to_all, 0o755)
            copy = shutil.copy(os.path.join(t.home.path, "libexec", "coordinator-admin"), open_to_all)
            status, out = proc.run(["setpriv", "--reuid=65534", "--clear-groups", copy, "check", "--server",
                                    f"127.0.0.1:{mine.port}"], timeout=30)
        t.check("another user", status == 1 and "user 65534 may not" in out, (status, out))
