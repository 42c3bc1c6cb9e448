"""What a broker does with logs that a crash, a disk or a hand has left: it serves while they are recovered, and what cannot
be used is named in one line while the rest is served."""
import os
import struct

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
        producer = proc.spawn(["kcat", "-b", own.bootstrap, "-P", "-t", "slow", "-X", "message.timeout.ms=60000"], stdin=f)
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
        proc.wait_until(lambda: own.broker.output().count("] started") > started, 60, "the recovery ends")
        t.check("a producer that came early gets its record in", producer.wait(60) == 0)
        t.check("nothing of the log is missing", c.end_offset("slow") == SMALL + 1, c.end_offset("slow"))
        t.check("and it can be read", c.fetch("slow", 0, SMALL)[0] == 0)
    text = own.broker.output()
    t.check("the log tells of it", "recovered segment 0" in text and "Loaded" in text, text[-1500:])
