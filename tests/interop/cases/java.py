"""The official Java clients, one JVM a release. The tutorials' steps with these releases' tools ran in the same JVMs
just before; each JVM ends with its release."""
import os
import re

from lib import kafka_wire as wire
from lib.context import KAFKA_VERSIONS, case


@case("an application's day", each=KAFKA_VERSIONS)
def scenario(t, version):
    status, out = t.official(version).run("Scenario", [t.cluster.bootstrap, t.unique(f"java-{version}"),
                                                    *(["no-transactions"] if t.ours else [])], timeout=240)
    t.report.client_lines("Scenario", status, out)


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


@case("end of the JVMs")
def end(t):
    for version in KAFKA_VERSIONS:
        t.drop_official(version)
