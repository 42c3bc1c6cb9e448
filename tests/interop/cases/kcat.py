"""kcat (librdkafka): each codec, keys and headers, idempotence, groups."""
import os
import shutil
import signal
import struct

from lib import kafka_wire as wire
from lib import proc
from lib.context import case

CODECS = {"none": 0, "gzip": 1, "snappy": 2, "lz4": 3, "zstd": 4}


def kcat(t, *arguments, **more):
    if not shutil.which("kcat"):
        t.skip("kcat is not installed")
    return proc.run(["kcat", "-b", t.cluster.bootstrap, "-m", "20", *arguments], merge=False, **more)


@case("metadata")
def metadata(t):
    t.cluster.create_topic("seen-by-kcat", 3)
    status, out = kcat(t, "-L")
    t.check("-L names broker, controller, topic and partitions", status == 0 and "broker 0 at 127.0.0.1:" in out and
            "(controller)" in out and 'topic "seen-by-kcat" with 3 partitions' in out, (status, out))


@case("produce and consume with", each=CODECS)
def codec(t, name):
    topic = t.unique(f"kcat-{name}")
    t.cluster.create_topic(topic)
    lines = "".join(f"line {n} {'한국어 ' * (n % 9 + 1)}\n" for n in range(5000))
    status, out = kcat(t, "-P", "-t", topic, *([] if name == "none" else ["-z", name]), stdin=lines)
    t.require("produces", status == 0, (status, out))
    found = wire.batches(t.cluster.broker.segment_bytes(topic))
    # librdkafka sends a batch plain when compressing it gains nothing: one of a few lines may be
    other = [b for b in found if b["codec"] != CODECS[name]]
    t.check(f"the batches in the .log file have codec {CODECS[name]}", len(found) > len(other) and
            all(b["codec"] == 0 and b["records"] < 20 for b in other), [(b["codec"], b["records"]) for b in found])
    t.check("in message format 2, with right CRCs", {b["magic"] for b in found} == {2} and
            all(b["crc_right"] is not False for b in found))
    t.check("offsets without a gap", [b["base"] for b in found] == [0] + [b["last"] + 1 for b in found[:-1]] and
            found[-1]["last"] == 4999)
    status, out = kcat(t, "-C", "-t", topic, "-e", "-q")
    t.check("consumes the same bytes", status == 0 and out == lines, (status, len(out)))
    status, out = kcat(t, "-C", "-t", topic, "-o", "-7", "-e", "-q")
    t.check("from the end", out == "".join(lines.splitlines(True)[-7:]), out)
    status, out = kcat(t, "-C", "-t", topic, "-o", "1234", "-c", "3", "-e", "-q")
    t.check("from the middle of a batch", out == "".join(lines.splitlines(True)[1234:1237]), out)


# What clients of the releases before record batches speak: Produce 1 or 2 and Fetch 1 to 3, message sets of format 0 or 1.
@case("a client as old as", each=("0.9.0", "0.10.0", "0.10.1"))
def old_client(t, release):
    topic = t.unique(f"old-{release}")
    t.cluster.create_topic(topic)
    old = ("-X", "api.version.request=false", "-X", f"broker.version.fallback={release}.0")
    lines = [f"key{n}|line {n} of an old client {'x' * (n % 50)}" for n in range(2000)]
    for codec in ("none", "gzip", "snappy") + (("lz4",) if release != "0.9.0" else ()):  # librdkafka: lz4 from 0.10 on
        status, out = kcat(t, *old, "-P", "-t", topic, "-K", "|", *([] if codec == "none" else ["-z", codec]), stdin="\n".join(lines) + "\n")
        t.check(f"produces with {codec}", status == 0, (status, out))
        expected = lines
        with t.cluster.broker.connection() as c:
            found = wire.batches(c.fetch(topic, 0, c.end_offset(topic) - 1)[2])
        t.check(f"the log holds record batches of codec {codec}", found and {b["magic"] for b in found} == {2} and
                CODECS[codec] in {b["codec"] for b in found}, found[:2])
        status, out = kcat(t, *old, "-C", "-t", topic, "-o", f"-{len(expected)}", "-e", "-q", "-K", "|")
        t.check("reads them back", status == 0 and out.splitlines() == expected, (status, len(out.splitlines()), out[:200]))
    status, out = kcat(t, "-C", "-t", topic, "-o", "beginning", "-e", "-q", "-K", "|")
    t.check("a client of today reads all of it", status == 0 and len(out.splitlines()) == 2000 * (3 if release == "0.9.0" else 4) and
            out.splitlines()[-2000:] == lines, (status, len(out.splitlines())))
    modern = t.unique(f"new-{release}")
    t.cluster.create_topic(modern)
    for codec in ("gzip", "zstd"):
        status, out = kcat(t, "-P", "-t", modern, "-K", "|", "-z", codec, "-H", "h=1", stdin="\n".join(lines) + "\n")
        t.require(f"a client of today produces with {codec}", status == 0, out)
        if codec == "gzip":
            status, out = kcat(t, *old, "-C", "-t", modern, "-o", "beginning", "-e", "-q", "-K", "|")
            t.check("the old one reads it", status == 0 and out.splitlines() == lines, (status, len(out.splitlines()), out[:200]))
    with t.cluster.broker.connection() as c:
        at = c.end_offset(modern) - 1
        r = c.call(1, 3, struct.pack(">iiii", -1, 100, 1, 1 << 20) +
                   wire.array([wire.string(modern) + wire.array([struct.pack(">iqi", 0, at, 1 << 20)])]))
        r.get("i")
        error = r.array(lambda: (r.string(), r.array(lambda: (r.get("ihq")[1], r.bytes()))))[0][1][0][0]
        t.check("zstd is refused to an old one", error == 76, error)


@case("keys, headers, null, partitions, times")
def keys(t):
    topic = t.unique("kcat-keys")
    t.cluster.create_topic(topic, 4)
    status, out = kcat(t, "-P", "-t", topic, "-K", ":", "-Z", "-H", "one=1", "-H", "empty=", stdin="a:1\nb:2\na:3\nc:\n")
    t.require("produces", status == 0, out)
    status, out = kcat(t, "-C", "-t", topic, "-e", "-q", "-f", "%k|%S|%s|%h|%T\\n")
    rows = [line.split("|") for line in out.splitlines()]
    t.check("keys and values", sorted(r[0] + r[2] for r in rows) == ["a1", "a3", "b2", "c"], out)
    t.check("null is null", [r[1] for r in rows if r[0] == "c"] == ["-1"], out)
    t.check("headers", all("one=1" in r[3] and "empty=" in r[3] for r in rows), out)
    t.check("timestamps", all(int(r[4]) > 1600000000000 for r in rows), out)
    used = next(p for p, end in enumerate(t.cluster.end_offsets(topic, 4)) if end > 0)
    status, out = kcat(t, "-Q", "-t", f"{topic}:{used}:0")
    t.check("-Q finds an offset by time", status == 0 and f"{topic} [{used}] offset 0" in out, (status, out))


@case("idempotence")
def idempotence(t):
    topic = t.unique("kcat-idempotent")
    t.cluster.create_topic(topic)
    lines = "".join(f"{n}\n" for n in range(20000))
    status, out = kcat(t, "-P", "-t", topic, "-X", "enable.idempotence=true", "-z", "lz4", stdin=lines)
    t.require("produces", status == 0, out)
    found = wire.batches(t.cluster.broker.segment_bytes(topic))
    t.check("every batch carries producer id, epoch and the next sequence", all(b["producer"] >= 0 for b in found) and
            [b["sequence"] for b in found] == [0] + [b["last"] + 1 for b in found[:-1]], found[:3])
    status, out = kcat(t, "-C", "-t", topic, "-e", "-q")
    t.check("each line once, in order", out == lines, len(out))


@case("acks 0, 1 and all")
def acks(t):
    topic = t.unique("kcat-acks")
    t.cluster.create_topic(topic)
    for level in ("0", "1", "all"):
        status, out = kcat(t, "-P", "-t", topic, "-X", f"acks={level}", stdin=f"with {level}\n")
        t.check(f"acks={level}", status == 0, out)
    proc.wait_until(lambda: t.cluster.end_offsets(topic) == [3], 10, "three records")
    t.ok("three records are there")


@case("a group of two")
def group(t):
    topic, name = t.unique("kcat-group"), t.unique("kcat-members")
    t.cluster.create_topic(topic, 4)
    files, members = [], []
    for n in range(2):
        files.append(os.path.join(t.folder("group"), f"member-{n}"))
        members.append(proc.spawn(["kcat", "-b", t.cluster.bootstrap, "-G", name, "-q", "-X", "auto.offset.reset=earliest",
                                   "-X", "auto.commit.interval.ms=200", "-X", "heartbeat.interval.ms=200", topic],
                                  stdout=open(files[-1], "wb"), stderr=open(files[-1] + ".err", "wb")))
    t.cluster.wait_members(name, 2)
    t.ok("two members, state Stable")
    lines = [f"{n} of the group\n" for n in range(8000)]
    # without the pause at one partition all of them may be over before it changes to the next
    status, out = kcat(t, "-P", "-t", topic, "-X", "linger.ms=1", "-X", "batch.num.messages=50", "-X", "sticky.partitioning.linger.ms=0",
                       stdin="".join(lines))
    t.require("produces", status == 0, out)
    t.cluster.wait_lag_zero(name, topic, 4)
    t.ok("the committed offsets reach the end")
    for m in members:
        m.send_signal(signal.SIGTERM)
    for m in members:
        m.wait(20)
    got = []
    for f in files:
        with open(f) as out:
            got.append(out.readlines())
    t.check("both members read", all(got), [len(g) for g in got])
    t.check("each line once", sorted(got[0] + got[1]) == sorted(lines), [len(g) for g in got])
    with t.cluster.broker.connection() as c:
        proc.wait_until(lambda: c.describe_group(name)[1] == "Empty", 20, "members that leave empty the group")
    t.ok("the group is Empty when both have left")
