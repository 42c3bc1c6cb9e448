"""What a topic's settings do to its log, large and old records, many topics at once."""
import os
import shutil
import struct
import time

from lib import cluster, peers, proc, zk_wire
from lib import kafka_wire as wire
from lib.context import case
from lib.report import Timer

CODECS = {"gzip": 1, "snappy": 2, "lz4": 3, "zstd": 4}


def produce(t, topic, batch, partition=0, cluster=None):
    with (cluster or t.cluster).broker.connection() as c:
        return c.produce(topic, partition, batch)


def segments(t, topic, cluster=None):
    folder = (cluster or t.cluster).broker.partition_dir(topic)
    return sorted(n for n in os.listdir(folder) if n.endswith(".log"))


@case("segments roll by size and go by retention.bytes; the log start moves")
def retention_bytes(t):
    own = t.new_cluster(broker_extra={"log.retention.check.interval.ms": 500}).start()
    own.create_topic("rolls", configs=[("segment.bytes", "1048576"), ("retention.bytes", "3145728"), ("file.delete.delay.ms", "500")])
    value = os.urandom(100000)
    for _ in range(80):
        assert produce(t, "rolls", wire.batch([value]), cluster=own)[0] == 0
    patience = 20 if t.ours else 60  # Kafka first looks 30 s after its start
    with own.broker.connection() as c:
        proc.wait_until(lambda: c.end_offset("rolls", 0, -2) > 20, patience, "the log start moves")
        start = c.end_offset("rolls", 0, -2)
        t.check("what is kept is near retention.bytes", 28 <= 80 - start <= 50, start)
        t.check("a fetch below the start is OFFSET_OUT_OF_RANGE", c.fetch("rolls", 0, 0)[0] == 1)
        t.check("one at the start is served", c.fetch("rolls", 0, start)[0] == 0)
    proc.wait_until(lambda: len(segments(t, "rolls", own)) <= 5, 30, "old segments leave the disk")
    names = segments(t, "rolls", own)
    t.check("segments are named after their first offset", int(names[0][:20]) == start, names)
    own.broker.kill()
    own.restart_broker()
    own.wait_topic("rolls", 1, 40)
    with own.broker.connection() as c:
        t.check("after a SIGKILL start and end are the same", (c.end_offset("rolls", 0, -2), c.end_offset("rolls")) == (start, 80),
                (c.end_offset("rolls", 0, -2), c.end_offset("rolls")))


@case("log.dirs.max.bytes bounds a directory, over topics", ours_only="Apache Kafka has no such setting")
def disk_cap(t):
    own = t.new_cluster(broker_extra={"log.dirs.max.bytes": 5 << 20, "log.retention.check.interval.ms": 600000}).start()
    for name in ("first", "second", "kept"):
        own.create_topic(name, configs=[("segment.bytes", "1048576")] + ([("cleanup.policy", "compact")] if name == "kept" else []))
    value = os.urandom(100000)
    for name in ("kept", "first", "second"):
        for n in range(35):
            batch = wire.batch([value]) if name != "kept" else wire.batch([b""], records=wire.record(value, key=b"%d" % n))
            assert produce(t, name, batch, cluster=own)[0] == 0
    size = {name: (lambda name=name: sum(os.path.getsize(os.path.join(own.broker.partition_dir(name), n))
                                        for n in os.listdir(own.broker.partition_dir(name)) if n.endswith(".log")))
            for name in ("first", "second", "kept")}
    proc.wait_until(lambda: sum(f() for f in size.values()) <= 6 << 20, 20, "room is made")
    with own.broker.connection() as c:
        t.check("the oldest went first, but for the segment that is written to", c.end_offset("first", 0, -2) >= 20, c.end_offset("first", 0, -2))
        t.check("the compacted topic has all of its records", c.end_offset("kept", 0, -2) == 0 and size["kept"]() > 3_400_000)
        t.check("the ends are where they were", (c.end_offset("first"), c.end_offset("second")) == (35, 35))
    t.check("the log says why", "log.dirs.max.bytes" in own.broker.output() and "deleting segment" in own.broker.output())


@case("kafka-topics says why data is still there", ours_only="Apache Kafka has no such option")
def why_kept(t):
    topic, tools = t.unique("kept"), t.home_tools()
    t.cluster.create_topic(topic, 2, configs=[("retention.ms", "86400000"), ("retention.bytes", "1000000")])
    produce(t, topic, wire.batch([b"x" * 100]))
    where = ("--bootstrap-server", t.cluster.bootstrap, "--describe", "--topic", topic)
    status, out = tools.run("kafka-topics.sh", *where)
    t.check("nothing of it unless it is asked", status == 0 and "Kept:" not in out, out)
    status, out = tools.run("kafka-topics.sh", *where, "--why-kept")
    lines = [line for line in out.splitlines() if "Kept:" in line]
    t.require("a line for each replica", status == 0 and len(lines) == 2, out)
    t.check("until when, and by which setting", " by retention.ms=86400000" in lines[0] and "by retention.bytes=1000000 once it is closed" in lines[0], lines[0])
    t.check("an empty one", lines[1].endswith("Kept: nothing is here"), lines[1])


@case("retention by time takes old records, but none of a compacted topic")
def retention_time(t):
    own = t.new_cluster(broker_extra={"log.retention.check.interval.ms": 500, "log.cleaner.backoff.ms": 500}).start()
    common = [("retention.ms", "1000"), ("segment.bytes", "1048576"), ("segment.ms", "1000"), ("file.delete.delay.ms", "500")]
    own.create_topic("by-time", configs=common)
    own.create_topic("compacted", configs=common + [("cleanup.policy", "compact")])
    old = int(time.time() * 1000) - 3600000
    for topic in ("by-time", "compacted"):
        for n in range(3):
            record = wire.record(b"value %d" % n, key=b"key %d" % n)
            assert produce(t, topic, wire.batch([b"v"], records=record, timestamp=old), cluster=own)[0] == 0
    with own.broker.connection() as c:
        proc.wait_until(lambda: c.end_offset("by-time", 0, -2) == 3, 20 if t.ours else 60, "old records go, the active segment with them")
        t.check("the end stays where it was", c.end_offset("by-time") == 3)
        error, _base = c.produce("by-time", 0, wire.batch([b"new"]))
        t.check("and new records follow", error == 0 and c.end_offset("by-time") == 4)
        t.check("the compacted topic keeps its records", c.end_offset("compacted", 0, -2) == 0 and
                sum(b["records"] for b in wire.batches(c.fetch("compacted", 0, 0)[2])) == 3)


@case("a batch is recompressed where the topic says so, and only there", each=CODECS)
def recompress(t, codec):
    if not shutil.which("kcat"):
        t.skip("kcat is not installed")
    kept, changed = t.unique("as-sent"), t.unique("recompressed")
    t.cluster.create_topic(kept)
    t.cluster.create_topic(changed, configs=[("compression.type", codec)])
    sent = next(c for c in CODECS if c != codec)
    lines = "".join(f"line {n} and more of it\n" for n in range(3000))
    for topic in (kept, changed):
        status, out = proc.run(["kcat", "-b", t.cluster.bootstrap, "-P", "-t", topic, "-z", sent], stdin=lines)
        assert status == 0, out
    stays = {b["codec"] for b in wire.batches(t.cluster.broker.segment_bytes(kept)) if b["records"] > 20}
    becomes = {b["codec"] for b in wire.batches(t.cluster.broker.segment_bytes(changed))}
    t.check(f"{sent} stays {sent}", stays == {CODECS[sent]}, stays)
    t.check(f"{sent} becomes {codec}", becomes == {CODECS[codec]}, becomes)
    status, out = proc.run(["kcat", "-b", t.cluster.bootstrap, "-C", "-t", changed, "-e", "-q"], merge=False)
    t.check("and reads the same", out == lines, len(out))


@case("LogAppendTime, and lookups by time")
def append_time(t):
    topic = t.unique("append-time")
    t.cluster.create_topic(topic, configs=[("message.timestamp.type", "LogAppendTime")])
    before = int(time.time() * 1000)
    assert produce(t, topic, wire.batch([b"x"], timestamp=1000))[0] == 0
    data = t.cluster.broker.segment_bytes(topic)
    stamp = int.from_bytes(data[35:43], "big")
    t.check("the batch has the broker's time and says so", before - 1000 <= stamp <= before + 60000 and data[22] & 8, (stamp, before, data[22]))
    t.check("its CRC is right again", wire.batches(data)[0]["crc_right"])
    plain = t.unique("create-time")
    t.cluster.create_topic(plain)
    for n in range(10):
        assert produce(t, plain, wire.batch([b"x"], timestamp=1600000000000 + n * 10))[0] == 0
    with t.cluster.broker.connection() as c:
        t.check("the first record at or after a time", c.end_offset(plain, 0, 1600000000045) == 5, c.end_offset(plain, 0, 1600000000045))
        t.check("none after the last", c.end_offset(plain, 0, 1700000000000) == -1, c.end_offset(plain, 0, 1700000000000))


@case("records of 900 kB, and a fetch that is smaller than one")
def large(t):
    topic = t.unique("large")
    t.cluster.create_topic(topic)
    value = os.urandom(900000)
    for _ in range(3):
        assert produce(t, topic, wire.batch([value]))[0] == 0
    status, out = proc.run(["kcat", "-b", t.cluster.bootstrap, "-C", "-t", topic, "-e", "-q", "-f", "%S\\n", "-X", "fetch.message.max.bytes=1000",
                            "-X", "fetch.max.bytes=1000000"], merge=False)
    t.check("the first batch always comes whole", out.split() == ["900000"] * 3, out)


@case("a fetch waits for bytes, and is woken by them")
def waits(t):
    topic = t.unique("waits")
    t.cluster.create_topic(topic)
    with t.cluster.broker.connection() as c, t.cluster.broker.connection() as p:
        clock = Timer()
        error, _high, data = c.fetch(topic, 0, 0, wait_ms=700)
        t.check("nothing there: it waits as long as it was asked to", error == 0 and not data and 0.6 < clock.seconds() < 3, clock.seconds())
        clock = Timer()
        body = struct.pack(">iiiib", -1, 10000, 1, 1 << 20, 0) + wire.array([wire.string(topic) + wire.array([struct.pack(">iqi", 0, 0, 1 << 20)])])
        c.send(1, 4, body)
        assert p.produce(topic, 0, wire.batch([b"wake up"]))[0] == 0
        c.answer()
        t.check("a record wakes it at once", clock.seconds() < 2, clock.seconds())


@case("500 topics in one request after another, and away again")
def many(t):
    own = t.new_cluster(broker_extra={"log.segment.delete.delay.ms": 500}).start()
    number = 500 if t.ours else 60
    clock = Timer()
    with own.broker.connection(60) as c:
        for n in range(number):
            assert c.create_topic(f"many-{n}", 2)[0] == 0, n

        def all_led():
            topics = c.metadata()["topics"]
            return sum(all(p["leader"] == 0 for p in v["partitions"].values()) and len(v["partitions"]) == 2 for k, v in topics.items()) >= number
        proc.wait_until(all_led, 60, "all have leaders")
    t.ok("made")
    made = clock.seconds()
    if t.ours:
        both = proc.rss_kb(own.zk.pid()) + proc.rss_kb(own.broker.pid())
        t.check("1,000 partitions take little memory", both < 150000, f"{both} kB")
        t.check("and little time", made < 60, made)
    with own.broker.connection() as c:
        for n in range(0, number, 7):
            assert c.produce(f"many-{n}", 1, wire.batch([b"%d" % n]))[0] == 0
    own.broker.kill()
    own.restart_broker()
    with own.broker.connection(60) as c:
        def all_there():
            return all(c.end_offset(f"many-{n}", 1) == 1 for n in range(0, number, 7))
        proc.wait_until(all_there, 60, "every record is there after a SIGKILL")
        t.ok("every record is there after a SIGKILL")
        for n in range(number):
            proc.wait_until(lambda: c.delete_topic(f"many-{n}") == 0, 20, f"many-{n} is deleted")
        proc.wait_until(lambda: not any(k.startswith("many-") for k in c.metadata()["topics"]), 60, "all are gone")
    patience = 30 if t.ours else 75
    proc.wait_until(lambda: not any(d.startswith("many-") for d in os.listdir(own.broker.logs)), patience, "their files are gone")
    t.ok("deleted, with their files")


@case("services that are killed again and again converge", ours_only="Apache Kafka needs its session time-out each time")
def converge(t):
    own = t.new_cluster().start()
    own.create_topic("steady", 8)
    written = [0] * 8
    for round_number in range(6):
        with own.broker.connection() as c:
            for p in range(8):
                assert c.produce("steady", p, wire.batch([b"x"] * (round_number + 1)))[0] == 0
                written[p] += round_number + 1
            c.send(19, 2, wire.array([wire.string(f"cut-{round_number}") + b"\0\0\0\3\0\1" + wire.array([]) + wire.array([])]) + b"\0\0\x75\x30\0")
        if round_number % 3 != 1:
            own.broker.kill()
        if round_number % 3 != 0:
            own.zk.kill()
        if not own.zk.alive():
            own.zk.launch()
        if not own.broker.alive():
            own.broker.launch()
        own.zk.wait_ready()
        own.broker.wait_ready()

        def same():
            return own.end_offsets("steady", 8) == written
        proc.wait_until(same, 30, f"round {round_number}: all partitions are led and hold {written}")
    t.ok("every acknowledged record is there after each of six rounds")
    with own.broker.connection() as c:
        for name, topic in c.metadata()["topics"].items():
            if name.startswith("cut-"):
                t.check(f"{name}, made in the moment of a kill, is whole", len(topic["partitions"]) == 3, topic)


@case("a log directory goes to Apache Kafka 3.5.2 and comes back", ours_only="there is nobody to go to")
def there_and_back(t):
    if not shutil.which("kcat"):
        t.skip("kcat is not installed")
    own = t.new_cluster().start()
    sent, names = {}, [f"travels-{codec}" for codec in ("none", *CODECS)]
    for name in names:
        own.create_topic(name, 2, [("segment.bytes", "1048576")])
        sent[name] = []

    def write(bootstrap, stage):
        for name in names:
            lines = [f"{stage} {name} {n} {'x' * (n % 300)}" for n in range(6000)]
            status, out = proc.run(["kcat", "-b", bootstrap, "-P", "-t", name, "-z", name.split("-")[1], "-X", "enable.idempotence=true"],
                                   stdin="".join(x + "\n" for x in lines))
            assert status == 0, out
            sent[name] += lines

    def read(bootstrap):
        for name in names:
            status, out = proc.run(["kcat", "-b", bootstrap, "-C", "-t", name, "-e", "-q"], merge=False)
            if sorted(out.splitlines()) != sorted(sent[name]):
                return f"{name}: {len(out.splitlines())} of {len(sent[name])}"
        return "all"

    write(own.bootstrap, "ours")
    with own.broker.connection() as c:
        proc.wait_until(lambda: c.coordinator_of("travellers")[0] == 0, 30, "a group coordinator")
        proc.wait_until(lambda: c.commit("travellers", names[0], {0: 17, 1: 4}) == {0: 0, 1: 0}, 30, "a commit is taken")
    own.broker.stop()

    apache = cluster.Home(peers.kafka("3.5.2"))
    theirs = t.keep(cluster.Cluster(apache, t.folder("apache"), t.ports))
    theirs.zk.launch().wait_ready()
    here, there = zk_wire.Session(own.zk.port), zk_wire.Session(theirs.zk.port)
    for path in ("/cluster/id", "/brokers/topics", "/config/topics", "/latest_producer_id_block"):
        here.copy_to(there, path)
    theirs.broker.set(log__dirs=own.broker.logs)
    theirs.broker.logs = own.broker.logs
    theirs.broker.launch().wait_ready(60)
    for name in names:
        theirs.wait_topic(name, 2, 40)
    seen = read(theirs.bootstrap)
    t.check("Apache Kafka reads every line that we wrote", seen == "all", seen)
    t.check("nothing was wrong with the files", not any(w in theirs.broker.output() for w in ("Found a corrupted", "CorruptIndexException", "-stray")),
            [x for x in theirs.broker.output().splitlines() if "orrupt" in x][:5])

    def committed():
        with theirs.broker.connection() as c:
            return c.coordinator_of("travellers")[0] == 0 and theirs.committed("travellers", names[0], 2) == [17, 4]
    proc.wait_until(committed, 30, "the group's offsets are there")
    t.ok("and the group's offsets are there")
    write(theirs.bootstrap, "theirs")
    with theirs.broker.connection() as c:
        proc.wait_until(lambda: c.commit("travellers", names[0], {0: 21, 1: 9}) == {0: 0, 1: 0}, 30, "a commit is taken")
    t.check("Apache Kafka stops cleanly", theirs.broker.stop(60) in (0, 143, -15))

    zk_wire.Session(theirs.zk.port).copy_to(zk_wire.Session(own.zk.port), "/latest_producer_id_block")
    own.broker.launch().wait_ready()
    for name in names:
        own.wait_topic(name, 2, 40)
    seen = read(own.bootstrap)
    t.check("back home every line of both is read", seen == "all", seen)
    proc.wait_until(lambda: own.committed("travellers", names[0], 2) == [21, 9], 30, "the group's offsets of there")
    t.ok("and the group's offsets of there")
    write(own.bootstrap, "again")
    t.check("and it goes on", read(own.bootstrap) == "all")
