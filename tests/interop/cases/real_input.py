"""The machine's own Debian package index, about a million lines, by two producers in each compression into a group of two
and out again with the same sorted checksum; and with the broker killed in the middle of the load."""
import hashlib
import os
import shutil
import signal
import subprocess

from lib import kafka_wire as wire
from lib import cluster, proc
from lib.context import case
from lib.report import note

CODECS = {"none": 0, "gzip": 1, "snappy": 2, "lz4": 3, "zstd": 4}
PARTITIONS = 3
_input = {}


def lines_file(t):
    """(path, lines, sorted checksum) of the input, made once a run. Empty lines are dropped: kcat does not send them."""
    if not _input:
        path = os.path.join(t.scratch, "packages.txt")
        source = subprocess.run("apt-cache dumpavail | grep -a -v '^$' >" + path, shell=True, env=proc.environment({"LC_ALL": "C"}))
        size = os.path.getsize(path)
        _input["name"] = "the Debian package index"
        if source.returncode != 0 or size < 20 << 20:
            _input["name"] = "a generated file (no apt lists here)"
            with open(path, "w") as f:
                for n in range(60000):
                    digest = hashlib.sha256(str(n).encode()).hexdigest()
                    f.write("".join(f"{field}-{n}: {digest[i:i + 9 + i % 40]} 한국어 {n % 97}\n" for i, field in
                                    enumerate(("Package", "Version", "Source", "Depends", "Section", "Size", "Tag", "Description",
                                               "Homepage", "Filename", "SHA256", "Suggests", "Breaks", "Replaces", "Priority", "Maintainer",
                                               "Architecture"))))
        with open(path, "rb") as f:
            _input["lines"] = sum(chunk.count(b"\n") for chunk in iter(lambda: f.read(1 << 20), b""))
        _input["path"], _input["sum"] = path, sorted_sum([path])
        note(f"input: {_input['name']}, {_input['lines']} lines, {os.path.getsize(path) >> 20} MiB")
    return _input["path"], _input["lines"], _input["sum"]


def sorted_sum(paths):
    """The SHA-256 of all lines of the files, sorted by their bytes."""
    sort = proc.spawn(["sort", "-S", "200M", "--parallel=2", *paths], env={"LC_ALL": "C"})
    digest = hashlib.sha256()
    for chunk in iter(lambda: sort.stdout.read(1 << 20), b""):
        digest.update(chunk)
    sort.wait()
    return digest.hexdigest()


class Group:
    """Two members that write what they read to files."""

    def __init__(self, t, own, topic, by):
        self.t, self.own, self.topic, self.name = t, own, topic, t.unique("two")
        self.files, self.members = [], []
        folder = t.folder("group")
        for n in range(2):
            self.files.append(os.path.join(folder, f"member-{n}"))
            if by == "kcat":
                argv = ["kcat", "-b", own.bootstrap, "-G", self.name, "-q", "-X", "auto.offset.reset=earliest", "-X",
                        "auto.commit.interval.ms=300", "-X", "heartbeat.interval.ms=300", topic]
            else:
                argv = ["bash", t.home.bin("kafka-console-consumer.sh"), "--bootstrap-server", own.bootstrap, "--topic", topic, "--group",
                        self.name, "--from-beginning", "--consumer-property", "auto.commit.interval.ms=300"]
            out = open(self.files[-1], "wb")
            self.members.append(proc.spawn(argv, stdout=out, stderr=open(self.files[-1] + ".err", "wb"), env=t.home.environment()))
        own.wait_members(self.name, 2)

    def finish(self, lines, wanted, shared=True, seconds=150):
        t = self.t
        self.own.wait_lag_zero(self.name, self.topic, PARTITIONS, seconds)
        for m in self.members:
            for pid in proc.family(m.pid)[::-1]:
                os.kill(pid, signal.SIGINT)
        for m in self.members:
            m.wait(30)
        counts = []
        for f in self.files:
            with open(f, "rb") as data:
                counts.append(sum(chunk.count(b"\n") for chunk in iter(lambda: data.read(1 << 20), b"")))
        if shared:
            t.check("each member read its part", all(counts), counts)
        t.check("no line lost, none twice: the number", sum(counts) == lines, (counts, lines))
        t.check("the same sorted checksum", sorted_sum(self.files) == wanted)
        for f in self.files:
            os.remove(f)

    def stop(self):
        for m in self.members:
            proc.end_group(m, signal.SIGKILL)


def producer(t, own, by, topic, codec, *settings):
    if by == "kcat":
        more = [x for s in settings for x in ("-X", s)]
        return ["kcat", "-b", own.bootstrap, "-P", "-E", "-t", topic, "-z", codec, "-X", "linger.ms=20", "-X", "sticky.partitioning.linger.ms=20",
                *more]
    more = [x for s in settings for x in ("--producer-property", s)]
    return ["bash", t.home.bin("kafka-console-producer.sh"), "--bootstrap-server", own.bootstrap, "--topic", topic, "--compression-codec",
            codec, *more]


@case("the package index through", each=[f"{by}, {codec}" for codec in CODECS for by in ("kcat", "kafka-console-producer.sh")])
def load(t, which):
    by, codec = which.split(", ")
    if not shutil.which("kcat"):
        t.skip("kcat is not installed")
    path, lines, wanted = lines_file(t)
    own = t.cluster
    topic = t.unique(f"index-{codec}")
    own.create_topic(topic, PARTITIONS)
    group = t.keep(Group(t, own, topic, by if by == "kcat" else "console"))
    with open(path, "rb") as source:
        status, out = proc.run(producer(t, own, by, topic, codec), stdin=source, timeout=200, env=t.home.environment())
    t.require("all lines are taken", status == 0 and sum(own.end_offsets(topic, PARTITIONS)) == lines, (status, out[-500:], own.end_offsets(topic, PARTITIONS)))
    ends = own.end_offsets(topic, PARTITIONS)
    t.check("they are spread over the partitions", min(ends) > lines // 10, ends)
    seen = {b["codec"] for b in wire.batches(own.broker.segment_bytes(topic)[:1 << 20])}
    # librdkafka sends a batch plain when compressing it gains nothing
    t.check(f"the .log file holds codec {CODECS[codec]}", CODECS[codec] in seen and seen <= {0, CODECS[codec]}, seen)
    group.finish(lines, wanted)
    with own.broker.connection() as c:
        c.delete_topic(topic)


@case("SIGKILL of the broker in the middle of the load", each=("kcat", "kafka-console-producer.sh"))
def killed(t, by):
    if not shutil.which("kcat"):
        t.skip("kcat is not installed")
    path, lines, wanted = lines_file(t)
    own = t.new_cluster().start()
    topic = "killed"
    own.create_topic(topic, PARTITIONS)
    settings = ["enable.idempotence=true", "acks=all"]
    settings += ["message.timeout.ms=180000", "retries=1000000"] if by == "kcat" else ["delivery.timeout.ms=180000"]
    with open(path, "rb") as source:
        p = proc.spawn(producer(t, own, by, topic, "lz4", *settings), stdin=source, env=t.home.environment(),
                       stdout=open(os.path.join(own.directory, "producer.out"), "wb"))

    def written(part):
        return sum(max(0, n) for n in own.end_offsets(topic, PARTITIONS)) >= lines * part
    for part in (0.2, 0.55):
        proc.wait_until(lambda: written(part) or p.poll() is not None, 120, f"{part:.0%} of the lines are written")
        t.require(f"the producer is still at work at {part:.0%}", p.poll() is None, p.poll())
        own.broker.kill()
        own.restart_broker()
        own.wait_topic(topic, PARTITIONS, 60)
    try:
        status = p.wait(240)
    except subprocess.TimeoutExpired:
        status = None
    with open(os.path.join(own.directory, "producer.out"), errors="replace") as f:
        t.require("the producer ends without an error", status == 0, (status, f.read()[-800:]))
    total = sum(own.end_offsets(topic, PARTITIONS))
    t.check("no line lost, none twice: the offsets", total == lines, (total, lines))
    found = [b for n in range(PARTITIONS) for b in wire.batches(own.broker.segment_bytes(topic, n))]
    t.check("every batch carries the producer's id", all(b["producer"] >= 0 for b in found))
    group = t.keep(Group(t, own, topic, "kcat"))
    group.finish(lines, wanted, shared=False)  # the first member may have read all before the second came


@case("a time-out below the outage is reported, not hidden")
def too_short(t):
    own = t.new_cluster().start()
    own.create_topic("short")
    with own.broker.connection() as c:
        assert c.produce("short", 0, wire.batch([b"before"]))[0] == 0
    own.broker.kill()
    assert not cluster.listening(own.broker.port)
    status, out = proc.run(["kcat", "-b", own.bootstrap, "-P", "-t", "short", "-X", "message.timeout.ms=1500", "-X", "enable.idempotence=true"],
                           stdin="lost\n", timeout=60)
    t.check("the producer says that it failed", status not in (0, None), (status, out))
