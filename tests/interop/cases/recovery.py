"""What a broker does with logs that a crash, a disk or a hand has left: it serves while they are recovered, and what cannot
be used is named in one line while the rest is served."""
import os
import struct
import subprocess

from lib import proc
from lib import kafka_wire as wire
from lib.context import case

SMALL = 3_000_000  # batches of one record: some seconds of recovery


def many_batches(path, count):
    """One batch again and again: the base offset is not covered by its CRC."""
    rest = wire.batch([b"x"])[8:]
    with open(path, "wb") as f:
        for begin in range(0, count, 100_000):
            f.write(b"".join(struct.pack(">q", n) + rest for n in range(begin, min(begin + 100_000, count))))


@case("the port is open while a log is recovered", ours_only="Apache Kafka opens its port behind the recovery")
def served_meanwhile(t):
    own = t.new_cluster().start()
    own.create_topic("slow")
    own.create_topic("quick")
    own.broker.kill()
    folder = own.broker.partition_dir("slow")
    for name in os.listdir(folder):
        if name.endswith(("index", ".snapshot")):
            os.remove(os.path.join(folder, name))
    many_batches(os.path.join(folder, "0" * 20 + ".log"), SMALL)
    said = own.broker.output().count
    started, open_ports = said("] started"), said("Awaiting socket")
    own.broker.launch().wait_ready()
    line = os.path.join(t.folder(), "line")
    with open(line, "w") as f:
        f.write("behind\n")
    with open(line) as f:
        producer = proc.spawn(["kcat", "-b", own.bootstrap, "-P", "-t", "slow", "-X", "message.timeout.ms=180000"], stdin=f)
    with own.broker.connection() as c:
        first = c.produce("slow", 0, wire.batch([b"early"]))[0]
        other = c.produce("quick", 0, wire.batch([b"meanwhile"]))
        fetched = c.fetch("slow", 0, 0)[0]
        listed = c.end_offset("slow")
        now = own.broker.output().count
        if now("] started") > started:
            t.skip("the recovery was over at once")
        t.check("a partition in recovery: NOT_LEADER_OR_FOLLOWER, for which clients ask again", (first, fetched) == (6, 6), (first, fetched))
        t.check("ListOffsets likewise", listed == -1006, listed)
        t.check("others take records", other == (0, 0), other)
        t.check("it is not called started yet", now("Awaiting socket") > open_ports and now("Loading 2 logs") > 0)
        proc.wait_until(lambda: own.broker.output().count("] started") > started, 180, "the recovery ends")
        t.check("a producer that came early gets its record in", producer.wait(180) == 0)
        t.check("nothing of the log is missing", c.end_offset("slow") == SMALL + 1, c.end_offset("slow"))
        t.check("and it can be read", c.fetch("slow", 0, SMALL)[0] == 0)
    text = own.broker.output()
    t.check("the log tells of it", "recovered segment 0" in text and "Loaded" in text, text[-1500:])


@case("damaged files cost a partition or a directory, not the broker", ours_only="Apache Kafka cuts what is behind, or ends")
def damaged(t):
    own = t.new_cluster()
    first, foreign = own.broker.logs, own.broker.logs + "-foreign"
    own.broker.set(log__dirs=f"{first},{foreign}", broker__id=0)
    own.start()
    own.broker.logs = f"{first},{foreign}"
    names = ["hurt", "gap", "whole", "other"]
    for name in names:
        own.create_topic(name, configs=[("segment.bytes", "1048576")] if name == "gap" else [])
    value = os.urandom(300_000)
    with own.broker.connection() as c:
        for name in names:
            for n in range(9):
                assert c.produce(name, 0, wire.batch([value if name == "gap" else b"%d" % n]))[0] == 0
    own.broker.stop()
    folder = {name: own.broker.partition_dir(name) for name in names}
    moved = [name for name in names if folder[name].startswith(foreign + "/")]
    t.require("the topics lie in both directories", 0 < len(moved) < len(names), folder)
    for base in (first, foreign):
        os.remove(os.path.join(base, ".kafka_cleanshutdown"))
        with open(os.path.join(base, "replication-offset-checkpoint"), "w") as f:
            f.write("0\nmany\nrubbish\n")
    hurt = os.path.join(folder["hurt"], "0" * 20 + ".log")
    with open(hurt, "r+b") as f:
        data = f.read()
        second = 12 + struct.unpack(">i", data[8:12])[0]
        f.seek(second + 40)
        f.write(bytes([data[second + 40] ^ 1]))
    segments = sorted(n for n in os.listdir(folder["gap"]) if n.endswith(".log"))
    t.require("three segments and more", len(segments) >= 3, segments)
    os.remove(os.path.join(folder["gap"], segments[1]))

    own.broker.launch().wait_ready()
    with own.broker.connection() as c:
        proc.wait_until(lambda: c.produce("whole", 0, wire.batch([b"x"]))[0] == 0, 20, "what is whole is served")
        t.check("the damaged partition alone: KAFKA_STORAGE_ERROR", c.produce("hurt", 0, wire.batch([b"x"]), version=4)[0] == 56)
        lines = [x for x in own.broker.output().splitlines() if hurt in x and "ERROR" in x]
        t.check("one line names file, place and remedy", lines and f"position {second}" in lines[0] and
                f"truncate -s {second} {hurt}" in lines[0], lines)
        t.check("nothing of it was cut", os.path.getsize(hurt) == len(data))
        after = int(segments[2][:20])
        t.check("a segment that is gone is passed over", c.end_offset("gap") == 9 and c.fetch("gap", 0, int(segments[1][:20]))[0] == 0 and
                wire.batches(c.fetch("gap", 0, after)[2])[0]["base"] == after, segments)
        t.check("and told", any("are missing behind" in x and folder["gap"] in x for x in own.broker.output().splitlines()))
    own.broker.stop()

    os.truncate(hurt, second)  # as the line says
    meta = os.path.join(foreign, "meta.properties")
    with open(meta) as f:
        text = f.read()
    with open(meta, "w") as f:
        f.write(text.replace("broker.id=0", "broker.id=7"))
    own.broker.launch().wait_ready()
    with own.broker.connection() as c:
        t.check("a directory of another broker is offline, with one line", any(
            foreign in x and "broker 7" in x and "log.dirs" in x for x in own.broker.output().splitlines() if "ERROR" in x))
        for name in names:
            if name in moved:
                continue
            proc.wait_until(lambda: c.produce(name, 0, wire.batch([b"x"]))[0] == 0, 20, f"{name} is served")
        t.ok("the other directory is served")
        if "hurt" not in moved:
            t.check("the damaged log goes on where it was cut", c.end_offset("hurt") == 2, c.end_offset("hurt"))
    own.broker.stop()


@case("a full disk: retention makes room, and writing resumes alone", ours_only="Apache Kafka stops when its only log directory fails")
def full_disk(t):
    where = t.folder("tmpfs")
    made = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=40m", "interop", where], capture_output=True, text=True)
    if made.returncode != 0:
        t.skip(f"a tmpfs cannot be mounted here: {made.stderr.strip()}")
    try:
        own = t.new_cluster(broker_extra={"log.segment.bytes": 1 << 20, "log.index.size.max.bytes": 65536, "log.retention.check.interval.ms": 500,
                                          "replica.high.watermark.checkpoint.interval.ms": 200})
        own.broker.set(log__dirs=os.path.join(where, "logs"))
        own.broker.logs = os.path.join(where, "logs")
        own.start()
        own.create_topic("full")
        own.create_topic("small")
        value = os.urandom(200_000)
        with own.broker.connection() as c:
            count, error = 0, 0
            while error == 0 and count < 400:
                error, _ = c.produce("full", 0, wire.batch([value]), version=4)
                count += error == 0
            t.check("the producer is told of the disk", error == 56 and count > 100, (error, count))
            t.check("others of the directory are, too", c.produce("small", 0, wire.batch([b"x"]), version=4)[0] == 56)
            mark = os.path.join(own.broker.logs, "replication-offset-checkpoint")

            def checkpointed():
                with open(mark) as f:
                    return f"full 0 {count}\n" in f.read()
            proc.wait_until(checkpointed, 60, "checkpoints are written on the full disk")
            t.check("reading goes on", len(c.fetch("full", 0, 0)[2]) > 0)
            status, out = proc.run(["bash", t.home.bin("kafka-configs.sh"), "--bootstrap-server", own.bootstrap, "--alter", "--entity-type",
                                    "topics", "--entity-name", "full", "--add-config", "retention.bytes=10485760"])
            assert status == 0, out
            proc.wait_until(lambda: c.produce("small", 0, wire.batch([b"there is room"]))[0] == 0, 60, "retention makes room and writing resumes")
            t.check("by the removal of old segments", c.end_offset("full", 0, -2) > 0)
            t.check("the end is where it was", c.end_offset("full") == count, c.end_offset("full"))
            t.check("what is kept back is kept back again", os.path.getsize(os.path.join(own.broker.logs, ".odradek_reserved")) == 4 << 20)
        t.check("the log says both", "is full: nothing is appended" in own.broker.output() and "There is room again in" in own.broker.output())
    finally:
        t.end_case()
        subprocess.run(["umount", where], capture_output=True)


@case("log.flush.policy=group: everything as else, through kills", ours_only="Apache Kafka has no such setting")
def group_flush(t):
    own = t.new_cluster(broker_extra={"log.flush.policy": "group"}).start()
    own.create_topic("safe", 3)
    sent = [0, 0, 0]
    for round in range(3):
        with own.broker.connection() as c:
            for n in range(60):
                assert c.produce("safe", n % 3, wire.batch([b"%d" % n]), acks=(1, -1)[n % 2])[0] == 0
                sent[n % 3] += 1
            t.check(f"round {round + 1}: consumers see what was acknowledged", [c.end_offset("safe", p) for p in range(3)] == sent, sent)
            proc.wait_until(lambda: c.coordinator_of("g")[0] == 0 and c.commit("g", "safe", {0: sent[0]}) == {0: 0}, 20, "an offset is committed")
        own.broker.kill()
        own.restart_broker()
        own.wait_topic("safe", 3)
        proc.wait_until(lambda: own.end_offsets("safe", 3) == sent, 20, "everything is there after a SIGKILL")
        proc.wait_until(lambda: own.committed("g", "safe", 1) == [sent[0]], 20, "the committed offset, too")
