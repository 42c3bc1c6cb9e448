"""The broker's log beside Apache Kafka 3.5.2's and beside what the machine does at least: appends and reads in batches and one
record at a time, recompression, recovery of a GiB, ten thousand partitions, a thousand topics."""
import os
import shutil
import signal
import time

from figures import OfficialHome, cpu, load, program
from lib import cluster, peers, proc, zk_wire
from lib.report import note

THEIRS = "Kafka 3.5.2"
SIZES = {100: 140, 1024: 16}  # records of a batch: some 16 KB
SMALL_REQUESTS_MB = 8
RECOVERY_MB = 1100
TIMES_MS = 1 << 40  # nothing is deleted, flushed or checkpointed because of the time
SETTINGS = {"num.partitions": 1, "log.retention.ms": -1, "log.retention.check.interval.ms": TIMES_MS,
            "log.segment.delete.delay.ms": 100, "auto.create.topics.enable": "false", "max.connections.per.ip": 1000}


def run(options, scratch, ports):
    client = program("wire_load.c")
    ours, theirs = {}, {}
    bare = floors(program("bare.c"), client, scratch, ports, options.gb)
    if options.only != "theirs":
        ours = measure(cluster.Home(options.home), client, scratch, ports, options)
    if options.only != "ours":
        theirs = measure(OfficialHome(options.reference or peers.kafka("3.5.2")), client, scratch, ports, options)
    print_floors(bare, ours)
    return ours, theirs


# --- the least that it can cost -------------------------------------------------------------------------------------------------
def floors(server, client, scratch, ports, gigabytes):
    """Rows as those of `measure`, of a server that only takes, sums up and writes, or only sends."""
    rows = {}
    for what, arguments in (("receive", ()), ("send", (48 + len("load"),))):
        file, port = os.path.join(scratch, "bare"), ports.take()
        if what == "send":
            with open(file, "wb") as f:
                f.write(os.urandom(1 << 20) * 256)
        process = proc.spawn([server, str(port), file, what, *map(str, arguments)])
        try:
            process.stdout.readline()
            if what == "receive":
                for size, count in SIZES.items():
                    note(f"bare loop: {size} B")
                    rows.update(append(client, process.pid, port, "load", 1, size, count, gigabytes))
                    os.truncate(file, 0)
                rows.update(small(client, process.pid, port, "load"))
            else:
                note("bare sendfile")
                before = cpu(process.pid)
                _n, size, seconds, _c = load(client, "fetch", port, "load", 1, 1024, 500, gigabytes * 1000)
                for record in SIZES:
                    rows[f"read {record} B, 1 partition: server CPU s per GB"] = (cpu(process.pid) - before) / (size / 1e9)
                    rows[f"read {record} B, 1 partition: GB/s"] = size / seconds / 1e9
        finally:
            proc.end_group(process, signal.SIGKILL)
            os.remove(file)
    return rows


def print_floors(bare, ours):
    width = max(map(len, bare))
    print(f"{'':{width}}  {'Odradek':>10}  {'bare loop':>10}  {'ratio':>7}")
    for name, figure in bare.items():
        mine = ours.get(name)
        ratio = f"{mine / figure:.2f}" if mine and figure else "-"
        print(f"{name:{width}}  {'-' if mine is None else format(mine, '.3f'):>10}  {figure:>10.3f}  {ratio:>7}")
    print("ratio: ours divided by the bare loop's\n")


# --- one measurement each ---------------------------------------------------------------------------------------------------------
def append(client, pid, port, topic, partitions, size, count, gigabytes):
    before = cpu(pid)
    _n, got, seconds, _c = load(client, "produce", port, topic, partitions, 4, 4, size, count, gigabytes * 1000)
    what = f"append {size} B, {partitions} partition{'s' if partitions > 1 else ''}"
    return {f"{what}: server CPU s per GB": (cpu(pid) - before) / (got / 1e9), f"{what}: GB/s": got / seconds / 1e9}


def read(client, pid, port, topic, partitions, size, count, gigabytes):
    before = cpu(pid)
    _n, got, seconds, _c = load(client, "fetch", port, topic, partitions, size, count, gigabytes * 1000)
    what = f"read {size} B, {partitions} partition{'s' if partitions > 1 else ''}"
    return {f"{what}: server CPU s per GB": (cpu(pid) - before) / (got / 1e9), f"{what}: GB/s": got / seconds / 1e9}


def small(client, pid, port, topic):
    before = cpu(pid)
    n, _size, seconds, _c = load(client, "produce", port, topic, 1, 64, 1, 100, 1, SMALL_REQUESTS_MB)
    what = "requests of one record of 100 B, 64 connections"
    return {f"{what}: server CPU s per 100,000": (cpu(pid) - before) / n * 1e5, f"{what}: requests/s": n / seconds}


def measure(home, client, scratch, ports, options):
    rows = {}
    c = cluster.Cluster(home, os.path.join(scratch, "data"), ports, broker_extra=SETTINGS)
    try:
        c.start()
        port, warm = c.broker.port, 0.3 if home.apache else 0.05
        for size, count in SIZES.items():
            for partitions in (1, 100, 1000):
                topic = f"a-{size}-{partitions}"
                note(f"{home.name}: {size} B, {partitions} partitions")
                make(c, topic, partitions)
                load(client, "produce", port, topic, partitions, 4, 4, size, count, warm * 1000)  # the JVM's compiler
                rows.update(append(client, c.broker.pid(), port, topic, partitions, size, count, options.gb))
                rows.update(read(client, c.broker.pid(), port, topic, partitions, size, count, options.gb))
                drop(c, topic)
        note(f"{home.name}: small requests")
        make(c, "small", 1)
        rows.update(small(client, c.broker.pid(), port, "small"))
        drop(c, "small")
        for codec in ("lz4", "zstd"):
            note(f"{home.name}: recompression, {codec}")
            make(c, codec, 4, [("compression.type", codec)])
            before = cpu(c.broker.pid())
            _n, got, seconds, _c = load(client, "produce", port, codec, 4, 4, 4, 1024, 16, options.gb * 300)
            rows[f"recompression to {codec}: MB/s"] = got / seconds / 1e6
            rows[f"recompression to {codec}: server CPU s per GB"] = (cpu(c.broker.pid()) - before) / (got / 1e9)
            drop(c, codec)
        rows.update(recovery(c, client, home))
        rows.update(topics(c, home))
        rows.update(partitions_at_rest(c, home, options.partitions))
    except (AssertionError, proc.DeadlineError) as e:  # what was measured is told all the same
        note(f"{home.name}: no further: {e}")
    finally:
        c.stop()
        shutil.rmtree(os.path.join(scratch, "data"), ignore_errors=True)
    return rows


def make(c, topic, partitions, configs=()):
    with c.broker.connection(120) as k:
        error, message = k.create_topic(topic, partitions, 1, configs)
        assert error == 0, (topic, message)
    c.wait_topic(topic, partitions, 120)


def drop(c, topic):
    with c.broker.connection(120) as k:
        k.delete_topic(topic)
    c.wait_gone(topic, 120)


def recovery(c, client, home):
    note(f"{home.name}: recovery of {RECOVERY_MB} MB")
    make(c, "whole", 1, [("segment.bytes", str(2 ** 31 - 1))])  # one segment, of which nothing was synced
    load(client, "produce", c.broker.port, "whole", 1, 4, 4, 1024, 16, RECOVERY_MB)
    with c.broker.connection(60) as k:
        end = k.end_offset("whole")
    c.broker.kill()
    if home.apache:  # it ends where its old session is alive
        proc.wait_until(lambda: not registered(c), 60, "the killed broker's session ends")
    begin = time.monotonic()
    c.broker.launch()

    def there():
        try:
            with c.broker.connection(60) as k:
                return k.end_offset("whole") == end
        except (OSError, AssertionError, IndexError):
            return False
    proc.wait_until(there, 300, "the log is recovered")
    rows = {"start behind kill -9 with 1 GiB to recover, s": time.monotonic() - begin,
            "start behind kill -9 with 1 GiB to recover, CPU s": cpu(c.broker.pid())}
    return rows


def registered(c):
    session = zk_wire.Session(c.zk.port)
    try:
        return session.exists(f"/brokers/ids/{c.broker.id}")
    finally:
        session.close()


def topics(c, home):
    note(f"{home.name}: 1,000 topics")
    before, begin = cpu(c.broker.pid()) + cpu(c.zk.pid()), time.monotonic()
    with c.broker.connection(300) as k:
        for n in range(1000):
            error, message = k.create_topic(f"t{n:04}")
            assert error == 0, message
    c.wait_topic("t0999", 1, 120)
    return {"1,000 topics created, s": time.monotonic() - begin,
            "1,000 topics created, CPU s of both services": cpu(c.broker.pid()) + cpu(c.zk.pid()) - before}


def partitions_at_rest(c, home, count):
    note(f"{home.name}: {count} partitions at rest")
    before = proc.rss_kb(c.broker.pid())
    for n in range(count // 1000):
        make(c, f"rest-{n}", 1000)
    at_rest = proc.rss_kb(c.broker.pid())
    c.broker.stop(180)
    begin = time.monotonic()
    c.broker.launch()
    last = f"rest-{count // 1000 - 1}"

    def there():
        try:
            with c.broker.connection(60) as k:
                return k.end_offset(last, 999) == 0
        except (OSError, AssertionError, IndexError, KeyError):
            return False
    proc.wait_until(there, 300, "the last partition is there")
    return {f"{count} partitions: memory of each at rest, KB": (at_rest - before) / count,
            f"{count} partitions: start behind a clean stop, s": time.monotonic() - begin,
            f"{count} partitions: CPU s of that start": cpu(c.broker.pid()),
            f"{count} partitions: resident behind it, MB": proc.rss_kb(c.broker.pid()) / 1024}
