"""Log directories that Apache brokers wrote and were killed over, opened in place: every batch byte for byte. And back: an
Apache broker goes on where ours was, and kafka-dump-log has nothing to complain of."""
import glob
import os

from lib import cluster, peers, proc, zk_wire
from lib import kafka_wire as wire
from lib.context import case

CODECS = ("none", "gzip", "snappy", "lz4", "zstd")
BACK = "3.5.2"  # the release that takes our directories over
SEGMENTS = 1500
SMALL = {"KAFKA_HEAP_OPTS": "-Xmx256m"}
COMPLAINTS = ("Found timestamp mismatch", "Found out of order timestamp", "Index position", "Could not find", "Mismatches in",
              "Non-consecutive offsets", "Exception", "invalid", "does not match", "corrupt")


def kcat(bootstrap, topic, lines, *arguments):
    status, out = proc.run(["kcat", "-b", bootstrap, "-P", "-t", topic, "-K", ":", "-X", "batch.num.messages=40", *arguments],
                           stdin=lines)
    assert status == 0, out


def everything(broker, topic, partition=0):
    """(log start, log end, all bytes of its batches) as a consumer gets them."""
    with broker.connection(30) as c:
        start, end = c.end_offset(topic, partition, -2), c.end_offset(topic, partition)
        at, data = start, b""
        while at < end:
            error, _high, some = c.fetch(topic, partition, at)
            assert error == 0 and some, (topic, at, end, error)
            position = 0
            while position + 17 <= len(some):
                base, length, _epoch, magic = wire.struct.unpack_from(">qiib", some, position)
                if position + 12 + length > len(some):
                    break
                last = base if magic < 2 else base + wire.struct.unpack_from(">i", some, position + 23)[0]
                if last >= at:
                    data += some[position:position + 12 + length]
                    at = last + 1
                position += 12 + length
            assert position, (topic, at)
    return start, end, data


def fill(t, broker, version):
    """Topics of every kind; returns their names."""
    bootstrap = f"127.0.0.1:{broker.port}"
    topics = {f"codec-{codec}": [("segment.bytes", "20000")] for codec in CODECS}
    topics["compacted"] = [("cleanup.policy", "compact"), ("segment.bytes", "10000"), ("min.cleanable.dirty.ratio", "0.01"),
                           ("delete.retention.ms", "100")]
    topics["transactions"] = [("segment.bytes", "3000")]
    topics["many"] = [("segment.bytes", "200")]
    topics["times"] = [("message.timestamp.type", "LogAppendTime"), ("segment.bytes", "20000"), ("compression.type", "lz4")]
    if version.startswith("2."):  # later ones write the newest format only
        topics["format-0"] = [("message.format.version", "0.9.0"), ("segment.bytes", "20000")]
        topics["format-1"] = [("message.format.version", "0.10.2"), ("segment.bytes", "20000")]
    with broker.connection(60) as c:
        for name, configs in topics.items():
            error, message = c.create_topic(name, 1, 1, configs)
            t.require(f"{version} makes {name}", error == 0, message)
    proc.wait_until(lambda: all_led(broker, topics), 30, "every topic has its leader")
    for codec in CODECS:
        lines = "".join(f"key {n % 50}:value {n} {'한국어 ' * (n % 9)}\n" for n in range(1500))
        kcat(bootstrap, f"codec-{codec}", lines, "-H", "one=1", *([] if codec == "none" else ["-z", codec]))
        if codec in ("none", "gzip") and version.startswith("2."):
            for old in ("format-0", "format-1"):
                kcat(bootstrap, old, lines, *([] if codec == "none" else ["-z", codec]))
    kcat(bootstrap, "times", lines)
    for n in range(3):
        kcat(bootstrap, "compacted", "".join(f"key {n % 40}:round {n} {k}\n" for k in range(800)))
    kcat(bootstrap, "compacted", "".join(f"key {k}:\n" for k in range(10)), "-Z")
    status, out = proc.run([peers.python(), os.path.join(peers.CLIENTS, "python", "transactions.py"), bootstrap, "transactions"],
                           timeout=90)
    t.require(f"{version} takes transactions", status == 0 and "ok" in out, out[-800:])
    with broker.connection(60) as c:
        for n in range(SEGMENTS):  # several on the way, each answer for itself
            c.send(0, 3, wire.string(None) + wire.struct.pack(">hi", 1, 30000) + wire.array([
                wire.string("many") + wire.array([(lambda b: wire.struct.pack(">ii", 0, len(b)) + b)(
                    wire.batch([b"%d" % n + b"." * 120]))])]))
            if n >= 20:
                c.answer()
        for n in range(20):
            c.answer()
    return list(topics)


def all_led(broker, topics):
    """Also that their logs are open, behind a recovery."""
    with broker.connection() as c:
        found = c.metadata(list(topics))["topics"]
        return all(found.get(name, {"error": 3})["error"] == 0 and
                   all(p["leader"] >= 0 for p in found[name]["partitions"].values()) and c.end_offset(name) >= 0
                   for name in topics)


def gone(own):
    def registered():
        session = zk_wire.Session(own.zk.port)
        try:
            return session.exists("/brokers/ids/0")
        finally:
            session.close()
    proc.wait_until(lambda: not registered(), 30, "the killed broker's session ends")


def same(t, what, broker, before):
    proc.wait_until(lambda: all_led(broker, before), 60, "every topic has its leader again")
    for topic, wanted in before.items():
        got = everything(broker, topic)
        t.check(f"{what}: {topic}, {len(wanted[2])} bytes of batches, {wanted[1]} offsets", got == wanted,
                (got[:2], wanted[:2], len(got[2])))


def dump(t, what, broker, topics):
    """The official tool over every file, as its own users check a directory."""
    tools = t.official_tools(BACK)
    logs, indexes = [], []
    for topic in topics:
        folder = broker.partition_dir(topic)
        logs += sorted(glob.glob(os.path.join(folder, "*.log")))[-60:]
        indexes += sorted(glob.glob(os.path.join(folder, "*index")))[-180:]
    indexes = [name for name in indexes if os.path.getsize(name) > 0]
    for names, options in ((logs, ["--deep-iteration"]), (indexes, ["--index-sanity-check"]), (indexes, ["--verify-index-only"])):
        status, out = tools.run("kafka-dump-log.sh", "--files", ",".join(names), *options, timeout=120)
        bad = [line for line in out.splitlines() if any(word in line for word in COMPLAINTS) and
               not ("Non-consecutive" in line and "/compacted-" in line)]  # that is what compaction leaves
        t.check(f"{what}: kafka-dump-log {options[0]} over {len(names)} files", status == 0 and not bad and
                out.count("Dumping") == len(names), (status, bad[:5] or out[-600:]))


@case("a directory of Apache Kafka opens in place, and goes back", each=("2.5.0", "3.5.2"),
      ours_only="it is about the change from one to the other")
def both_ways(t, version):
    own = t.new_cluster(zk_extra={"tickTime": 500})
    own.zk.launch().wait_ready()
    settings = {"log.cleaner.backoff.ms": 200, "log.cleaner.dedupe.buffer.size": 8388608, "background.threads": 2,
                "log.initial.task.delay.ms": 500, "log.index.interval.bytes": 1000, "num.io.threads": 3,
                "log.retention.check.interval.ms": 1000000, "controlled.shutdown.enable": "false",
                "zookeeper.session.timeout.ms": 3000}

    def of(release, name):
        home = own.home if release is None else cluster.Home(peers.kafka(release))
        return cluster.Broker(home, own.directory, own.broker.port, own.connect, 0, settings, name=name, logs=own.broker.logs)

    theirs = t.keep(of(version, "theirs"))
    theirs.launch(env=SMALL).wait_ready(90)
    topics = fill(t, theirs, version)

    def cleaned():
        with open(os.path.join(own.broker.logs, "cleaner-offset-checkpoint")) as f:
            return "compacted 0 " in f.read()
    proc.wait_until(lambda: os.path.exists(os.path.join(own.broker.logs, "cleaner-offset-checkpoint")) and cleaned(), 60,
                    "the cleaner was there")
    before = {topic: everything(theirs, topic) for topic in topics}
    segments = len(glob.glob(os.path.join(theirs.partition_dir("many"), "*.log")))
    t.check(f"{version} left {segments} segments of one partition", segments >= SEGMENTS)
    theirs.kill()
    gone(own)
    ours = t.keep(of(None, "ours"))
    ours.launch().wait_ready(60)
    proc.wait_until(lambda: all_led(ours, before), 60, "every log is open")
    same(t, f"ours behind a killed {version}", ours, {k: v for k, v in before.items() if k != "compacted"})
    cleaned_by_both = everything(ours, "compacted")
    t.check("compacted: nothing is there that was not, to the same end",
            cleaned_by_both[1] == before["compacted"][1] and len(cleaned_by_both[2]) <= len(before["compacted"][2]),
            (cleaned_by_both[:2], before["compacted"][:2]))
    lines = "".join(f"key {n % 50}:behind {n} {'ab ' * (n % 9)}\n" for n in range(500))
    bootstrap = f"127.0.0.1:{ours.port}"
    for codec in CODECS:
        kcat(bootstrap, f"codec-{codec}", lines, *([] if codec == "none" else ["-z", codec]))
    kcat(bootstrap, "many", "".join(f"k:{n}{'.' * 120}\n" for n in range(60)), "-X", "batch.num.messages=1")
    after = {topic: everything(ours, topic) for topic in topics if topic != "compacted"}
    with ours.connection() as c:
        t.check("its times are found", 0 < c.end_offset("codec-none", 0, 1) + 1 and
                c.end_offset("codec-none", 0, 4102444800000) == -1, c.end_offset("codec-none", 0, 1))
    ours.kill()
    dump(t, "ours, killed", ours, topics)
    ours.launch().wait_ready(60)
    same(t, "ours behind a kill", ours, after)
    ours.stop()
    dump(t, "ours, stopped", ours, topics)

    back = t.keep(of(BACK, "back"))
    back.launch(env=SMALL).wait_ready(90)
    same(t, f"{BACK} behind ours", back, after)
    said = [line for line in back.output().splitlines() if "(kafka.log." in line and
            (" ERROR " in line or "corrupt" in line.lower())]
    t.check(f"{BACK}'s log finds nothing to complain of", not said, said[:5])
    back.kill()
