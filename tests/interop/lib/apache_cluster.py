"""Three Apache Kafka brokers of one release around a coordinator, or a ZooKeeper: what a person who runs them does."""
import json
import os
import signal
import subprocess

from . import cluster, kafka_wire, peers, proc, zk_wire

SMALL = {"KAFKA_HEAP_OPTS": "-Xmx192m"}
IDS = (1, 2, 3)


class ApacheCluster:
    def __init__(self, t, version, chroot=""):
        self.t, self.version, self.chroot = t, version, chroot
        self.directory = t.folder(f"apache-{version}")
        self.zk = cluster.Zookeeper(t.home, self.directory, t.ports.take(), {"tickTime": 1000})
        self.connect = f"127.0.0.1:{self.zk.port}{chroot}"
        home = cluster.Home(peers.kafka(version))
        # A ZooKeeper takes seconds to start again, and gives nobody his time back for that.
        timeout = {"zookeeper.session.timeout.ms": 18000 if t.home.apache else 6000}
        self.brokers = {n: cluster.Broker(home, self.directory, t.ports.take(), self.connect, n, {**self.settings(), **timeout}) for n in IDS}
        self.tools = t.official_tools(version)

    @staticmethod
    def settings():
        return {"default.replication.factor": 3, "min.insync.replicas": 2, "offsets.topic.replication.factor": 3, "num.partitions": 3,
                "transaction.state.log.replication.factor": 3, "transaction.state.log.min.isr": 2, "unclean.leader.election.enable": "false",
                "auto.leader.rebalance.enable": "false", "zookeeper.connection.timeout.ms": 30000,
                "replica.lag.time.max.ms": 3000, "controlled.shutdown.enable": "true", "controlled.shutdown.retry.backoff.ms": 500, "background.threads": 2, "num.network.threads": 2,
                "num.io.threads": 3, "log.cleaner.dedupe.buffer.size": 8388608, "auto.create.topics.enable": "false",
                "authorizer.class.name": "kafka.security.authorizer.AclAuthorizer", "allow.everyone.if.no.acl.found": "true",
                "super.users": "User:ANONYMOUS"}

    # --- as a whole -----------------------------------------------------------------------------------------------------------
    def start(self):
        self.zk.launch().wait_ready()
        for broker in self.brokers.values():
            broker.launch(env=SMALL)
        for broker in self.brokers.values():
            broker.wait_ready(90)
        proc.wait_until(lambda: len(self.metadata([])["brokers"]) == len(IDS), 30, "everybody knows three brokers")
        return self

    def stop(self):
        for service in [*self.brokers.values(), self.zk]:
            if service.process:
                service.kill()

    def stop_brokers(self):
        """All at once and orderly."""
        for broker in self.brokers.values():
            os.kill(broker.pid(), signal.SIGTERM)
        for broker in self.brokers.values():
            broker.stop(30)

    @property
    def bootstrap(self):
        return ",".join(f"127.0.0.1:{b.port}" for b in self.brokers.values())

    def metadata_of(self, n, topics=()):
        with self.brokers[n].connection(10) as c:
            return c.metadata(list(topics))

    def metadata(self, topics=None):
        for broker in self.brokers.values():
            if broker.alive():
                try:
                    with broker.connection(10) as c:
                        return c.metadata(topics)
                except (OSError, ConnectionError):
                    pass
        raise AssertionError("no broker answers")

    # --- the tree -----------------------------------------------------------------------------------------------------------------
    def tree(self):
        return Tree(self.zk.port, self.chroot)

    def controller(self):
        """(id, epoch) by the tree; id -1 where there is none."""
        with self.tree() as tree:
            data, epoch = tree.get("/controller"), tree.get("/controller_epoch")
        return (json.loads(data)["brokerid"] if data else -1), int(epoch or 0)

    def registrations(self):
        with self.tree() as tree:
            return {n: tree.czxid(f"/brokers/ids/{n}") for n in IDS}

    # --- waiting ---------------------------------------------------------------------------------------------------------------------
    def in_sync(self, count=len(IDS), seconds=60):
        """So many brokers live and know of each other; every partition is led by one of them, and its replicas on them are in
        sync. By the tree: the metadata learn of an ISR seconds later."""
        def good():
            living = [n for n, b in self.brokers.items() if b.alive()]
            with self.tree() as tree:
                if sorted(map(int, tree.children("/brokers/ids"))) != living or len(living) != count:
                    return False
                for topic in tree.children("/brokers/topics"):
                    for number, replicas in tree.json(f"/brokers/topics/{topic}")["partitions"].items():
                        state = tree.json(f"/brokers/topics/{topic}/partitions/{number}/state")
                        if not state or state["leader"] not in living or set(state["isr"]) != set(replicas) & set(living):
                            return False
            return all(sorted(self.metadata_of(n)["brokers"]) == living for n in living)

        def tried():
            try:
                return good()
            except (OSError, TypeError):  # a topic or a broker that goes while it is looked at
                return False
        proc.wait_until(tried, seconds, f"all partitions are in sync on {count} brokers")

    def new_controller(self, before, seconds=40):
        def moved():
            who, epoch = self.controller()
            return who > 0 and epoch > before[1]
        proc.wait_until(moved, seconds, "another controller")

    def works(self, what):
        """A topic is made, used and deleted: the controller, the brokers and their watches are at work."""
        name = self.t.unique("works")

        def made():  # no other broker than the controller takes it
            try:
                with self.brokers[self.controller()[0]].connection(30) as c:
                    return c.create_topic(name, 3, 2)[0] in (0, 36)
            except (OSError, KeyError):
                return False
        proc.wait_until(made, 40, f"{what}: a topic can be made")

        def led():
            topic = self.metadata([name])["topics"].get(name)
            return topic and len(topic["partitions"]) == 3 and all(p["leader"] > 0 for p in topic["partitions"].values())
        proc.wait_until(led, 40, f"{what}: a topic gets its leaders")
        for number in range(3):
            def produced():
                leader = self.metadata([name])["topics"][name]["partitions"][number]["leader"]
                try:
                    with self.brokers[leader].connection(20) as c:
                        return c.produce(name, number, kafka_wire.batch([b"x"]))[0] == 0
                except (OSError, KeyError):
                    return False
            proc.wait_until(produced, 30, f"{what}: partition {number} takes a record")
        with self.brokers[self.controller()[0]].connection(30) as c:
            c.delete_topic(name)
        proc.wait_until(lambda: name not in self.metadata()["topics"], 40, f"{what}: a topic goes")
        with self.tree() as tree:
            proc.wait_until(lambda: not tree.exists(f"/brokers/topics/{name}"), 20, f"{what}: its znodes go")

    # --- hands on brokers --------------------------------------------------------------------------------------------------------------
    def kill(self, n):
        self.brokers[n].kill()

    def back(self, n):
        """Starts a killed broker as soon as its session is over: before that Kafka refuses it."""
        with self.tree() as tree:
            proc.wait_until(lambda: not tree.exists(f"/brokers/ids/{n}"), 30, f"the session of broker {n} ends")
        self.brokers[n].launch(env=SMALL).wait_ready(90)

    def roll(self, n):
        status = self.brokers[n].stop(60)
        self.brokers[n].launch(env=SMALL).wait_ready(90)
        return status

    def tool(self, script, *arguments, timeout=90, **more):
        status, out = self.tools.run(script, *arguments, timeout=timeout, **more)
        self.t.require(f"{script} {' '.join(str(a) for a in arguments if not str(a).startswith(('127.0.0.1', '/')))[:110]}", status == 0, out[-1500:])
        return out


class Tree(zk_wire.Session):
    """The tree below a chroot."""

    def __init__(self, port, chroot):
        super().__init__(port)
        self.chroot = chroot

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def get(self, path):
        return super().get(self.chroot + path)

    def json(self, path):
        data = self.get(path)
        return json.loads(data) if data else None

    def exists(self, path):
        return super().exists(self.chroot + path)

    def children(self, path):
        return super().children((self.chroot + path).rstrip("/") or "/")

    def delete(self, path):
        return super().delete(self.chroot + path)

    def czxid(self, path):
        error, data = self.call(3, zk_wire.text(self.chroot + path) + b"\0")
        return None if error else int.from_bytes(data[:8], "big")


class Steady:
    """clients/python/steady.py beside the test."""

    def __init__(self, t, bootstrap, topic, partitions):
        self.t = t
        program = os.path.join(peers.CLIENTS, "python", "steady.py")
        self.process = proc.spawn([peers.python(), "-u", program, bootstrap, topic, partitions], stdin=subprocess.PIPE)
        self.first = self.process.stdout.readline().decode()

    def finish(self, timeout=240):
        try:
            out, _ = self.process.communicate(b"stop\n", timeout=timeout)
        except subprocess.TimeoutExpired:
            self.close()
            out = b""
        self.t.report.client_lines("steady.py", self.process.returncode, self.first + out.decode("utf-8", "replace"))

    def close(self):
        proc.end_group(self.process, signal.SIGKILL)
