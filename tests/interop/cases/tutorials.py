"""The steps that published tutorials tell people to type, with the tools of bin/ and with the official tools of three
releases in their place. Consumers end by a number of messages or a time-out instead of Ctrl+C."""
import os
import re
import shutil
import signal
import subprocess

from lib import cluster, proc
from lib import kafka_wire as wire
from lib.context import KAFKA_VERSIONS, case

TOOLSETS = ("bin", *KAFKA_VERSIONS)


def tools_of(t, which):
    return t.home_tools() if which == "bin" else t.official_tools(which)


def table(text, group):
    """Rows of kafka-consumer-groups --describe: {partition: (current, end, lag)}"""
    rows = {}
    for line in text.splitlines():
        f = line.split()
        if len(f) >= 6 and f[0] == group and f[2].isdigit():
            rows[int(f[2])] = tuple(f[3:6])
    return rows


def lines_in(text, wanted):
    return sorted(x for x in text.splitlines() if x in wanted)


@case("a topic, a producer, consumers, groups, resets", each=TOOLSETS)
def small(t, which):
    tools, b = tools_of(t, which), ["--bootstrap-server", t.cluster.bootstrap]
    topic, group = t.unique("test"), t.unique("testgroup")
    status, out = tools.run("kafka-topics.sh", "--create", *b, "--replication-factor", "1", "--partitions", "3", "--topic", topic)
    t.require("--create", status == 0 and f"Created topic {topic}." in out, (status, out))
    words = ["hello there", "second", "go home", "한국어", "vacation"]
    status, out = tools.run("kafka-console-producer.sh", *b, "--topic", topic, stdin="\n".join(words) + "\n")
    t.check("the console producer takes lines", status == 0, (status, out))
    status, out = tools.run("kafka-console-consumer.sh", *b, "--topic", topic, "--from-beginning", "--max-messages", "5", "--timeout-ms", "20000")
    t.check("the console consumer prints each once", lines_in(out, words) == sorted(words), out)
    t.check("and how many there were", "Processed a total of 5 messages" in out, out)
    digits, letters = list("12345"), list("abcde")
    tools.run("kafka-console-producer.sh", *b, "--topic", topic, stdin="\n".join(digits) + "\n")
    status, out = tools.run("kafka-console-consumer.sh", *b, "--topic", topic, "-group", group, "--from-beginning", "--max-messages", "10",
                            "--timeout-ms", "20000")
    t.check("-group with one dash reads all ten", lines_in(out, words + digits) == sorted(words + digits), out)
    tools.run("kafka-console-producer.sh", *b, "--topic", topic, stdin="\n".join(letters) + "\n")
    status, out = tools.run("kafka-console-consumer.sh", *b, "--topic", topic, "--group", group, "--from-beginning", "--max-messages", "5",
                            "--timeout-ms", "20000")
    t.check("the group goes on from its commit", lines_in(out, words + digits + letters) == letters, out)
    groups = lambda *more: tools.run("kafka-consumer-groups.sh", *b, *more)  # noqa: E731
    status, out = groups("--list")
    t.check("--list of groups", status == 0 and group in out.split(), out)
    status, out = groups("--group", group, "--describe")
    rows = table(out, group)
    t.check("--describe: no active members", f"Consumer group '{group}' has no active members." in out, out)
    t.check("--describe: Kafka's head", re.search(r"GROUP\s+TOPIC\s+PARTITION\s+CURRENT-OFFSET\s+LOG-END-OFFSET\s+LAG\s+CONSUMER-ID\s+HOST\s+CLIENT-ID", out), out)
    t.check("--describe: 15 records, no lag", len(rows) == 3 and sum(int(r[1]) for r in rows.values()) == 15 and
            all(r[2] == "0" for r in rows.values()), out)
    tools.run("kafka-console-producer.sh", *b, "--topic", topic, stdin="100\n200\n300\n")
    rows = table(groups("--group", group, "--describe")[1], group)
    t.check("three more records are the lag", sum(int(r[2]) for r in rows.values() if r[2].isdigit()) == 3, rows)
    status, out = groups("--group", group, "--topic", topic, "--reset-offsets", "--to-earliest", "--execute")
    t.check("--reset-offsets --to-earliest", re.search(r"GROUP\s+TOPIC\s+PARTITION\s+NEW-OFFSET", out) and
            len(re.findall(rf"(?m)^{group}\s+{topic}\s+[012]\s+0\s*$", out)) == 3, out)
    rows = table(groups("--group", group, "--describe")[1], group)
    t.check("and the lag is the whole log", sum(int(r[2]) for r in rows.values()) == 18, rows)
    end = int(rows[1][1])
    status, out = groups("--group", group, "--topic", f"{topic}:1", "--reset-offsets", "--to-offset", "2", "--execute")
    t.check("one partition to an offset, clamped at the end", re.findall(rf"(?m)^{group}\s+{topic}\s+(\d)\s+(\d+)\s*$", out) ==
            [("1", str(min(2, end)))], out)
    status, out = groups("--group", group, "--describe", "--state")
    t.check("--state", status == 0 and "Empty" in out, out)
    status, out = groups("--group", group, "--delete-offsets", "--topic", topic)
    t.check("--delete-offsets", status == 0 and "uccessful" in out and table(groups("--group", group, "--describe")[1], group) in
            ({}, {p: ("-", e, "-") for p, (_c, e, _l) in rows.items()}), out)
    status, out = groups("--group", group, "--delete")
    t.check("--delete of the group", status == 0 and "successful" in out, out)
    status, out = tools.run("kafka-topics.sh", *b, "--delete", "--topic", topic)
    t.check("--delete of the topic", status == 0, out)
    t.cluster.wait_gone(topic)


SETTINGS = {
    "auto.create.topics.enable": "true", "compression.type": "producer", "delete.topic.enable": "true",
    "listener.security.protocol.map": "CLIENT:PLAINTEXT,REPLICATION:PLAINTEXT", "inter.broker.listener.name": "REPLICATION",
    "log.dir": "/tmp/kafka-logs", "log.flush.interval.messages": "9223372036854775807", "log.retention.bytes": "-1",
    "log.retention.hours": "168", "min.insync.replicas": "1", "num.recovery.threads.per.data.dir": "1", "broker.rack": "",
    "default.replication.factor": "1", "log.cleaner.max.compaction.lag.ms": "9223372036854775807",
    "log.cleaner.min.cleanable.ratio": "0.5", "log.cleaner.min.compaction.lag.ms": "0", "num.partitions": "2",
    "message.max.bytes": "1048588", "log.segment.bytes": "1073741824",
}


@case("each setting, every codec, names that are refused", each=TOOLSETS)
def settings(t, which):
    tools = tools_of(t, which)
    own = t.new_cluster(broker_extra=SETTINGS, chroot="/tutorial/two")
    replication, logs = t.ports.take(), own.broker.logs
    own.broker.set(broker__id=-1, log__dirs=f"{logs}/a,{logs}/b",
                   listeners=f"CLIENT://127.0.0.1:{own.broker.port},REPLICATION://127.0.0.1:{replication}")
    own.broker.id = 1001
    own.start()
    b = ["--bootstrap-server", own.bootstrap]
    if tools.has("zookeeper-shell.sh"):
        status, out = tools.run("zookeeper-shell.sh", own.zk_address, "ls", "/tutorial/two/brokers/ids")
        t.check("broker.id=-1 in a chroot becomes 1001", "[1001]" in out, out)
    tools.run("kafka-console-producer.sh", *b, "--topic", "made.by.producer", stdin="hello\n")
    status, out = tools.run("kafka-topics.sh", *b, "--describe", "--topic", "made.by.producer")
    t.check("auto.create.topics.enable with num.partitions", re.search(r"PartitionCount:\s*2", out), out)
    for codec in ("none", "gzip", "snappy", "lz4", "zstd"):
        topic = f"codec-{codec}"
        tools.run("kafka-topics.sh", *b, "--create", "--partitions", "1", "--replication-factor", "1", "--topic", topic)
        lines = "".join(f"line {i} 한국어\n" for i in range(1000))
        tools.run("kafka-console-producer.sh", *b, "--topic", topic, "--compression-codec", codec, stdin=lines)
        status, out = tools.run("kafka-console-consumer.sh", *b, "--topic", topic, "--from-beginning", "--max-messages", "1000",
                                "--timeout-ms", "20000")
        t.check(f"1,000 lines through {codec}, in order", [x for x in out.splitlines() if x.startswith("line ")] == lines.splitlines(), out[-500:])
    create = ["kafka-topics.sh", *b, "--create", "--partitions", "1", "--replication-factor", "1", "--topic"]
    for name, why in (("bad name", "a space"), ("a" * 250, "250 characters"), ("..", "two dots"), ("한글", "letters outside ASCII")):
        status, out = tools.run(*create, name)
        t.check(f"a name with {why} is refused", status != 0 and "Created topic" not in out, (status, out))
    status, out = tools.run(*create, "n" * 249)
    t.check("249 characters are taken", status == 0 and "Created topic" in out, out)
    status, out = tools.run(*create, "mixed.name_x")
    t.check("'.' and '_' warn", "WARNING" in out and "Created topic" in out, out)
    status, out = tools.run(*create, "mixed_name.x")
    t.check("a collision is refused", status != 0 and "collides" in out, out)
    status, out = tools.run("kafka-topics.sh", *b, "--alter", "--topic", "codec-none", "--partitions", "3")
    t.check("partitions can be added", status == 0 and re.search(r"PartitionCount:\s*3", tools.run(
        "kafka-topics.sh", *b, "--describe", "--topic", "codec-none")[1]), out)
    status, out = tools.run("kafka-topics.sh", *b, "--alter", "--topic", "codec-none", "--partitions", "2")
    t.check("but not taken away", status != 0 and "3 partitions" in out, (status, out))
    status, out = tools.run("kafka-topics.sh", *b, "--create", "--topic", "toomany", "--partitions", "1", "--replication-factor", "2")
    t.check("two replicas on one broker are refused", status != 0 and
            re.search(r"replication factor: 2 larger than available brokers: 1|Unable to replicate the partition 2 time", out, re.I), out)
    folders = [d for base in "ab" for d in os.listdir(os.path.join(logs, base)) if d.startswith(("codec-", "made"))]
    t.check("both log directories are used", all(any(d.startswith(("codec-", "made")) for d in os.listdir(os.path.join(logs, base)))
                                                 for base in "ab"), folders)


@case("list, delete by the ZooKeeper shell, make again", each=TOOLSETS)
def micro(t, which):
    tools, b = tools_of(t, which), ["--bootstrap-server", t.cluster.bootstrap]
    if not tools.has("zookeeper-shell.sh"):
        t.skip(f"{which} has no ZooKeeper shell")
    topic = t.unique("quickstart")
    short = "--partition" if t.ours and which == "bin" else "--partitions"
    status, out = tools.run("kafka-topics.sh", "--create", "--topic", topic, short, "2", *b)
    t.require(f"--create with {short}", f"Created topic {topic}." in out, out)
    tools.run("kafka-console-producer.sh", "--topic", topic, *b, stdin="one\ntwo\nthree\n")
    status, out = tools.run("kafka-console-consumer.sh", "--topic", topic, *b, "--from-beginning", "--max-messages", "3", "--timeout-ms", "20000")
    t.check("three lines come back", lines_in(out, ("one", "two", "three")) == ["one", "three", "two"], out)
    status, out = tools.run("zookeeper-shell.sh", t.cluster.zk_address,
                            stdin=f"ls /brokers/topics\ndeleteall /brokers/topics/{topic}\nls /brokers/topics\n")
    # the official shell tells of its connection from another thread, at times in the middle of a line
    whole = re.sub(r"WatchedEvent [^\n]*\n", "", out).replace("\n, ", ", ")
    lists = re.findall(r"(?m)^\[.*\]$", whole)
    t.check("ls, deleteall, ls", len(lists) >= 2 and topic in lists[0] and topic not in lists[-1], out)
    if not t.ours:
        return
    t.cluster.wait_gone(topic)
    t.ok("the topic is gone from the brokers too")
    logs = t.cluster.broker.logs
    proc.wait_until(lambda: not any(d.startswith(topic) for d in os.listdir(logs)), 30, f"files of {topic} are removed")
    t.ok("and its files from the disk")
    status, out = tools.run("kafka-topics.sh", "--create", "--topic", topic, *b)
    t.check("the name can be used again", f"Created topic {topic}." in out, out)
    t.cluster.wait_topic(topic)
    t.check("and is empty", t.cluster.end_offsets(topic) == [0])


@case("API versions, topics with settings, offsets", each=TOOLSETS)
def versions(t, which):
    tools, b = tools_of(t, which), ["--bootstrap-server", t.cluster.bootstrap]
    status, out = tools.run("kafka-broker-api-versions.sh", *b)
    t.check("the broker and its APIs", status == 0 and re.search(r"127\.0\.0\.1:\d+ \(id: 0 rack: null.*\) -> \(", out) and "Produce(0): " in out, out[:500])
    if t.ours and which == KAFKA_VERSIONS[-1]:
        t.check("none that the newest tool does not know", "UNKNOWN(" not in out, out)
    plain, timed = t.unique("hello.kafka"), t.unique("hello.kafka.timed")
    status, out = tools.run("kafka-topics.sh", "--create", *b, "--topic", plain)
    t.check("a topic by default", f"Created topic {plain}." in out, out)
    status, out = tools.run("kafka-topics.sh", "--create", *b, "--partitions", "3", "--replication-factor", "1", "--config",
                            "retention.ms=172800000", "--topic", timed)
    t.check("a topic with retention.ms", f"Created topic {timed}." in out, out)
    status, out = tools.run("kafka-topics.sh", *b, "--describe", "--topic", timed)
    t.check("--describe shows it", "retention.ms=172800000" in out and len(re.findall(r"Leader: 0\s+Replicas: 0\s+Isr: 0", out)) == 3, out)
    status, out = tools.run("kafka-topics.sh", *b, "--list")
    t.check("--list", {plain, timed} <= set(out.split()), out)
    status, out = tools.run("kafka-topics.sh", *b, "--create", "--topic", plain)
    t.check("twice is an error", status != 0 and "already exists" in out, (status, out))
    if which != "2.5.0":
        status, out = tools.run("kafka-topics.sh", *b, "--create", "--if-not-exists", "--topic", plain)
        t.check("--if-not-exists is none", status == 0, (status, out))
    configs = lambda *more: tools.run("kafka-configs.sh", *b, "--entity-type", "topics", "--entity-name", timed, *more)  # noqa: E731
    status, out = configs("--alter", "--add-config", "max.message.bytes=128000,cleanup.policy=[compact,delete]")
    t.check("kafka-configs --alter", status == 0 and "Completed updating config" in out, (status, out))
    status, out = configs("--describe")
    t.check("--describe shows both", "max.message.bytes=128000" in out and "cleanup.policy=compact,delete" in out and "retention.ms=172800000" in out, out)
    status, out = configs("--alter", "--delete-config", "max.message.bytes")
    t.check("--delete-config", status == 0 and "max.message.bytes" not in configs("--describe")[1], out)
    status, out = configs("--alter", "--add-config", "max.message.bytes=lots")
    t.check("a wrong value is refused", status != 0, (status, out))
    tools.run("kafka-console-producer.sh", *b, "--topic", timed, "--property", "parse.key=true", "--property", "key.separator=:",
              stdin="a:1\nb:2\na:3\n")
    where = ["--broker-list" if which == "2.5.0" else "--bootstrap-server", t.cluster.bootstrap, "--topic", timed]
    status, out = tools.run("kafka-get-offsets.sh", *where, "--time", "-1")
    t.check("kafka-get-offsets", status == 0 and sum(int(x) for x in re.findall(rf"(?m)^{timed}:\d:(\d+)$", out)) == 3, (status, out))
    status, out = tools.run("kafka-console-consumer.sh", *b, "--topic", timed, "--from-beginning", "--max-messages", "3", "--timeout-ms", "20000",
                            "--property", "print.key=true", "--property", "key.separator=>")
    t.check("keys are printed", lines_in(out, ("a>1", "b>2", "a>3")) == ["a>1", "a>3", "b>2"], out)
    status, out = tools.run("kafka-topics.sh", *b, "--delete", "--topic", plain)
    t.check("--delete", status == 0, out)
    t.cluster.wait_gone(plain)
    status, out = tools.run("kafka-topics.sh", *b, "--describe", "--topic", "not-there-at-all")
    t.check("--describe of an unknown topic", (status, out) == (0, "") if which == "2.5.0" else status == 1 and "does not exist" in out,
            (status, out))
    status, out = tools.run("kafka-topics.sh", "--list")
    t.check("no server named: status 1 and a sentence", status == 1 and re.search("bootstrap-server|zookeeper", out), (status, out))


@case("a group with active members, brokers' settings, lists and filters", each=TOOLSETS)
def active(t, which):
    if not shutil.which("kcat"):
        t.skip("kcat is not installed")
    tools, b = tools_of(t, which), ["--bootstrap-server", t.cluster.bootstrap]
    topic, group = t.unique("active"), t.unique("active-group")
    t.cluster.create_topic(topic, 2)
    member = proc.spawn(["kcat", "-b", t.cluster.bootstrap, "-G", group, "-q", "-X", "client.id=someone", "-X", "auto.commit.interval.ms=100",
                         "-X", "auto.offset.reset=earliest", topic], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    t.cluster.wait_members(group, 1)
    tools.run("kafka-console-producer.sh", *b, "--topic", topic, stdin="1\n2\n3\n")
    t.cluster.wait_lag_zero(group, topic, 2)
    groups = lambda *more: tools.run("kafka-consumer-groups.sh", *b, *more)  # noqa: E731
    status, out = groups("--describe", "--group", group)
    t.check("--describe names member, host and client", status == 0 and len(re.findall(
        rf"(?m)^{group}\s+{topic}\s+[01]\s+\S+\s+\d+\s+\S+\s+someone-\S+\s+/127\.0\.0\.1\s+someone\s*$", out)) == 2, out)
    status, out = groups("--describe", "--group", group, "--members", "--verbose")
    t.check("--members --verbose names the assignment", status == 0 and re.search(
        rf"{group}\s+someone-\S+\s+/127\.0\.0\.1\s+someone\s+2\s+(-\s+)?{topic}(\(0,1\)|:0,1)", out), out)
    status, out = groups("--describe", "--group", group, "--state")
    t.check("--state: coordinator, strategy, Stable, one member", status == 0 and re.search(
        rf"{group}\s+127\.0\.0\.1:\d+\s+\(0\)\s+range\s+Stable\s+1", out), out)
    status, out = groups("--group", group, "--topic", topic, "--reset-offsets", "--to-earliest", "--execute")
    t.check("offsets of an active group are not reset", "inactive" in out and "Stable" in out, (status, out))
    status, out = groups("--delete", "--group", group)
    t.check("nor is it deleted", "not empty" in out.lower() or "GroupNotEmpty" in out, (status, out))
    status, out = groups("--describe", "--all-groups")
    t.check("--all-groups", status == 0 and group in out, out[:600])
    if which != "2.5.0":
        status, out = groups("--list", "--state")
        t.check("--list --state", status == 0 and re.search(rf"(?m)^{group}\s.*Stable", out), out)
    proc.end_group(member, signal.SIGTERM)
    status, out = groups("--describe", "--group", t.unique("never-heard-of"))
    t.check("--describe of an unknown group", "does not exist" in out or "not found" in out, (status, out))
    configs = lambda *more: tools.run("kafka-configs.sh", *b, *more)  # noqa: E731
    status, out = configs("--describe", "--entity-type", "topics", "--entity-name", topic, "--all") if which != "2.5.0" else (0, "retention.ms=604800000")
    t.check("kafka-configs --describe --all", status == 0 and "retention.ms=604800000" in out, (status, out[:800]))
    status, out = configs("--describe", "--entity-type", "brokers", "--entity-name", "0")
    t.check("a broker's settings", status == 0, (status, out))
    topics = lambda *more: tools.run("kafka-topics.sh", *b, *more)  # noqa: E731
    status, out = topics("--describe", "--topics-with-overrides")
    t.check("--topics-with-overrides", status == 0 and re.search(r"Topic: __consumer_offsets\t.*cleanup\.policy=compact", out), out[:500])
    status, out = topics("--describe", "--topic", topic)
    t.check("--describe shows what server.properties sets for every topic", "file.delete.delay.ms=1000" in out, out)
    status, out = topics("--describe", "--unavailable-partitions")
    t.check("--unavailable-partitions: none", status == 0 and "Leader:" not in out, out[:500])
    status, out = topics("--list", "--exclude-internal")
    t.check("--exclude-internal", status == 0 and "__consumer_offsets" not in out and topic in out.split(), out[:500])
    status, out = topics("--delete", "--topic", t.unique("not-there"))
    t.check("--delete of an unknown topic", status == 1 and "does not exist" in out or which == "2.5.0" and status == 1, (status, out))
    if which != "2.5.0":
        status, out = topics("--delete", "--if-exists", "--topic", t.unique("not-there"))
        t.check("--delete --if-exists", status == 0, (status, out))
    status, out = tools.run("kafka-console-consumer.sh", *b, "--topic", topic, "--partition", "0", "--offset", "earliest", "--timeout-ms", "1500")
    status, more = tools.run("kafka-console-consumer.sh", *b, "--topic", topic, "--partition", "1", "--offset", "0", "--timeout-ms", "1500")
    t.check("--partition and --offset", lines_in(out + more, ("1", "2", "3")) == ["1", "2", "3"], out + more)


@case("--zookeeper of 2.5 in kafka-topics and kafka-configs", each=("bin", "2.5.0"))
def by_zookeeper(t, which):
    if which == "bin" and t.home.apache and not t.home.version.startswith("2."):
        t.skip(f"{t.home.version} has no --zookeeper")
    tools, z = tools_of(t, which), ["--zookeeper", t.cluster.zk_address]
    topic = t.unique("by-zookeeper")
    status, out = tools.run("kafka-topics.sh", *z, "--create", "--topic", topic, "--partitions", "2", "--replication-factor", "1",
                            "--config", "segment.ms=7200000")
    t.require("--create", status == 0 and f"Created topic {topic}." in out, (status, out))
    t.cluster.wait_topic(topic, 2)
    t.ok("the controller makes its partitions")
    with t.cluster.broker.connection() as c:
        assert c.produce(topic, 0, wire.batch([b"kept"] * 7))[0] == 0
    status, out = tools.run("kafka-topics.sh", *z, "--describe", "--topic", topic)
    t.check("--describe", status == 0 and re.search(r"PartitionCount:\s*2", out) and "segment.ms=7200000" in out, out)
    status, out = tools.run("kafka-topics.sh", *z, "--alter", "--topic", topic, "--partitions", "4")
    t.check("--alter", status == 0, (status, out))
    t.cluster.wait_topic(topic, 4)
    t.check("and its records stay", t.cluster.end_offsets(topic, 4) == [7, 0, 0, 0], t.cluster.end_offsets(topic, 4))
    status, out = tools.run("kafka-configs.sh", *z, "--alter", "--entity-type", "topics", "--entity-name", topic, "--add-config", "max.message.bytes=2000")
    t.check("kafka-configs --alter", status == 0, (status, out))

    def effective():
        with t.cluster.broker.connection() as c:
            return c.produce(topic, 0, wire.batch([b"x" * 3000]))[0] == 10
    proc.wait_until(effective, 20, "the new setting takes hold in the broker")
    t.ok("and the broker follows it")
    status, out = tools.run("kafka-topics.sh", *z, "--list")
    t.check("--list", topic in out.split(), out)
    status, out = tools.run("kafka-topics.sh", *z, "--delete", "--topic", topic)
    t.check("--delete", status == 0 and "marked for deletion" in out, (status, out))
    t.cluster.wait_gone(topic)
    t.ok("and it is deleted")


@case("both services started at the same moment, stopped, started again", each=("bin", "3.5.2"))
def units(t, which):
    tools = tools_of(t, which)
    own = t.new_cluster()
    own.zk.launch()
    own.broker.launch()
    own.zk.wait_ready()
    own.broker.wait_ready()
    status, out = tools.run("kafka-topics.sh", "--create", "--bootstrap-server", own.bootstrap, "--replication-factor", "1", "--partitions", "1",
                            "--topic", "event-pusher")
    t.require("a topic", status == 0, out)
    tools.run("kafka-console-producer.sh", "--broker-list", own.bootstrap, "--topic", "event-pusher", stdin="pushed\n")
    names = os.listdir(own.broker.partition_dir("event-pusher"))
    t.check("the folder holds .log, .index and .timeindex", {os.path.splitext(n)[1] for n in names} >= {".log", ".index", ".timeindex"}, names)
    t.check("the broker ends cleanly", own.broker.stop() in (0, 143, -15))
    t.check("the coordinator too", own.zk.stop() in (0, 143, -15))
    t.check("the ports are free", not cluster.listening(own.broker.port) and not cluster.listening(own.zk.port))
    own.zk.launch()
    own.broker.launch()
    own.zk.wait_ready()
    own.broker.wait_ready()
    status, out = tools.run("kafka-console-consumer.sh", "--bootstrap-server", own.bootstrap, "--topic", "event-pusher", "--from-beginning",
                            "--max-messages", "1", "--timeout-ms", "20000")
    t.check("the record is still there", "pushed" in out.splitlines(), out)
