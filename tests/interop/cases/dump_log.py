"""kafka-dump-log beside the official one of 3.5.2: the same files, line by line."""
import glob
import os
import shutil
import struct

from lib import kafka_wire as wire
from lib import proc
from lib.context import case

CODECS = ("none", "gzip", "snappy", "lz4", "zstd")
RELEASE = "3.5.2"


def files(t, topic, *suffixes, partitions=1):
    folders = [t.cluster.broker.partition_dir(topic, p) for p in range(partitions)]
    found = sorted(name for folder in folders if folder for suffix in suffixes for name in glob.glob(os.path.join(folder, "*." + suffix)))
    assert found, (topic, suffixes)
    return found


def same(t, what, names, *options):
    """Both tools read these files; the first line that differs is what a failure shows."""
    arguments = ["--files", ",".join(names), *options]
    status, official = t.official_tools(RELEASE).run("kafka-dump-log.sh", *arguments)
    our_status, ours = t.home_tools().run("kafka-dump-log.sh", *arguments)
    theirs, mine = official.splitlines(), ours.splitlines()
    differs = next((n for n in range(max(len(theirs), len(mine))) if theirs[n:n + 1] != mine[n:n + 1]), None)
    t.check(what, status == our_status == 0 and differs is None and len(theirs) > len(names),
            (status, our_status, differs, differs is not None and (theirs[differs:differs + 1], mine[differs:differs + 1])))
    return mine


def kcat(t, *arguments, **more):
    if not shutil.which("kcat"):
        t.skip("kcat is not installed")
    status, out = proc.run(["kcat", "-b", t.cluster.bootstrap, *arguments], **more)
    assert status == 0, out
    return out


@case("segments that the broker wrote", each=CODECS)
def segments(t, codec):
    topic = t.unique(f"dump-{codec}")
    t.cluster.create_topic(topic, configs=[("segment.bytes", "12000"), ("index.interval.bytes", "1000")])
    lines = "".join(f"key {n % 50}:value {n} {'한국어 ' * (n % 9)}\n" for n in range(3000))
    kcat(t, "-P", "-t", topic, "-K", ":", "-H", "one=1", "-H", "two=", *([] if codec == "none" else ["-z", codec]),
         "-X", "batch.num.messages=50", stdin=lines)
    kcat(t, "-P", "-t", topic, "-Z", "-K", ":", "-X", "enable.idempotence=true", "-X", "batch.num.messages=10",
         stdin="".join(f"key {n}:\n" for n in range(100)))
    with t.cluster.broker.connection() as c:  # not UTF-8
        t.require("takes any bytes", c.produce(topic, 0, wire.batch([b"\xff\xfe bytes \xe2\x82", b""]))[0] == 0)
    logs = files(t, topic, "log")
    t.check("in more than one segment", len(logs) > 1, logs)
    printed = same(t, "keys and values", logs, "--print-data-log")
    t.check("all of them", sum(" payload: " in line for line in printed) == 3002 and
            sum(line.startswith("| ") for line in printed) == 3102, len(printed))
    same(t, "batches and records", logs, "--deep-iteration")
    same(t, "without metadata", logs, "--print-data-log", "--skip-record-metadata")
    same(t, "all files of the replica", files(t, topic, "log", "index", "timeindex", "snapshot"))
    same(t, "the first bytes", logs, "--max-bytes", "5000", "--print-data-log")
    indexes = files(t, topic, "index", "timeindex")
    # the active segment's are not closed yet: what Kafka's reader says of them is what ours says
    same(t, "the indexes are sound", indexes, "--index-sanity-check")
    checked = same(t, "and true", indexes, "--verify-index-only")
    t.check("without a complaint", not any("ismatch" in line for line in checked), checked)


@case("offsets of real groups")
def groups(t):
    topic, group = t.unique("dump-groups"), t.unique("dump-group")
    t.cluster.create_topic(topic, 3)
    kcat(t, "-P", "-t", topic, stdin="".join(f"{n}\n" for n in range(90)))
    kcat(t, "-X", "auto.offset.reset=earliest", "-G", group, "-c", "90", topic, timeout=60)
    printed = same(t, "__consumer_offsets", files(t, "__consumer_offsets", "log", partitions=5), "--offsets-decoder")
    t.check("holds the group and what it committed", any(f"key: group_metadata::group={group} " in line for line in printed) and
            any(f"key: offset_commit::group={group},partition={topic}-" in line for line in printed), printed[-5:])


# --- what other releases and clients put into the internal topics, in a plain topic -------------------------------------------
def text(value):
    return struct.pack(">h", -1) if value is None else struct.pack(">h", len(value.encode())) + value.encode()


def blob(value):
    return struct.pack(">i", len(value)) + value


def array(items):
    return struct.pack(">i", len(items)) + b"".join(items)


def offset_key(group, topic, partition, version=1):
    return struct.pack(">h", version) + text(group) + text(topic) + struct.pack(">i", partition)


def group_key(group):
    return struct.pack(">h", 2) + text(group)


def assignment(topics, user_data=b""):
    return struct.pack(">h", 0) + array([text(n) + array([struct.pack(">i", p) for p in ps]) for n, ps in topics]) + blob(user_data)


def group_value(protocol_type, members):
    rows = [text(name) + text(None) + text("client") + text("/127.0.0.1") + struct.pack(">ii", 60000, 10000) +
            blob(struct.pack(">h", 0) + array([text("t0")]) + blob(b"")) + blob(content)
            for name, content in members]
    return (struct.pack(">h", 3) + text(protocol_type) + struct.pack(">i", 7) + text("range" if members else None) +
            text(members[0][0] if members else None) + struct.pack(">q", 1700000000000) + array(rows))


@case("records of the internal topics, as others may have written them")
def internal(t):
    offsets, states = t.unique("dump-offsets"), t.unique("dump-states")
    many = [(f"consumer-{n * 7919 % 1000:03}-{'x' * (n % 5)}", assignment([(f"t{n}", [n, n + 1]), ("u", [n])])) for n in range(40)]
    odd = [('quote " and \\ and \t and \x01 한', assignment([("t", [0])], b"\x00\x0a\xff"))]
    records = [(offset_key("g", "t", 3), struct.pack(">hqi", 3, 17, 4) + text("") + struct.pack(">q", 1700000000000)),
               (offset_key("g", "t", 4), struct.pack(">hqi", 3, 18, -1) + text("some metadata, 한") + struct.pack(">q", 1700000000000)),
               (offset_key("g", "t-with-1", 0, 0), struct.pack(">hq", 1, 19) + text("old") + struct.pack(">qq", 1, 2)),
               (offset_key("g", "t", 5), struct.pack(">hq", 0, 20) + text("") + struct.pack(">q", 1)),
               (offset_key("g", "t", 6), struct.pack(">hq", 2, 21) + text("") + struct.pack(">q", 1)),
               (offset_key("g", "t", 3), None),
               (group_key("many"), group_value("consumer", many)), (group_key("three"), group_value("consumer", many[:3])),
               (group_key("twelve"), group_value("consumer", many[:12])), (group_key("eleven"), group_value("consumer", many[3:14])),
               (group_key("odd"), group_value("consumer", odd)), (group_key("empty"), group_value("consumer", [])),
               (group_key("connect"), group_value("connect", [("worker", b"\x00\x01\xfe"), ("other", b"")])),
               (group_key("many"), None), (struct.pack(">h", 3) + b"later", b"anything")]
    write(t, offsets, records)
    same(t, "offsets and groups", files(t, offsets, "log"), "--offsets-decoder")

    def state(status, topics):
        parts = [text(n) + array([struct.pack(">i", p) for p in ps]) for n, ps in topics]
        return struct.pack(">hqhib", 0, 1000 + status, 3, 60000, status) + array(parts) + struct.pack(">qq", 1700000000000, -1)

    wide = [("a", [5, 1, 2]), ("bb", list(range(30))), ("__consumer_offsets", [49, 0])]
    records = [(struct.pack(">h", 0) + text(f"tx-{status}"), state(status, wide if status in (1, 2) else [("a", [0])]))
               for status in range(1, 8) if status != 6]
    records += [(struct.pack(">h", 0) + text("none"), struct.pack(">hqhibi", 0, 5, 0, 60000, 0, -1) + struct.pack(">qq", 1, 2)),
                (struct.pack(">h", 0) + text("gone"), None), (struct.pack(">h", 9) + b"later", b"anything")]
    write(t, states, records)
    same(t, "transactions", files(t, states, "log"), "--transaction-log-decoder")


def write(t, topic, records):
    t.cluster.create_topic(topic)
    body = b"".join(wire.record(value, key, offset=n) for n, (key, value) in enumerate(records))
    with t.cluster.broker.connection() as c:
        status = c.produce(topic, 0, wire.batch([], records=body, count=len(records)))
    t.require("is written", status[0] == 0, status)
