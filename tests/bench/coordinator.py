"""The coordinator beside ZooKeeper 3.8.0: one server each, on one disk, every write synced before its reply."""
import os
import shutil
import time

from figures import OfficialHome, cpu, load, program
from lib import cluster, peers, proc
from lib.report import note

THEIRS = "ZooKeeper 3.8.0"
SESSIONS = (1, 16, 256)
PIPELINED = 32
BYTES = 100       # random: nothing of them compresses
MOST = 200000     # operations of one short load, so that the trees of both stay small
START = ("zookeeper-server-start.sh",)


def run(options, scratch, ports):
    loader = program("zk_load.c")
    shell = os.path.join(options.home, "bin", "zookeeper-shell.sh")  # the same client for both
    homes = []
    if options.only != "theirs":
        homes.append(cluster.Home(options.home, START))
    if options.only != "ours":
        homes.append(OfficialHome(options.reference or peers.zookeeper("3.8.0"), START))
    figures = {True: {}, False: {}}
    for part in (operations, large_tree):
        for home in homes:
            note(f"{THEIRS if home.apache else 'Odradek'}: {part.__name__}")
            folder = os.path.join(scratch, part.__name__)
            server = cluster.Zookeeper(home, folder, ports.take(), {"maxSessionTimeout": 60000})
            try:
                part(server, options, Loader(loader, server.port), shell, figures[home.apache])
            finally:
                server.stop()
                shutil.rmtree(folder, ignore_errors=True)
    return figures[False], figures[True]


class Loader:
    """The load program on one server; creates never name a znode twice."""

    def __init__(self, path, port):
        self.path, self.port, self.made = path, port, 0

    def __call__(self, op, sessions, depth, count):
        first = [self.made] if op in ("create", "fill") else []
        if first:
            self.made += count
        return load(self.path, self.port, op, sessions, depth, count, BYTES, *first)


def operations(server, options, loader, _shell, rows):
    server.launch().wait_ready()
    pid = server.pid()
    time.sleep(3)
    rows["resident, empty tree, MB"] = proc.rss_kb(pid) / 1024
    loader("create", 1, PIPELINED, 1000)  # what set and get choose from
    for op in ("create", "set", "get"):
        for sessions in SESSIONS:
            for depth in (1, PIPELINED):
                label = f"{op}, {sessions} sessions" + (f", {depth} in flight each" if depth > 1 else "")
                probe = loader(op, sessions, depth, 4000)  # how many the time allows; and a JVM warms up
                count = int(max(4000, min(MOST, 4000 / probe[1] * options.seconds)))
                before = cpu(pid)
                done, seconds, _p50, p99, _longest, client = loader(op, sessions, depth, count)
                rows[f"{label}: per s"] = done / seconds
                rows[f"{label}: p99, ms"] = p99
                rows[f"{label}: CPU s per 100,000"] = (cpu(pid) - before) / done * 100000
                rows[f"{label}: the client's CPU s per 100,000"] = client / done * 100000
    events, seconds = loader("watch", 100, 1, 100)[:2]
    rows[f"{events:,.0f} watches fired at once, s"] = seconds


def large_tree(server, options, loader, shell, rows):
    server.launch().wait_ready()
    pid = server.pid()
    for size in sorted({100000, options.znodes}):
        before = cpu(pid)
        seconds = loader("fill", 1, 4, size - loader.made)[1]
        rows[f"fill up to {size:,} znodes, s"] = seconds
        rows[f"fill up to {size:,} znodes, CPU s"] = cpu(pid) - before
        settle(pid)
        rows[f"resident, {size:,} znodes, MB"] = proc.rss_kb(pid) / 1024
    server.stop()
    begin = time.monotonic()
    server.launch()
    while not server.answers():
        time.sleep(0.005)
    rows[f"start with {options.znodes:,} znodes, s"] = time.monotonic() - begin
    pid = server.pid()
    settle(pid)
    rows[f"resident after that start, MB"] = proc.rss_kb(pid) / 1024
    loader.made = 0
    loader("create", 1, PIPELINED, 100000)
    before, begin = cpu(pid), time.monotonic()
    status, out = proc.run(["bash", shell, f"127.0.0.1:{server.port}", "deleteall", "/load"], timeout=600)
    if status != 0:
        raise SystemExit(f"deleteall ended with {status}: {out[-500:]}")
    rows["deleteall of 100,000, s"] = time.monotonic() - begin
    rows["deleteall of 100,000, CPU s"] = cpu(pid) - before


def settle(pid):
    """Until a server has worked off what a load left behind: no CPU for a while, and what it gives back is back."""
    time.sleep(35 if proc.rss_kb(pid) < 200 * 1024 else 5)
    before = -1.0
    while cpu(pid) - before > 0.05:
        before = cpu(pid)
        time.sleep(1)
