"""Three Apache Kafka brokers with our coordinator as their ZooKeeper: administration, kills, moves and restarts while a
producer goes on. What the brokers complain about meanwhile may only be what they complain about with ZooKeeper too."""
import json
import os
import signal

from lib import apache_cluster, cluster, log_kinds, proc
from lib.context import case
from lib.report import Timer, note

# What 2.5.0 and 3.5.2 say in the same hours beside Apache ZooKeeper: release, level, logger, words. Taken from reference runs,
# several of each, since not every run meets every race:  INTEROP_LEARN=1 tests/interop/run --server APACHE_HOME apache_kafka
KINDS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "apache_kafka_kinds.tsv")

# 3.5.2 at the tree's root, 2.5.0 in a chroot beside a broker of ours
RELEASES = ("3.5.2", "2.5.0")


@case("three brokers through their days", each=RELEASES)
def days(t, release):
    old = release.startswith("2.")
    kafka = t.keep(apache_cluster.ApacheCluster(t, release, "/old/kafka" if old else ""))
    clock = Timer()
    kafka.start()
    t.ok("three brokers start")
    clock = lap(clock, "start")
    administration(t, kafka, old)
    clock = lap(clock, "administration")
    kafka.tool("kafka-topics.sh", "--bootstrap-server", kafka.bootstrap, "--create", "--topic", "steady", "--partitions", "4", "--replication-factor", "3")
    kafka.in_sync()
    steady = t.keep(apache_cluster.Steady(t, kafka.bootstrap, "steady", 4))
    beside = neighbour(t, kafka) if old and t.ours else None
    broker_killed(t, kafka)
    clock = lap(clock, "a broker killed")
    controller_moved(t, kafka)
    clock = lap(clock, "controller moved")
    coordinator_restarted(t, kafka)
    clock = lap(clock, "coordinator restarted")
    rolled(t, kafka, old)
    clock = lap(clock, "rolling restart")
    steady.finish()
    if beside:
        neighbour_is_well(t, beside)
    left_alone(t, kafka, old)
    kafka.stop_brokers()
    complaints(t, kafka, release)
    lap(clock, "end")


def lap(clock, what):
    note(f"  {what}: {clock.seconds():.1f} s")
    return Timer()


# --- administration -------------------------------------------------------------------------------------------------------------
def administration(t, kafka, old):
    tool, zk = kafka.tool, ["--zookeeper", kafka.connect]
    b = ["--bootstrap-server", kafka.bootstrap]
    by_tree = zk if old else b  # 2.5's tools write the tree themselves
    tool("kafka-topics.sh", *by_tree, "--create", "--topic", "made", "--partitions", "3", "--replication-factor", "2", "--config", "retention.ms=3600000")
    tool("kafka-topics.sh", *by_tree, "--create", "--topic", "gone", "--partitions", "2", "--replication-factor", "3")
    kafka.in_sync()
    tool("kafka-topics.sh", *by_tree, "--alter", "--topic", "made", "--partitions", "5")
    tool("kafka-configs.sh", *by_tree, "--alter", "--entity-type", "topics", "--entity-name", "made", "--add-config", "segment.bytes=1048576")
    tool("kafka-configs.sh", *by_tree, "--alter", "--entity-type", "clients", "--entity-name", "app", "--add-config", "producer_byte_rate=9000000")
    tool("kafka-configs.sh", *b, "--alter", "--entity-type", "brokers", "--entity-name", "2", "--add-config", "log.cleaner.threads=2")
    tool("kafka-configs.sh", *b, "--alter", "--entity-type", "brokers", "--entity-default", "--add-config", "message.max.bytes=2000000")
    tool("kafka-configs.sh", *zk, "--alter", "--entity-type", "users", "--entity-name", "alice", "--add-config",
         "SCRAM-SHA-256=[iterations=4096,password=secret],SCRAM-SHA-512=[password=secret]")
    acl = ["--authorizer-properties", f"zookeeper.connect={kafka.connect}"]
    tool("kafka-acls.sh", *acl, "--add", "--allow-principal", "User:alice", "--operation", "Read", "--operation", "Write", "--topic", "made")
    tool("kafka-acls.sh", *acl, "--add", "--deny-principal", "User:eve", "--operation", "All", "--topic", "pre", "--resource-pattern-type", "prefixed")
    out = tool("kafka-acls.sh", *acl, "--list", "--topic", "made")
    t.check("ACL entries are listed", "User:alice" in out, out)
    tool("kafka-acls.sh", *b, "--add", "--allow-principal", "User:bob", "--operation", "Read", "--group", "g")  # a broker writes this one
    tool("kafka-acls.sh", *acl, "--remove", "--force", "--allow-principal", "User:alice", "--operation", "Write", "--topic", "made")
    replicas = {p: [(p + i) % 3 + 1 for i in range(2)] for p in range(5)}
    plan = os.path.join(kafka.directory, "plan.json")
    with open(plan, "w") as f:
        json.dump({"version": 1, "partitions": [{"topic": "made", "partition": p, "replicas": r} for p, r in replicas.items()]}, f)
    tool("kafka-reassign-partitions.sh", *by_tree, "--reassignment-json-file", plan, "--execute")
    proc.wait_until(lambda: {p: sorted(row["replicas"]) for p, row in kafka.metadata(["made"])["topics"]["made"]["partitions"].items()} ==
                    {p: sorted(r) for p, r in replicas.items()}, 60, "the replicas move")
    kafka.in_sync()
    out = tool("kafka-reassign-partitions.sh", *by_tree, "--reassignment-json-file", plan, "--verify")
    t.check("a reassignment is complete", "still in progress" not in out and "failed" not in out.lower(), out)
    tool("kafka-leader-election.sh", *b, "--election-type", "PREFERRED", "--all-topic-partitions")
    tool("kafka-topics.sh", *by_tree, "--delete", "--topic", "gone")
    proc.wait_until(lambda: "gone" not in kafka.metadata()["topics"], 40, "a topic goes")
    out = tool("kafka-configs.sh", *b, "--describe", "--entity-type", "brokers", "--entity-name", "2")
    t.check("a broker has taken its settings", "log.cleaner.threads=2" in out, out)
    out = tool("kafka-configs.sh", *by_tree, "--describe", "--entity-type", "topics", "--entity-name", "made")
    t.check("a topic has its settings", "segment.bytes=1048576" in out and "retention.ms=3600000" in out, out)
    with kafka.tree() as tree:
        user = tree.json("/config/users/alice")
        t.check("SCRAM entries are in the tree", sorted(user["config"]) == ["SCRAM-SHA-256", "SCRAM-SHA-512"], user)
        acls = tree.json("/kafka-acl/Topic/made")
        t.check("ACL entries too", [(a["principal"], a["operation"]) for a in acls["acls"]] == [("User:alice", "Read")], acls)
        t.check("a prefixed one, and one that a broker wrote", tree.json("/kafka-acl-extended/prefixed/Topic/pre")["acls"][0]["permissionType"] == "Deny" and
                tree.json("/kafka-acl/Group/g")["acls"][0]["principal"] == "User:bob")
        t.check("settings of brokers and clients", tree.json("/config/brokers/2")["config"] == {"log.cleaner.threads": "2"} and
                tree.json("/config/clients/app")["config"] == {"producer_byte_rate": "9000000"})
        proc.wait_until(lambda: not tree.children("/admin/delete_topics") and not tree.exists("/admin/reassign_partitions"), 30, "no request is left over")
        t.ok("no request is left over")


# --- what goes wrong ---------------------------------------------------------------------------------------------------------------
def broker_killed(t, kafka):
    controller = kafka.controller()
    victim = next(n for n in apache_cluster.IDS if n != controller[0])
    kafka.kill(victim)
    kafka.in_sync(2)
    t.ok("a killed broker's partitions are led by others")
    t.check("its controller stays", kafka.controller() == controller, kafka.controller())
    kafka.back(victim)
    kafka.in_sync()
    t.ok("and it comes back")


def controller_moved(t, kafka):
    before = kafka.controller()
    with kafka.tree() as tree:
        t.require("/controller is deleted by hand", tree.delete("/controller") == 0)
    kafka.new_controller(before)
    kafka.works("after that")
    t.ok("a controller is elected and works")
    before = kafka.controller()
    kafka.kill(before[0])
    kafka.new_controller(before)
    kafka.in_sync(2)
    kafka.works("without the killed controller")
    t.ok("a killed controller's place is taken")
    kafka.back(before[0])
    kafka.in_sync()
    t.ok("and it comes back as a broker")


def coordinator_restarted(t, kafka):
    registered, controller = kafka.registrations(), kafka.controller()
    for how, end in (("kill -9", kafka.zk.kill), ("an orderly stop", kafka.zk.stop)):
        end()
        kafka.zk.launch().wait_ready()
        kafka.works(f"after {how} of the coordinator")
        t.check(f"{how} of the coordinator: the brokers have the sessions they had", kafka.registrations() == registered,
                (registered, kafka.registrations()))
        t.check(f"{how} of the coordinator: nobody else is controller", kafka.controller() == controller, (controller, kafka.controller()))
    kafka.in_sync()


def rolled(t, kafka, old):
    ends = []
    for n in apache_cluster.IDS:
        ends.append(kafka.roll(n))
        kafka.in_sync()
    t.check("a rolling restart", all(e in (0, 143, -signal.SIGTERM) for e in ends), ends)
    kafka.tool("kafka-leader-election.sh", "--bootstrap-server", kafka.bootstrap, "--election-type", "PREFERRED", "--all-topic-partitions")
    kafka.works("after the rolling restart")
    out = kafka.tool("kafka-topics.sh", *(["--zookeeper", kafka.connect] if old else ["--bootstrap-server", kafka.bootstrap]), "--describe", "--topic", "made")
    t.check("a topic is described as it was", out.count("Leader: ") == 5 and "retention.ms=3600000" in out, out)


# --- two clusters in one tree -----------------------------------------------------------------------------------------------------------
def neighbour(t, kafka):
    broker = cluster.Broker(t.home, kafka.directory, t.ports.take(), f"127.0.0.1:{kafka.zk.port}/ours", 1, name="neighbour")
    t.keep(broker)
    broker.launch().wait_ready()
    with broker.connection() as c:
        t.check("a broker of ours lives in another chroot", c.create_topic("steady")[0] == 0)
    return broker


def neighbour_is_well(t, broker):
    def made():
        with broker.connection() as c:
            return c.create_topic("after", 2)[0] in (0, 36)
    proc.wait_until(made, 30, "the neighbour's controller works")
    t.check("which is well, and knows its own topics only", sorted(broker_topics(broker)) == ["after", "steady"], broker_topics(broker))


def broker_topics(broker):
    with broker.connection() as c:
        return {name for name in c.metadata()["topics"] if not name.startswith("__")}


def left_alone(t, kafka, old):
    """What stands in these brokers' chroot is Kafka's work alone."""
    with kafka.tree() as tree:
        top = set(tree.children("/")) - {"zookeeper"}
        controller = tree.json("/controller")
        t.check("the controller is one of the brokers", controller["brokerid"] in apache_cluster.IDS, controller)
        t.check("no znode that Kafka does not make", top <= {
            "admin", "brokers", "cluster", "config", "consumers", "controller", "controller_epoch", "feature", "isr_change_notification",
            "kafka-acl", "kafka-acl-changes", "kafka-acl-extended", "kafka-acl-extended-changes", "latest_producer_id_block",
            "log_dir_event_notification", "delegation_token", "migration"}, sorted(top))
        for path, names in (("/brokers", {"ids", "seqid", "topics"}), ("/admin", {"delete_topics"}),
                            ("/config", {"brokers", "changes", "clients", "ips", "topics", "users"})):
            t.check(f"{path} holds what Kafka puts there", set(tree.children(path)) <= names, tree.children(path))
        state = tree.json("/brokers/topics/steady/partitions/0/state")
        t.check("partition states are Kafka's controller's", state["controller_epoch"] <= kafka.controller()[1] and state["version"] == 1, state)


# --- their logs -------------------------------------------------------------------------------------------------------------------------
def between_brokers(kind):
    """A warning of the brokers' own replication: which fetch meets which change of leader is a race that ZooKeeper has no part in (a
    replica that turns to a new leader takes over that leader's high watermark, which may lie below its own), and no number of
    reference runs meets every one. Errors and exceptions of the same places are judged all the same."""
    level, logger, _ = kind
    return level == "WARN" and logger.startswith(("kafka.log.", "kafka.cluster.", "kafka.server.ReplicaFetcher", "org.apache.kafka.clients."))


def complaints(t, kafka, release):
    found = {}
    for broker in kafka.brokers.values():
        found.update(log_kinds.kinds(broker.output()))
    known = log_kinds.read(KINDS)
    fresh = {kind: line for kind, line in found.items() if kind not in known}
    for kind in [kind for kind in fresh if between_brokers(kind)]:
        note(f"  seen: {fresh.pop(kind)}")
    if fresh and t.home.apache and os.environ.get("INTEROP_LEARN"):
        log_kinds.append(KINDS, release, fresh)
        return t.ok(f"{len(fresh)} kinds of complaint learned")
    t.check(f"the brokers complain of nothing ({len(found)} kinds) that they do not complain of beside ZooKeeper", not fresh,
            "\n".join(f"{kind}: {line}" for kind, line in sorted(fresh.items())))
