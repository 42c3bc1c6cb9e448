"""The tree is the only truth: what a hand does to a topic's znodes, the controller, the metadata and the files follow."""
import json
import os
import struct

from lib import kafka_wire as wire
from lib import proc, zk_wire
from lib.context import case

NOT_KAFKA = "Kafka's controller does not follow a topic's znodes like this"


class Tree(zk_wire.Session):
    """The tree by raw frames, so that one step is one transaction and nothing else."""

    def __init__(self, t):
        super().__init__(t.cluster.zk.port)
        t.keep(self)

    def delete_all_at_once(self, paths):
        body = b"".join(struct.pack(">ibi", 2, 0, -1) + zk_wire.text(p) + struct.pack(">i", -1) for p in paths)
        return self.call(14, body + struct.pack(">ibi", -1, 1, -1))[0]

    def below(self, path):
        """The subtree bottom up, as the shell deletes it."""
        for child in self.children(path):
            yield from self.below(f"{path}/{child}")
        yield path


def with_data(t, prefix, partitions=2):
    topic = t.unique(prefix)
    t.cluster.create_topic(topic, partitions, [("segment.ms", "7200000")])
    with t.cluster.broker.connection() as c:
        for p in range(partitions):
            assert c.produce(topic, p, wire.batch([b"x"] * 5))[0] == 0
    return topic


def all_gone(t, tree, topic):
    t.cluster.wait_gone(topic)
    t.ok("the metadata names it no more")
    logs = t.cluster.broker.logs
    proc.wait_until(lambda: not any(d.startswith(topic) for d in os.listdir(logs)), 30, "its files are removed")
    t.ok("its files are gone")
    t.check("its znodes did not come back", tree.get(f"/brokers/topics/{topic}") is None)
    proc.wait_until(lambda: tree.get(f"/config/topics/{topic}") is None, 15, "its settings are removed")
    t.ok("its settings are gone")
    t.cluster.create_topic(topic, 1)
    t.check("and the name can be made again, empty", t.cluster.end_offsets(topic) == [0])


def work(t):
    """Makes the controller look at the whole tree: a topic is made and it gives it leaders."""
    t.cluster.create_topic(t.unique("in-between"))


@case("deleteall node by node, the controller at work between any two steps", ours_only=NOT_KAFKA)
def node_by_node(t):
    tree, topic = Tree(t), with_data(t, "by-node")
    for path in list(tree.below(f"/brokers/topics/{topic}")):
        assert tree.delete(path) == 0, path
        work(t)
    all_gone(t, tree, topic)


@case("deleteall as one multi", ours_only=NOT_KAFKA)
def one_multi(t):
    tree, topic = Tree(t), with_data(t, "by-multi")
    t.check("the multi is taken", tree.delete_all_at_once(list(tree.below(f"/brokers/topics/{topic}"))) == 0)
    all_gone(t, tree, topic)


@case("a state znode that alone is deleted comes back with a higher leader epoch", ours_only=NOT_KAFKA)
def state_comes_back(t):
    tree, topic = Tree(t), with_data(t, "state")
    path = f"/brokers/topics/{topic}/partitions/0/state"
    before = json.loads(tree.get(path))
    assert tree.delete(path) == 0
    work(t)
    after = json.loads(proc.wait_until(lambda: tree.get(path), 25, "the state is put back"))
    t.check("above the last one known", after["leader_epoch"] > before["leader_epoch"] and after["leader"] == 0 and after["isr"] == [0],
            (before, after))
    t.cluster.wait_topic(topic, 2)
    t.check("and no record is lost", t.cluster.end_offsets(topic, 2) == [5, 5], t.cluster.end_offsets(topic, 2))


@case("a topic made, grown and configured by hand in the tree")
def by_hand(t):
    tree, topic = Tree(t), t.unique("by-hand")
    assert tree.create(f"/config/topics/{topic}", b'{"version":1,"config":{"max.message.bytes":"2000"}}') == 0
    assert tree.create(f"/brokers/topics/{topic}", b'{"version":1,"partitions":{"0":[0]}}') == 0
    t.cluster.wait_topic(topic, 1)
    t.ok("its partition gets a leader")
    state = json.loads(tree.get(f"/brokers/topics/{topic}/partitions/0/state"))
    t.check("the state znode is Kafka's", state["leader"] == 0 and state["isr"] == [0] and state["version"] == 1 and "controller_epoch" in state, state)
    with t.cluster.broker.connection() as c:
        assert c.produce(topic, 0, wire.batch([b"kept"] * 7))[0] == 0
        t.check("its settings are in effect", c.produce(topic, 0, wire.batch([b"x" * 3000]))[0] == 10)
    # as a tool of 2.5 rewrites it: without the topic's id
    assert tree.set(f"/brokers/topics/{topic}", b'{"version":1,"partitions":{"0":[0],"1":[0]}}') == 0
    t.cluster.wait_topic(topic, 2)
    t.ok("a partition added by hand too")
    t.check("no record is lost by that", t.cluster.end_offsets(topic, 2) == [7, 0], t.cluster.end_offsets(topic, 2))
    logs = t.cluster.broker.logs
    t.check("no log was set aside", not any(d.startswith(topic) and not d.endswith(("-0", "-1")) for d in os.listdir(logs)), os.listdir(logs))


@case("/admin/delete_topics deletes")
def by_admin_node(t):
    tree, topic = Tree(t), with_data(t, "by-admin")
    assert tree.create(f"/admin/delete_topics/{topic}", b"") == 0
    t.cluster.wait_gone(topic)
    proc.wait_until(lambda: tree.get(f"/admin/delete_topics/{topic}") is None, 15, "the request is taken away")
    logs = t.cluster.broker.logs
    patience = 30 if t.ours else 75  # Kafka looks at what is to be removed 30 s after its start, and then every 60 s
    proc.wait_until(lambda: not any(d.startswith(topic) for d in os.listdir(logs)), patience, "its files are removed")
    t.ok("the topic, its request and its files are gone")


@case("Kafka's znodes are there with Kafka's JSON")
def znodes(t):
    tree = Tree(t)
    broker = json.loads(tree.get("/brokers/ids/0"))
    t.check("/brokers/ids/0", broker["port"] == t.cluster.broker.port and broker["host"] == "127.0.0.1" and broker["endpoints"] ==
            [f"PLAINTEXT://127.0.0.1:{t.cluster.broker.port}"] and broker["listener_security_protocol_map"] == {"PLAINTEXT": "PLAINTEXT"} and
            broker["version"] in (4, 5), broker)
    t.check("/controller", json.loads(tree.get("/controller"))["brokerid"] == 0, tree.get("/controller"))
    t.check("/controller_epoch", int(tree.get("/controller_epoch")) >= 1)
    cluster_id = json.loads(tree.get("/cluster/id"))
    t.check("/cluster/id", cluster_id["version"] == "1" and len(cluster_id["id"]) == 22, cluster_id)
    with open(os.path.join(t.cluster.broker.logs, "meta.properties")) as f:
        t.check("and meta.properties has the same", f"cluster.id={cluster_id['id']}" in f.read())
    wanted = {"/admin/delete_topics", "/brokers/seqid", "/brokers/topics", "/config/topics", "/config/brokers", "/config/clients",
              "/config/users", "/config/changes", "/isr_change_notification", "/log_dir_event_notification", "/latest_producer_id_block"}
    there = {p for p in wanted if tree.get(p) is not None}
    t.check("Kafka's other nodes", there == wanted - ({"/latest_producer_id_block"} - there), wanted - there)


@case("what a managed chroot refuses", ours_only="there is no managed chroot in ZooKeeper")
def managed(t):
    tree = Tree(t)
    t.check("a client's /controller is NODEEXISTS", tree.create("/controller", b"{}") == -110)
    t.check("a client's /brokers/ids/9 is NODEEXISTS", tree.create("/brokers/ids/9", b"{}") == -110)
