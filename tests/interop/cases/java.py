"""The official Java clients, one JVM a release. The tutorials' steps with these releases' tools ran in the same JVMs
just before; each JVM ends with its release."""
import json
import os
import re
import threading

from lib import kafka_wire as wire, proc
from lib.context import KAFKA_VERSIONS, case


@case("an application's day", each=KAFKA_VERSIONS)
def scenario(t, version):
    status, out = t.official(version).run("Scenario", [t.cluster.bootstrap, t.unique(f"java-{version}"),
                                                    *(["no-transactions"] if t.ours else [])], timeout=240)
    t.report.client_lines("Scenario", status, out)


@case("a log moves to another directory while it is written to", each=KAFKA_VERSIONS)
def move_log(t, version):
    base = t.folder("disks")
    first, second = os.path.join(base, "first"), os.path.join(base, "second")
    own = t.new_cluster(broker_extra={"log.dirs": f"{first},{second}"}).start()
    own.create_topic("moves", configs=[("segment.bytes", "1048576")])
    at = next(d for d in (first, second) if os.path.isdir(os.path.join(d, "moves-0")))
    to = second if at == first else first
    done, sent = threading.Event(), []

    def write():
        with own.broker.connection() as c:
            while not done.is_set():
                value = b"%08d" % len(sent) + b"x" * 5000
                sent.append(c.produce("moves", 0, wire.batch([value]))[0])

    writer = threading.Thread(target=write)
    writer.start()
    try:
        proc.wait_until(lambda: len(sent) > 3000, 30, "records are there")
        status, out = t.official(version).run("MoveLogs", [own.bootstrap, "moves", to], timeout=60)
    finally:
        done.set()
        writer.join()
    t.check("it lies there alone", status == 0 and f"lies in {to}, moves to null" in out, (status, out))
    t.check("a directory that is not in log.dirs", out.count("refused: LogDirNotFoundException") == 2, out)
    t.check("no write was refused", not any(sent), [e for e in sent if e][:5])
    proc.wait_until(lambda: not os.path.isdir(os.path.join(at, "moves-0")), 10, "the former directory is renamed")
    own.broker.logs = to
    numbers = [int(n) for n in re.findall(rb"(\d{8})x{5000}", own.broker.segment_bytes("moves"))]
    t.check("each record once, in order", numbers == list(range(len(sent))), (len(numbers), len(sent)))
    own.broker.kill()
    own.restart_broker()
    own.wait_topic("moves", 1, 40)
    with own.broker.connection() as c:
        t.check("behind a SIGKILL too", c.end_offset("moves") == len(sent), (c.end_offset("moves"), len(sent)))


@case("kafka-dump-log of 3.5.2 reads the segments")
def dump_log(t):
    tools = t.official_tools("3.5.2")
    topic = t.unique("dumped")
    t.cluster.create_topic(topic)
    with t.cluster.broker.connection() as c:  # enough of it that the index has entries
        for n in range(12):
            assert c.produce(topic, 0, wire.batch([b"x" * 3000]))[0] == 0
    lines = "".join(f"record {n}\n" for n in range(500))
    status, out = tools.run("kafka-console-producer.sh", "--bootstrap-server", t.cluster.bootstrap, "--topic", topic,
                            "--compression-codec", "lz4", stdin=lines)
    t.require("produces", status == 0, out)
    folder = t.cluster.broker.partition_dir(topic)
    log = os.path.join(folder, "00000000000000000000.log")
    status, out = tools.run("kafka-dump-log.sh", "--files", log, "--deep-iteration", "--print-data-log")
    t.check("each record of the .log file", status == 0 and len(re.findall(r"payload: record \d+", out)) == 500, out[-600:])
    t.check("valid, lz4", "isvalid: true" in out and "isvalid: false" not in out and "compresscodec: lz4" in out, out[:600])
    status, out = tools.run("kafka-dump-log.sh", "--files", log[:-3] + "index", "--index-sanity-check")
    t.check("the index passes its check", status == 0 and "passed sanity check" in out, out)
    status, out = tools.run("kafka-dump-log.sh", "--files", log[:-3] + "timeindex", "--verify-index-only")
    t.check("the time index too", status == 0 and "mismatch" not in out.lower() and "Found timestamp" not in out, out)


@case("records are deleted, log directories told", each=("bin", *KAFKA_VERSIONS))
def log_admin(t, who):
    tools = t.home_tools() if who == "bin" else t.official_tools(who)
    topic, where = t.unique("deleted"), ("--bootstrap-server", t.cluster.bootstrap)
    t.cluster.create_topic(topic, 2)
    compacted = t.unique("compacted")
    t.cluster.create_topic(compacted, configs=[("cleanup.policy", "compact")])
    size = 0
    with t.cluster.broker.connection() as c:
        for _ in range(10):
            size += len(wire.batch([b"x" * 100]))
            assert c.produce(topic, 0, wire.batch([b"x" * 100]))[0] == 0
    offsets = os.path.join(t.scratch, topic + ".json")

    def delete(*rows, **more):
        with open(offsets, "w") as f:
            json.dump({"partitions": [dict(zip(("topic", "partition", "offset"), row)) for row in rows], "version": 1, **more}, f)
        return tools.run("kafka-delete-records.sh", *where, "--offset-json-file", offsets)

    status, out = delete((topic, 0, 4), (topic, 1, -1))
    t.check("the new starts", status == 0 and f"partition: {topic}-0\tlow_watermark: 4" in out and f"partition: {topic}-1\tlow_watermark: 0" in out, out)
    with t.cluster.broker.connection() as c:
        t.check("a consumer begins there", c.end_offset(topic, 0, -2) == 4 and c.end_offset(topic) == 10)
        t.check("what lies before is out of range", c.fetch(topic, 0, 3)[0] == 1 and c.fetch(topic, 0, 4)[0] == 0)
    status, out = delete((topic, 0, 11), (compacted, 0, 0))
    t.check("an offset beyond the end, a compacted topic", "OffsetOutOfRangeException" in out and "PolicyViolationException" in out, out)
    status, out = delete((topic, 0, 5), (topic, 0, 6))
    t.check("a partition named twice", status != 0 and "duplicate topic partitions" in out, (status, out))
    status, out = delete((topic, 0, 5), version=2)
    t.check("a version that is not known", status != 0 and "ot supported version field value 2" in out, (status, out))
    status, out = tools.run("kafka-log-dirs.sh", *where, "--describe", "--topic-list", topic)
    told = json.loads(next((line for line in out.splitlines() if line.startswith("{")), "{}"))
    t.check("what is asked first", status == 0 and "Querying brokers for log directories information" in out and
            f"Received log directory information from brokers {t.cluster.broker.id}" in out, out)
    rows = {row["partition"]: row for b in told["brokers"] for d in b["logDirs"] for row in d["partitions"]}
    t.check("both partitions with their sizes", rows[f"{topic}-0"] == {"partition": f"{topic}-0", "size": size, "offsetLag": 0, "isFuture": False} and
            rows[f"{topic}-1"]["size"] == 0 and len(rows) == 2, out)
    t.check("their directory", told["brokers"][0]["logDirs"][0]["logDir"] == os.path.dirname(t.cluster.broker.partition_dir(topic)), out)
    if who != "2.5.0":  # which asks that broker until its time-out
        status, out = tools.run("kafka-log-dirs.sh", *where, "--describe", "--broker-list", "4711")
        t.check("a broker that is not there", "do not exist" in out and "4711" in out, (status, out))


@case("end of the JVMs")
def end(t):
    for version in KAFKA_VERSIONS:
        t.drop_official(version)
