"""What a wrong configuration or a taken resource gets, and that starting again is quick.

A refusal is one line with cause and remedy, a status that is not 0, and nothing left running."""
import os
import re
import shutil
import subprocess
import tempfile

from lib import cluster, peers, proc, zk_wire
from lib import kafka_wire as wire
from lib.context import case
from lib.report import Timer

SENTENCE = "Apache Kafka says it with a stack trace"


def refusal(t, service, *words, seconds=20, what="does not start and says why in one line"):
    """The service must end by itself with a status that is not 0; one line must hold all the words."""
    status = service.wait_end(seconds)
    text = service.output()
    if status is None:
        service.kill()
    t.check(f"{what}: exit status", status not in (None, 0), f"{status}\n{text[-1500:]}")
    lines = [line for line in text.splitlines() if all(w.lower() in line.lower() for w in words)]
    t.check(f"{what}: {', '.join(words)}", lines, text[-1500:])
    t.check("no stack trace, no crash", "core dumped" not in text and "terminate called" not in text and
            "CHECK failed" not in text, text[-800:])


def line_of(service, key):
    with open(service.file) as f:
        for number, line in enumerate(f, 1):
            if line.startswith(key + "="):
                return number
    return 0


# --- values ------------------------------------------------------------------------------------------------------------------
BROKER_VALUES = [
    ("num.partitions", "zero"), ("num.partitions", "0"), ("broker.id", "-9"), ("log.segment.bytes", "5"),
    ("message.max.bytes", "-1"), ("auto.create.topics.enable", "maybe"), ("compression.type", "zip"),
    ("log.cleanup.policy", "burn"), ("log.retention.hours", "1.5"), ("offsets.topic.num.partitions", "99999999999"),
    ("listeners", "PLAINTEXT:/127.0.0.1"), ("listeners", "PLAINTEXT://127.0.0.1:99999"), ("zookeeper.connect", ""),
    ("log.cleaner.min.cleanable.ratio", "2"), ("log.message.timestamp.type", "Never"),
    ("group.initial.rebalance.delay.ms", "x"),
]
ZK_VALUES = [("clientPort", "http"), ("clientPort", "70000"), ("tickTime", "-3"), ("maxClientCnxns", "many"),
             ("clientPortAddress", "not an address")]


@case("a wrong value of the broker", ours_only=SENTENCE, each=[f"{k}={v}" for k, v in BROKER_VALUES])
def broker_value(t, pair):
    key, value = pair.split("=", 1)
    own = t.new_cluster(broker_extra={key: value})
    b = own.broker.launch()
    refusal(t, b, "broker-0.properties", str(line_of(b, key)), key, value or key)


@case("a wrong value of the coordinator", ours_only=SENTENCE, each=[f"{k}={v}" for k, v in ZK_VALUES])
def zk_value(t, pair):
    key, value = pair.split("=", 1)
    own = t.new_cluster(zk_extra={key: value})
    refusal(t, own.zk.launch(), "zookeeper.properties", str(line_of(own.zk, key)), key, value)


@case("an unknown key is a warning with the nearest known one", ours_only=SENTENCE)
def unknown_key(t):
    own = t.new_cluster(broker_extra={"log.retention.hour": "5"}, zk_extra={"tickTim": "2000"}).start()
    for service, wrong, right in ((own.broker, "log.retention.hour", "log.retention.hours"), (own.zk, "tickTim", "tickTime")):
        lines = [x for x in service.output().splitlines() if re.search(rf"\b{re.escape(wrong)}\b(?![a-z])", x) and "WARN" in x.upper()]
        t.check(f"{wrong}: a warning that names {right}", any(re.search(rf"{re.escape(right)}\b", x) for x in lines),
                lines or service.output()[:1500])


BROKER_SECURITY = {
    "listeners=SSL": {"listeners": "SSL://127.0.0.1:{port}"},
    "listeners=SASL_PLAINTEXT": {"listeners": "SASL_PLAINTEXT://127.0.0.1:{port}"},
    "a listener mapped to SSL": {"listeners": "CLIENT://127.0.0.1:{port}", "listener.security.protocol.map": "CLIENT:SSL",
                                 "inter.broker.listener.name": "CLIENT"},
    "authorizer.class.name": {"authorizer.class.name": "kafka.security.authorizer.AclAuthorizer"},
    "ssl.client.auth": {"ssl.client.auth": "required"},
}
ZK_SECURITY = {
    "secureClientPort": {"secureClientPort": "22699"},
    "requireClientAuthScheme": {"requireClientAuthScheme": "sasl"},
    "authProvider.1": {"authProvider.1": "org.apache.zookeeper.server.auth.X509AuthenticationProvider"},
}


@case("a setting whose absence weakens security stops the start: broker", ours_only="Apache Kafka has it in effect", each=BROKER_SECURITY)
def broker_security(t, name):
    own = t.new_cluster()
    own.broker.set(**{k: v.format(port=own.broker.port) for k, v in BROKER_SECURITY[name].items()})
    word = "listener" if "listener" in name else name
    refusal(t, own.broker.launch(), word)
    t.check("and the port is not open", not cluster.listening(own.broker.port))


@case("a setting whose absence weakens security stops the start: coordinator", ours_only="ZooKeeper has it in effect", each=ZK_SECURITY)
def zk_security(t, name):
    own = t.new_cluster(zk_extra=ZK_SECURITY[name])
    refusal(t, own.zk.launch(), name)
    t.check("and the port is not open", not cluster.listening(own.zk.port))


# --- resources -----------------------------------------------------------------------------------------------------------------
@case("port in use", ours_only=SENTENCE)
def port_in_use(t):
    c = t.cluster
    other = t.keep(cluster.Broker(t.home, t.folder(), c.broker.port, c.connect, broker_id=7))
    refusal(t, other.launch(), str(c.broker.port), "in use")
    zk = t.keep(cluster.Zookeeper(t.home, t.folder(), c.zk.port))
    refusal(t, zk.launch(), str(c.zk.port), "in use")
    t.check("those who hold the ports go on", c.broker.answers() and c.zk.answers())


@case("a folder that cannot be written", ours_only=SENTENCE)
def not_writable(t):
    own = t.new_cluster()
    own.zk.launch().wait_ready()
    with open(os.path.join(own.directory, "file"), "w") as f:
        f.write("in the way\n")
    below = os.path.join(own.directory, "file", "logs")
    own.broker.set(log__dirs=below)
    refusal(t, own.broker.launch(), below)
    zk = t.keep(cluster.Zookeeper(t.home, t.folder(), t.ports.take(), data=below))
    refusal(t, zk.launch(), below)


@case("a data directory that another process holds", ours_only=SENTENCE)
def locked(t):
    c = t.cluster
    other = t.keep(cluster.Broker(t.home, t.folder(), t.ports.take(), c.connect, broker_id=8, logs=c.broker.logs))
    refusal(t, other.launch(), c.broker.logs)
    zk = t.keep(cluster.Zookeeper(t.home, t.folder(), t.ports.take(), data=c.zk.pairs["dataDir"]))
    refusal(t, zk.launch(), c.zk.pairs["dataDir"])
    t.check("those who hold them go on", c.broker.answers() and c.zk.answers())


@case("a second broker with the same id", ours_only=SENTENCE)
def same_id(t):
    c = t.cluster
    other = t.keep(cluster.Broker(t.home, t.folder(), t.ports.take(), c.connect, broker_id=0))
    refusal(t, other.launch(), "id", "0", what="is refused while the first lives")
    with c.broker.connection() as k:
        t.check("the first one is still the broker", k.metadata([])["brokers"][0][1] == c.broker.port)


@case("a log directory of another cluster", ours_only=SENTENCE)
def other_cluster(t):
    own = t.new_cluster()
    own.start()
    own.broker.stop()
    path = os.path.join(own.broker.logs, "meta.properties")
    with open(path) as f:
        text = f.read()
    t.require("meta.properties is Kafka's", re.search(r"(?m)^cluster\.id=\S{22}$", text) and "broker.id=0" in text and
              "version=0" in text, text)
    with open(path, "w") as f:
        f.write(re.sub(r"cluster\.id=\S+", "cluster.id=AAAAAAAAAAAAAAAAAAAAAA", text))
    refusal(t, own.broker.launch(), "AAAAAAAAAAAAAAAAAAAAAA", "cluster")


@case("coordinator unreachable: one line, then it waits, and comes up")
def coordinator_later(t):
    own = t.new_cluster()
    own.broker.launch()
    if t.ours:
        said = proc.wait_until(lambda: [x for x in own.broker.output().splitlines() if str(own.zk.port) in x and "connect" in x.lower()],
                               15, "a line that names the coordinator")
        t.check("the broker says for whom it waits", said)
        clock = Timer()
        status = own.broker.stop(20)
        t.check("SIGTERM ends it while it waits", status in (0, 143, -15) and clock.seconds() < 10, (status, clock.seconds()))
        own.broker.launch()
    own.zk.launch().wait_ready()
    own.broker.wait_ready(40)
    t.ok("both started in the wrong order come up")


# --- starting again ---------------------------------------------------------------------------------------------------------------
@case("a restart after SIGKILL")
def after_kill(t):
    own = t.new_cluster().start()
    own.create_topic("kept", 2)
    with own.broker.connection() as c:
        for n in range(50):
            assert c.produce("kept", n % 2, wire.batch([b"record %d" % n]))[0] == 0
        error, producer, epoch = c.init_producer_id()
        assert error == 0
        assert c.produce("kept", 0, wire.batch([b"a", b"b"], producer=(producer, epoch, 0)))[0] == 0
    own.broker.kill()
    clock = Timer()
    own.restart_broker()
    own.wait_topic("kept", 2, 40)
    taken = clock.seconds()
    t.check("takes over" + (" at once (below 3 s)" if t.ours else ""), taken < (3 if t.ours else 60), f"{taken:.2f} s")
    t.check("every acknowledged record is there", own.end_offsets("kept", 2) == [27, 25], own.end_offsets("kept", 2))
    with own.broker.connection() as c:
        again = c.produce("kept", 0, wire.batch([b"a", b"b"], producer=(producer, epoch, 0)))
        t.check("sequences survive: the duplicate is known", again == (0, 25), again)
        t.check("and a gap is refused", c.produce("kept", 0, wire.batch([b"c"], producer=(producer, epoch, 9)))[0] == 45)
        t.check("the next one is taken", c.produce("kept", 0, wire.batch([b"c"], producer=(producer, epoch, 2)))[0] == 0)
        data = c.fetch("kept", 1, 0)[2]
    t.check("and can be read", sum(b["records"] for b in wire.batches(data)) == 25, len(data))


@case("a clean stop and a start of both")
def clean(t):
    own = t.new_cluster().start()
    own.create_topic("clean")
    own.create_topic("more", 30)
    with own.broker.connection() as c:
        assert c.produce("clean", 0, wire.batch([b"kept"]))[0] == 0
    status = own.broker.stop()
    t.check("SIGTERM ends the broker with 0 or 143", status in (0, 143, -15), status)
    t.check(".kafka_cleanshutdown is written", os.path.exists(os.path.join(own.broker.logs, ".kafka_cleanshutdown")),
            os.listdir(own.broker.logs))
    names = os.listdir(own.broker.partition_dir("clean"))
    t.check("the producer snapshot of a clean stop", any(n.endswith(".snapshot") for n in names), names)
    status = own.zk.stop()
    t.check("SIGTERM ends the coordinator with 0 or 143", status in (0, 143, -15), status)
    own.start()
    own.wait_topic("clean", 1, 40)
    t.check("the record is there", own.end_offsets("clean") == [1], own.end_offsets("clean"))
    for n in range(3 if t.ours else 0):
        own.broker.stop()
        own.zk.stop()
        own.start()
        own.wait_topic("more", 30, 40)
        with own.broker.connection() as c:
            proc.wait_until(lambda: all(c.produce("more", p, wire.batch([b"x"]))[0] == 0 for p in range(30)), 20, "each partition takes a record")
    t.ok("and again, with 30 partitions that all serve")


@case("the coordinator goes away and comes back")
def coordinator_away(t):
    own = t.new_cluster().start()
    own.create_topic("before")
    if t.ours:
        session = zk_wire.Session(own.zk.port)
        born = session.call(3, zk_wire.text("/brokers/ids/0") + b"\0")[1][:8]
    own.zk.kill()
    with own.broker.connection() as c:
        for n in range(10):
            assert c.produce("before", 0, wire.batch([b"while it is away"]))[0] == 0
        data = c.fetch("before", 0, 0)[2]
    t.check("the broker serves produce and fetch meanwhile", sum(b["records"] for b in wire.batches(data)) == 10)
    if t.ours:
        with own.broker.connection() as c:
            clock = Timer()
            error = c.create_topic("refused-now")[0]
            t.check("what needs the coordinator gets an error in time", error != 0 and clock.seconds() < 40, (error, clock.seconds()))
    own.zk.launch().wait_ready()

    def works():
        try:
            with own.broker.connection() as c:
                return c.create_topic("after")[0] in (0, 36)
        except OSError:
            return False
    proc.wait_until(works, 60, "topics can be made again")
    own.wait_topic("after", 1, 40)
    t.ok("and goes on with it when it is back")
    if t.ours:
        session = zk_wire.Session(own.zk.port)
        now = session.call(3, zk_wire.text("/brokers/ids/0") + b"\0")[1][:8]
        t.check("/brokers/ids/0 is the same znode: its session was kept", now == born, (born.hex(), now.hex()))
        session.close()


@case("-daemon says what runs, and the stop scripts end it", ours_only="Apache Kafka prints nothing")
def daemon(t):
    home = os.path.join(t.folder("home"), "kafka")
    shutil.copytree(t.home.path, home, symlinks=True, ignore=shutil.ignore_patterns("logs"))
    zk_port, port, data = t.ports.take(), t.ports.take(), t.folder("data")
    with open(os.path.join(home, "config", "z.properties"), "w") as f:
        f.write(f"dataDir={data}/zookeeper\nclientPort={zk_port}\nclientPortAddress=127.0.0.1\nadmin.enableServer=false\n")
    with open(os.path.join(home, "config", "k.properties"), "w") as f:
        f.write(f"broker.id=0\nlisteners=PLAINTEXT://127.0.0.1:{port}\nlog.dirs={data}/logs\nzookeeper.connect=127.0.0.1:{zk_port}\n"
                "offsets.topic.replication.factor=1\n")

    def tool(*words):
        return proc.run(["bash", f"bin/{words[0]}", *words[1:]], cwd=home, timeout=60)
    status, out = tool("zookeeper-server-start.sh", "-daemon", "config/z.properties")
    t.check("zookeeper-server-start.sh -daemon: status 0, pid and port are named", status == 0 and str(zk_port) in out and
            re.search(r"\bpid:?\s*\d+", out), (status, out))
    t.check("and it answers at that moment", cluster.listening(zk_port))
    status, out = tool("kafka-server-start.sh", "-daemon", "config/k.properties")
    t.check("kafka-server-start.sh -daemon: status 0, pid and port are named", status == 0 and str(port) in out and
            re.search(r"\bpid:?\s*\d+", out), (status, out))
    pid = int(re.search(r"\bpid:?\s*(\d+)", out)[1])
    t.check("and it answers at that moment", cluster.listening(port))
    t.check("HOME/logs holds the logs", any(os.path.getsize(os.path.join(home, "logs", n)) for n in os.listdir(home + "/logs")))
    status, out = tool("kafka-server-start.sh", "-daemon", "config/k.properties")
    t.check("a second start says why not", status != 0 and out.strip(), (status, out))
    status, out = tool("kafka-server-stop.sh")
    # it lets go of its port first, and of its logs then
    proc.wait_until(lambda: not os.path.exists(f"/proc/{pid}"), 20, "the broker ends")
    t.check("kafka-server-stop.sh ends it", status == 0, (status, out))
    status, out = tool("zookeeper-server-stop.sh")
    proc.wait_until(lambda: not cluster.listening(zk_port), 20, "the coordinator ends")
    t.check("zookeeper-server-stop.sh ends it", status == 0, (status, out))
    status, out = tool("kafka-server-stop.sh")
    t.check("with nothing to stop: Kafka's sentence and status 1", status == 1 and "No kafka server to stop" in out, (status, out))


@case("--override and a chroot")
def override(t):
    own = t.new_cluster(chroot="/deep/er")
    own.zk.launch().wait_ready()
    own.broker.launch(["--override", "num.partitions=4", "--override", "auto.create.topics.enable=true"]).wait_ready()
    with own.broker.connection() as c:
        c.metadata(["made-by-asking"])
    own.wait_topic("made-by-asking", 4)
    t.ok("--override wins over the file")
    session = zk_wire.Session(own.zk.port)
    t.check("the chroot holds the broker", session.call(3, zk_wire.text("/deep/er/brokers/ids/0") + b"\0")[0] == 0)
    t.check("and the root does not", session.call(3, zk_wire.text("/brokers/ids/0") + b"\0")[0] == -101)
    session.close()


@case("clients against three brokers, one of them killed and back")
def clients_on_three(t):
    own = t.new_cluster(broker_extra={"offsets.topic.num.partitions": 12}).start()
    for n in (1, 2):
        own.another_broker(n, {"offsets.topic.num.partitions": 12}).launch().wait_ready()
    with own.broker.connection() as c:
        proc.wait_until(lambda: set(c.metadata([])["brokers"]) == {0, 1, 2}, 20, "three brokers in the metadata")
    status, out = proc.run([peers.python(), os.path.join(peers.CLIENTS, "python", "confluent_scenario.py"),
                            f"127.0.0.1:{own.others[0].port}", "three"], timeout=200)
    t.report.client_lines("confluent on three brokers", status, out)
    with own.broker.connection() as c:
        leaders = {r["leader"] for r in c.metadata(["__consumer_offsets"])["topics"]["__consumer_offsets"]["partitions"].values()}
    t.check("the groups' topic is spread over all three", leaders == {0, 1, 2}, leaders)
    own.create_topic("spread", 6)
    everyone = f"127.0.0.1:{own.broker.port},127.0.0.1:{own.others[0].port},127.0.0.1:{own.others[1].port}"
    lines = "".join(f"{n}\n" for n in range(40000))
    if not shutil.which("kcat"):
        t.skip("kcat is not installed")
    p = proc.spawn(["kcat", "-b", everyone, "-P", "-E", "-t", "spread", "-X", "enable.idempotence=true", "-X", "message.timeout.ms=120000",
                    "-X", "batch.num.messages=100", "-X", "linger.ms=1"], stdin=-1)
    p.stdin.write(lines[:len(lines) // 2].encode())
    p.stdin.flush()
    own.others[1].kill()
    p.stdin.write(lines[len(lines) // 2:].encode())
    p.stdin.close()
    if t.home.apache:
        def gone():
            session = zk_wire.Session(own.zk.port)
            try:
                return session.call(3, zk_wire.text("/brokers/ids/2") + b"\0")[0] == -101
            finally:
                session.close()
        proc.wait_until(gone, 40, "the killed broker's session ends")
    own.others[1].launch().wait_ready(60)
    t.check("an idempotent producer gets over it", p.wait(120) == 0, p.stdout.read()[-500:])
    status, out = proc.run(["kcat", "-b", everyone, "-C", "-t", "spread", "-e", "-q"], merge=False, timeout=60)
    t.check("no line lost, none twice", sorted(out.split(), key=int) == lines.split(), len(out.split()))


@case("committed offsets survive a SIGKILL and a clean stop")
def offsets_survive(t):
    own = t.new_cluster().start()
    own.create_topic("kept", 3)

    def commit(offset):
        with own.broker.connection() as c:
            proc.wait_until(lambda: c.coordinator_of("by-hand")[0] == 0, 30, "a group coordinator")
            return proc.wait_until(lambda: c.commit("by-hand", "kept", {p: offset + p for p in range(3)}) == {0: 0, 1: 0, 2: 0},
                                   30, "the commit is taken")
    commit(100)
    own.broker.kill()
    own.restart_broker()

    def seen(offset):
        with own.broker.connection() as c:
            return c.coordinator_of("by-hand")[0] == 0 and own.committed("by-hand", "kept", 3) == [offset, offset + 1, offset + 2]
    proc.wait_until(lambda: seen(100), 30, "the offsets committed before the SIGKILL")
    t.ok("after a SIGKILL")
    commit(200)
    own.broker.stop()
    own.broker.launch().wait_ready()
    proc.wait_until(lambda: seen(200), 30, "the offsets committed before the stop")
    t.ok("after a clean stop")


@case("two clusters in two chroots of one coordinator")
def two_clusters(t):
    own = t.new_cluster(chroot="/one").start()
    other = cluster.Broker(t.home, t.folder(), t.ports.take(), f"127.0.0.1:{own.zk.port}/two", broker_id=0)
    own.others.append(other)
    other.launch().wait_ready()
    own.create_topic("only-here")
    with other.connection() as c:
        t.check("the other one knows nothing of it", "only-here" not in c.metadata()["topics"])
        t.check("the same name can be made there", c.create_topic("only-here", 2)[0] == 0)
        proc.wait_until(lambda: len(c.metadata(["only-here"])["topics"]["only-here"]["partitions"]) == 2, 20, "two partitions")
    with own.broker.connection() as c:
        t.check("and each has its own", len(c.metadata(["only-here"])["topics"]["only-here"]["partitions"]) == 1 and
                list(c.metadata([])["brokers"].values())[0][1] == own.broker.port)


# --- the installed home ------------------------------------------------------------------------------------------------------------
NATIVE = ["zookeeper-server-start", "zookeeper-server-stop", "kafka-server-start", "kafka-server-stop", "kafka-topics", "kafka-console-producer",
          "kafka-console-consumer", "kafka-consumer-groups", "kafka-configs", "kafka-get-offsets", "kafka-delete-records", "kafka-log-dirs",
          "kafka-broker-api-versions", "kafka-dump-log", "kafka-producer-perf-test", "kafka-consumer-perf-test", "zookeeper-shell"]


@case("the home is as the tutorials know it", ours_only="an Apache home made by get_peer holds no settings")
def home_layout(t):
    missing = [n for n in NATIVE for name in (n + ".sh", n) if not os.access(t.home.bin(name), os.X_OK)]
    t.check("bin/ holds each tool as NAME.sh and NAME", not missing, missing)
    t.check("no JVM anywhere", not any(n.endswith(".jar") for _d, _s, files in os.walk(t.home.path) for n in files))
    with open(os.path.join(t.home.path, "config", "server.properties")) as f:
        server = f.read()
    with open(os.path.join(t.home.path, "config", "zookeeper.properties")) as f:
        zookeeper = f.read()
    t.check("config/server.properties has the tutorials' values", re.search(r"(?m)^log\.dirs=/tmp/kafka-logs$", server) and
            re.search(r"(?m)^zookeeper\.connect=localhost:2181$", server) and re.search(r"(?m)^broker\.id=0$", server), server)
    t.check("config/zookeeper.properties too", re.search(r"(?m)^dataDir=/tmp/zookeeper$", zookeeper) and
            re.search(r"(?m)^clientPort=2181$", zookeeper) and
            re.search(r"(?m)^4lw\.commands\.whitelist=\s*ruok, ?srvr, ?stat, ?mntr, ?conf\s*$", zookeeper), zookeeper)


@case("a data directory under /tmp gives a warning that names the line", ours_only="Apache Kafka does not warn")
def below_tmp(t):
    base = tempfile.mkdtemp(prefix="odradek-interop-", dir="/tmp")
    try:
        own = t.new_cluster(broker_extra={"log.dirs": base + "/logs"}, zk_extra={"dataDir": base + "/zookeeper"}).start()
        for service, key in ((own.broker, "log.dirs"), (own.zk, "dataDir")):
            line = str(line_of(service, key))
            found = [x for x in service.output().splitlines() if "WARN" in x.upper() and "/tmp" in x and key in x]
            t.check(f"{key}: file and line are named", any(re.search(rf"{service.name}\.properties\D*{line}\b", x) for x in found),
                    found or service.output()[:1500])
    finally:
        t.end_case()
        shutil.rmtree(base, ignore_errors=True)


@case("variables that official scripts know are understood or named once", ours_only="they are the JVM's")
def variables(t):
    own = t.new_cluster()
    env = {"KAFKA_OPTS": "-Dsome.property=1", "KAFKA_LOG4J_OPTS": "-Dlog4j.configuration=file:nothing", "JMX_PORT": "9999",
           "KAFKA_HEAP_OPTS": "-Xmx300m -Xms300m"}
    own.zk.launch(env=env).wait_ready()
    own.broker.launch(env=env).wait_ready()
    with open(own.broker.output_file, errors="replace") as f:
        text = f.read()
    for name in ("KAFKA_OPTS", "KAFKA_LOG4J_OPTS", "JMX_PORT"):
        t.check(f"{name} is named once", sum(name in x for x in text.splitlines()) == 1, [x for x in text.splitlines() if name in x] or text[:800])
    t.check("LOG_DIR holds the logs", any(n.startswith("server") for n in os.listdir(own.broker.log_dir)), os.listdir(own.broker.log_dir))


@case("what belongs to a later release is said in a sentence", ours_only="Apache Kafka has it")
def later(t):
    tools, b = t.home_tools(), ["--bootstrap-server", t.cluster.bootstrap]
    for script, arguments in (("kafka-configs.sh", ["--alter", "--entity-type", "users", "--entity-name", "u", "--add-config",
                                                    "producer_byte_rate=1000"]),
                              ("kafka-configs.sh", ["--alter", "--entity-type", "users", "--entity-name", "u", "--add-config",
                                                    "SCRAM-SHA-256=[password=x]"])):
        status, out = tools.run(script, *b, *arguments)
        t.check(f"{script} {arguments[-1]}: status 1 and a sentence", status == 1 and len(out.strip()) > 20, (status, out))
    for script in ("kafka-topics.sh", "kafka-console-consumer.sh", "kafka-consumer-groups.sh", "kafka-configs.sh"):
        status, out = tools.run(script, *b, "--no-such-option")
        t.check(f"{script} --no-such-option: status 1, the option is named", status == 1 and "no-such-option" in out, (status, out[:300]))
        status, out = tools.run(script, "--help")
        t.check(f"{script} --help: the usage, status 1 as Kafka has it", status == 1 and "--bootstrap-server" in out, (status, out[:300]))
        status, out = tools.run(script, "--version")
        t.check(f"{script} --version", status == 0 and re.search(r"\d+\.\d+", out), (status, out[:300]))
    impatient = os.path.join(t.folder(), "impatient.properties")
    with open(impatient, "w") as f:
        f.write("request.timeout.ms=1000\ndefault.api.timeout.ms=3000\n")
    status, out = tools.run("kafka-topics.sh", "--bootstrap-server", f"127.0.0.1:{t.ports.take()}", "--list", "--command-config", impatient,
                            timeout=30)
    t.check("no broker there: an error, not a hang", status not in (0, None), (status, out))


# --- a full disk -----------------------------------------------------------------------------------------------------------------
@case("a full disk", ours_only="Apache Kafka stops when its only log directory fails")
def disk_full(t):
    where = t.folder("tmpfs")
    made = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=48m", "interop", where], capture_output=True, text=True)
    if made.returncode != 0:
        t.skip(f"a tmpfs cannot be mounted here: {made.stderr.strip()}")
    try:
        own = t.new_cluster(broker_extra={"log.segment.bytes": 1 << 20, "log.index.size.max.bytes": 65536})
        own.broker.set(log__dirs=os.path.join(where, "logs"))
        own.broker.logs = os.path.join(where, "logs")
        own.start()
        own.create_topic("full")
        with open(os.path.join(where, "ballast"), "wb") as f:
            f.write(b"\0" * (30 << 20))
        value = os.urandom(200000)
        with own.broker.connection() as c:
            count, error = 0, 0
            while error == 0 and count < 400:
                error, _ = c.produce("full", 0, wire.batch([value]))
                count += error == 0
            t.require("the producer gets an error", error != 0 and count > 10, (count, error))
            t.check("one that it may retry", error in (56, 3, 6, 7, -1, 72, 5), wire.ERRORS.get(error, error))
            end = c.end_offset("full")
            t.check("fetches go on", end == count and len(c.fetch("full", 0, 0)[2]) > 0, (end, count))
            os.remove(os.path.join(where, "ballast"))

            def resumes():
                return c.produce("full", 0, wire.batch([b"there is room again"]))[0] == 0
            proc.wait_until(resumes, 30, "appends go on when there is room")
            t.check("and nothing is lost or torn", c.end_offset("full") == count + 1, c.end_offset("full"))
        t.check("the coordinator and the broker live", own.broker.alive() and own.zk.alive())
        own.broker.kill()
        own.broker.launch().wait_ready()
        own.wait_topic("full")
        t.check("a restart finds all of it", own.end_offsets("full") == [count + 1], own.end_offsets("full"))
    finally:
        t.end_case()
        subprocess.run(["umount", where], capture_output=True)


@case("several brokers: topics are spread and clients are routed")
def several(t):
    own = t.new_cluster().start()
    for n in (1, 2):
        own.another_broker(n).launch().wait_ready()
    with own.broker.connection() as c:
        proc.wait_until(lambda: set(c.metadata([])["brokers"]) == {0, 1, 2}, 20, "three brokers in the metadata")
        assert c.create_topic("spread", 6)[0] == 0
    own.wait_topic("spread", 6)
    with own.broker.connection() as c:
        rows = c.metadata(["spread"])["topics"]["spread"]["partitions"]
        leaders = {p: r["leader"] for p, r in rows.items()}
        t.check("each broker leads two of six partitions", sorted(leaders.values()) == [0, 0, 1, 1, 2, 2], leaders)
        elsewhere = next(p for p, leader in leaders.items() if leader != 0)
        t.check("produce at a broker that does not lead: NOT_LEADER", c.produce("spread", elsewhere, wire.batch([b"x"]))[0] == 6)
    for b in own.others:
        with b.connection() as c:
            mine = [p for p, leader in leaders.items() if leader == b.id]
            for p in mine:  # its own image may be a moment behind broker 0's
                proc.wait_until(lambda: c.produce("spread", p, wire.batch([b"x"]))[0] == 0, 10, f"broker {b.id} takes what it leads")
            t.ok(f"broker {b.id} takes what it leads")
    own.others[1].kill()
    clock = Timer()
    with own.broker.connection() as c:
        proc.wait_until(lambda: set(c.metadata([])["brokers"]) == {0, 1}, 40, "the dead broker leaves the metadata")
        if t.ours:
            t.check("a dead broker is seen within 5 s, not at a session's time-out", clock.seconds() < 5, clock.seconds())
        lost = next(p for p, leader in leaders.items() if leader == 2)

        def offline():
            return c.metadata(["spread"])["topics"]["spread"]["partitions"][lost]["leader"] == -1
        proc.wait_until(offline, 20, "its partitions have no leader")
    own.others[1].launch().wait_ready(40)
    own.wait_topic("spread", 6, 40)
    t.ok("and it has them again when it is back")
    if t.ours:
        with own.broker.connection() as c:
            error, message = c.create_topic("three-copies", 1, 3)
            t.check("a replication factor above 1 is answered with Kafka's error", error == 38, (error, message))
