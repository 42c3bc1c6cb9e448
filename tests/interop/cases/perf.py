"""kafka-producer-perf-test and kafka-consumer-perf-test beside the official ones of 3.5.2: what they do, and the shape of what they print."""
import os
import re

from lib import kafka_wire as wire
from lib.context import case

RELEASE, CLASS = "3.5.2", "org.apache.kafka.tools.ProducerPerformance"
NUMBER = r"\d+\.\d"
TOTAL = re.compile(rf"(\d+) records sent, ({NUMBER}{{6}}) records/sec \({NUMBER}{{2}} MB/sec\), {NUMBER}{{2}} ms avg latency, {NUMBER}{{2}} ms max "
                   r"latency, \d+ ms 50th, \d+ ms 95th, \d+ ms 99th, \d+ ms 99\.9th\.")
WINDOW = re.compile(rf"(\d+) records sent, ({NUMBER}) records/sec \({NUMBER}{{2}} MB/sec\), {NUMBER} ms avg latency, {NUMBER} ms max latency\.")


def run(t, which, *arguments):
    arguments = [*arguments, "--producer-props", f"bootstrap.servers={t.cluster.bootstrap}", "acks=all"]
    if which == "official":
        return t.official(RELEASE).run(CLASS, arguments, timeout=90)
    if not t.home_tools().has("kafka-producer-perf-test.sh"):
        t.skip("the home has no kafka-producer-perf-test.sh")
    return t.home_tools().run("kafka-producer-perf-test.sh", *arguments, timeout=90)


@case("a producer's figures", each=("official", "home"))
def figures(t, which):
    topic = t.unique(f"perf-{which}")
    t.cluster.create_topic(topic)
    status, out = run(t, which, "--topic", topic, "--num-records", "2000", "--record-size", "100", "--throughput", "-1")
    found = TOTAL.fullmatch(out.rstrip("\n"))
    t.check("one line", status == 0 and found and found[1] == "2000", (status, out))
    t.check("all are there", t.cluster.end_offsets(topic) == [2000], t.cluster.end_offsets(topic))
    letters = re.findall(rb"[A-Z]{100}", t.cluster.broker.segment_bytes(topic))
    t.check("each of 100 letters, and not all the same", len(letters) == 2000 and len(set(letters)) > 1900, len(letters))
    t.check("of an idempotent producer", all(b["producer"] >= 0 for b in wire.batches(t.cluster.broker.segment_bytes(topic))))


@case("no faster than told, and a line each five seconds", each=("official", "home"))
def throttled(t, which):
    topic = t.unique(f"perf-slow-{which}")
    t.cluster.create_topic(topic)
    status, out = run(t, which, "--topic", topic, "--num-records", "700", "--record-size", "10", "--throughput", "100")
    lines = out.splitlines()
    t.require("two lines", status == 0 and len(lines) == 2, (status, out))
    window, total = WINDOW.fullmatch(lines[0]), TOTAL.fullmatch(lines[1])
    t.check("the first of five seconds", window and 400 <= int(window[1]) <= 520 and 80 < float(window[2]) < 104, lines)
    t.check("the last of all", total and total[1] == "700" and 80 < float(total[2]) < 104, lines)


@case("values from a file", each=("official", "home"))
def payloads(t, which):
    topic = t.unique(f"perf-file-{which}")
    t.cluster.create_topic(topic)
    path = os.path.join(t.folder(), "values")
    with open(path, "w", encoding="utf-8") as f:
        f.write("first value;second 한국어|third|")
    status, out = run(t, which, "--topic", topic, "--num-records", "300", "--payload-file", path, "--payload-delimiter", "[;|]",
                      "--throughput", "-1")
    t.check("says how many it read", status == 0 and f"Reading payloads from: {path}\nNumber of messages read: 3\n" in out, (status, out))
    data = t.cluster.broker.segment_bytes(topic)
    counts = [data.count(v.encode()) for v in ("first value", "second 한국어", "third")]
    t.check("each is taken, at random", sum(counts) == 300 and all(c > 50 for c in counts), counts)


@case("wrong command lines", each=("official", "home"))
def refused(t, which):
    for what, arguments, sentence in [
            ("no size and no file", ["--topic", "x", "--num-records", "1", "--throughput", "-1"], "--record-size"),
            ("both", ["--topic", "x", "--num-records", "1", "--throughput", "-1", "--record-size", "1", "--payload-file", "y"], "not allowed with argument"),
            ("no topic", ["--num-records", "1", "--throughput", "-1", "--record-size", "1"], "argument --topic is required"),
            ("no number", ["--topic", "x", "--num-records", "many", "--throughput", "-1", "--record-size", "1"], "could not convert 'many'")]:
        status, out = run(t, which, *arguments)
        t.check(what, status == 1 and sentence in " ".join(out.split()), (status, out[-500:]))  # lines are folded


# --- kafka-consumer-perf-test -----------------------------------------------------------------------------------------------------
READER = "org.apache.kafka.tools.ConsumerPerformance"
TIME = r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d:\d{3}"
FIGURE = r"(?:-?\d+\.\d{4}|NaN|-?Infinity)"
RATES = rf"{FIGURE}, {FIGURE}, (\d+), {FIGURE}, -?\d+, -?\d+, {FIGURE}, {FIGURE}"
COLUMNS = "data.consumed.in.MB, MB.sec, data.consumed.in.nMsg, nMsg.sec, rebalance.time.ms, fetch.time.ms, fetch.MB.sec, fetch.nMsg.sec"


def read(t, which, *arguments):
    arguments = ["--bootstrap-server", t.cluster.bootstrap, *arguments]
    if which == "official":
        return t.official(RELEASE).run(READER, arguments, timeout=90)
    if not t.home_tools().has("kafka-consumer-perf-test.sh"):
        t.skip("the home has no kafka-consumer-perf-test.sh")
    return t.home_tools().run("kafka-consumer-perf-test.sh", *arguments, timeout=90)


def filled(t, prefix, count):
    topic = t.unique(prefix)
    t.cluster.create_topic(topic)
    with t.cluster.broker.connection() as c:
        assert c.produce(topic, 0, wire.batch([b"x" * 1000] * count))[0] == 0
    return topic


@case("a consumer's figures", each=("official", "home"))
def consumed(t, which):
    topic, group = filled(t, f"perf-read-{which}", 600), t.unique(f"perf-group-{which}")
    status, out = read(t, which, "--topic", topic, "--messages", "600", "--group", group)
    lines = out.splitlines()
    t.require("two lines", status == 0 and len(lines) == 2, (status, out))
    t.check("the columns", lines[0] == f"start.time, end.time, {COLUMNS}", lines[0])
    found = re.fullmatch(rf"{TIME}, {TIME}, {RATES}", lines[1])
    t.check("their values", found and found[1] == "600" and ", 0.5722, " in lines[1], lines[1])
    t.check("the group has committed", t.cluster.committed(group, topic) == [600], t.cluster.committed(group, topic))


@case("a consumer that is short of records, and its details", each=("official", "home"))
def short(t, which):
    topic = filled(t, f"perf-short-{which}", 5)
    status, out = read(t, which, "--topic", topic, "--messages", "9", "--timeout", "2500", "--hide-header", "--date-format", "HH:mm")
    lines = out.splitlines()
    t.check("says that it gave up", status == 0 and len(lines) == 2 and lines[0] ==
            "WARNING: Exiting before consuming the expected number of messages: timeout (2500 ms) exceeded. "
            "You can use the --timeout option to increase the timeout.", (status, out))
    found = re.fullmatch(rf"\d\d:\d\d, \d\d:\d\d, {RATES}", lines[-1])
    t.check("and what it read, in the format of times that was asked for", found and found[1] == "5", lines)
    status, out = read(t, which, "--topic", topic, "--messages", "5", "--show-detailed-stats", "--reporting-interval", "1")
    lines = out.splitlines()
    t.check("the columns of details", status == 0 and lines[0] == f"time, threadId, {COLUMNS}", (status, out))
    t.check("and at least a line of them", len(lines) > 1 and all(re.fullmatch(rf"{TIME}, 0, {RATES}", line) for line in lines[1:]), lines)
