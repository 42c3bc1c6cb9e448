"""The servers under test: a coordinator (or ZooKeeper) and brokers, started in the foreground from an installed home.

Both kinds of home look the same from outside: bin/zookeeper-server-start.sh FILE and bin/kafka-server-start.sh FILE.
A home with libs/*.jar is an Apache one, which proves the tests themselves; any other one is ours."""
import glob
import os
import re
import signal
import socket

from . import kafka_wire, proc, zk_wire


class Home:
    def __init__(self, path, scripts=("zookeeper-server-start.sh", "kafka-server-start.sh")):
        self.path = os.path.abspath(path)
        jars = glob.glob(os.path.join(self.path, "libs", "*.jar"))
        self.apache = bool(jars)
        found = re.findall(r"/kafka-clients-([0-9.]+)\.jar", " ".join(jars))
        self.version = found[0] if found else ""
        self.name = f"Apache Kafka {self.version}" if self.apache else f"Odradek in {self.path}"
        for script in scripts:
            if not os.path.exists(self.bin(script)):
                raise SystemExit(f"{self.path} is no home: bin/{script} is missing")

    def bin(self, name):
        return os.path.join(self.path, "bin", name)

    def environment(self):
        if not self.apache:
            return {}
        return {"KAFKA_HEAP_OPTS": "-Xmx320m", "KAFKA_JVM_PERFORMANCE_OPTS": JVM_SHORT}


class ZookeeperHome(Home):
    """Of a ZooKeeper alone (peers.zookeeper_server), which has no broker."""

    def __init__(self, path, version):
        self.path, self.apache, self.version, self.name = path, True, version, f"Apache ZooKeeper {version}"


# For JVMs that live for seconds on two cores: no second compiler, no collector threads.
JVM_SHORT = "-XX:+UseSerialGC -XX:TieredStopAtLevel=1 -Xshare:auto -XX:-UsePerfData -Djava.awt.headless=true"


class Ports:
    """Free loopback ports, counted upwards from a base so that two runs beside each other can be kept apart."""

    def __init__(self, base):
        self.next, self.base = base, base

    def take(self):
        for _ in range(400):
            port = self.next
            self.next = self.base if self.next - self.base >= 95 else self.next + 1
            if not listening(port):
                with socket.socket() as s:
                    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                    try:
                        s.bind(("127.0.0.1", port))
                        return port
                    except OSError:
                        pass
        raise RuntimeError("no free port")


def listening(port):
    with socket.socket() as s:
        s.settimeout(1)
        return s.connect_ex(("127.0.0.1", port)) == 0


def write_properties(path, pairs):
    with open(path, "w") as f:
        f.write("".join(f"{k}={v}\n" for k, v in pairs.items() if v is not None))


class Service:
    """One server process in the foreground. Its output is a file; its group is ended as a whole."""

    def __init__(self, home, script, directory, name, port, pairs):
        self.home, self.script, self.name, self.port = home, script, name, port
        self.directory = directory
        os.makedirs(directory, exist_ok=True)
        self.file = os.path.join(directory, f"{name}.properties")
        self.log_dir = os.path.join(directory, f"{name}-logs")
        self.output_file = os.path.join(directory, f"{name}.out")
        self.pairs = dict(pairs)
        write_properties(self.file, self.pairs)
        self.process = None

    def set(self, **pairs):
        self.pairs.update({k.replace("__", "."): v for k, v in pairs.items()})
        write_properties(self.file, self.pairs)

    def launch(self, arguments=(), env=None):
        os.makedirs(self.log_dir, exist_ok=True)
        with open(self.output_file, "ab") as out:
            self.process = proc.spawn(["bash", self.home.bin(self.script), self.file, *arguments],
                                      env={**self.home.environment(), "LOG_DIR": self.log_dir, **(env or {})},
                                      cwd=self.directory, stdout=out)
        return self

    def pid(self):
        """The server itself, where a script stays in front of it: the largest of the family."""
        return max(proc.family(self.process.pid), key=lambda p: _size(p))

    def alive(self):
        return self.process is not None and self.process.poll() is None

    def kill(self):
        proc.end_group(self.process, signal.SIGKILL)

    def stop(self, grace=40):
        if self.alive():
            os.kill(self.pid(), signal.SIGTERM)
            try:
                return self.process.wait(grace)
            except Exception:
                pass
        status = self.process.poll() if self.process else None
        if self.process:
            proc.end_group(self.process)
        return status

    def output(self):
        """All that it said: standard output and its log files."""
        text = ""
        for name in [self.output_file, *sorted(glob.glob(os.path.join(self.log_dir, "*")))]:
            try:
                with open(name, errors="replace") as f:
                    text += f.read()
            except OSError:
                pass
        return text

    def wait_ready(self, seconds=60):
        def ready():
            if not self.alive():
                raise AssertionError(f"{self.name} ended with {self.process.returncode}: {self.output()[-1500:]}")
            return self.answers()
        proc.wait_until(ready, seconds, f"{self.name} answers on {self.port}")
        return self

    def wait_end(self, seconds=30):
        """The exit status of a server that is expected to give up by itself; None if it goes on."""
        try:
            return self.process.wait(seconds)
        except Exception:
            return None


class Zookeeper(Service):
    def __init__(self, home, directory, port, extra=None, name="zookeeper", data=None):
        super().__init__(home, "zookeeper-server-start.sh", directory, name, port, {
            "dataDir": data or os.path.join(directory, f"{name}-data"), "clientPort": port,
            "clientPortAddress": "127.0.0.1", "maxClientCnxns": 0, "admin.enableServer": "false",
            "4lw.commands.whitelist": "ruok,srvr,stat,mntr,conf", **(extra or {})})

    def answers(self):
        try:
            return "Mode: " in zk_wire.four_letter(self.port, "srvr")  # ruok is answered before sessions are
        except OSError:
            return False


class Broker(Service):
    def __init__(self, home, directory, port, connect, broker_id=0, extra=None, name=None, logs=None):
        self.id = broker_id
        name = name or f"broker-{broker_id}"
        self.logs = logs or os.path.join(directory, f"{name}-data")
        if home.apache:  # so that a killed one can come back within a test's patience
            extra = {"zookeeper.session.timeout.ms": 6000, **(extra or {})}
        super().__init__(home, "kafka-server-start.sh", directory, name, port, {
            "broker.id": broker_id, "listeners": f"PLAINTEXT://127.0.0.1:{port}", "log.dirs": self.logs,
            "zookeeper.connect": connect, "offsets.topic.replication.factor": 1, "offsets.topic.num.partitions": 5,
            "transaction.state.log.replication.factor": 1, "transaction.state.log.min.isr": 1,
            "group.initial.rebalance.delay.ms": 0, "log.segment.delete.delay.ms": 1000, **(extra or {})})

    def answers(self):
        try:
            with kafka_wire.Connection(self.port, 5) as c:
                return c.api_versions()[0] == 0 and self.id in c.metadata([])["brokers"]
        except (OSError, ValueError, AssertionError):
            return False

    def connection(self, timeout=20):
        return kafka_wire.Connection(self.port, timeout)

    def partition_dir(self, topic, partition=0):
        for base in self.logs.split(","):
            path = os.path.join(base, f"{topic}-{partition}")
            if os.path.isdir(path):
                return path
        return None

    def segment_bytes(self, topic, partition=0):
        data = b""
        for name in sorted(glob.glob(os.path.join(self.partition_dir(topic, partition), "*.log"))):
            with open(name, "rb") as f:
                data += f.read()
        return data


class Cluster:
    """A coordinator and one broker, and more brokers on request."""

    def __init__(self, home, directory, ports, broker_extra=None, zk_extra=None, chroot=""):
        self.home, self.directory, self.ports = home, directory, ports
        self.zk = Zookeeper(home, directory, ports.take(), zk_extra)
        self.connect = f"127.0.0.1:{self.zk.port}{chroot}"
        self.broker = Broker(home, directory, ports.take(), self.connect, extra=broker_extra)
        self.others = []

    @property
    def bootstrap(self):
        return f"127.0.0.1:{self.broker.port}"

    @property
    def zk_address(self):
        return f"127.0.0.1:{self.zk.port}"

    def start(self):
        self.zk.launch().wait_ready()
        self.broker.launch().wait_ready()
        return self

    def another_broker(self, broker_id, extra=None, **more):
        b = Broker(self.home, self.directory, self.ports.take(), self.connect, broker_id, extra, **more)
        self.others.append(b)
        return b

    def stop(self):
        for service in [*self.others, self.broker, self.zk]:
            if service.process:
                service.kill()

    def restart_broker(self):
        """After a SIGKILL. Ours takes over at once; a Kafka broker ends until its old session has timed out."""
        if self.home.apache:
            def gone():
                session = zk_wire.Session(self.zk.port)
                try:
                    return session.call(3, zk_wire.text(f"/brokers/ids/{self.broker.id}") + b"\0")[0] == -101
                finally:
                    session.close()
            proc.wait_until(gone, 40, "the killed broker's session ends")
        self.broker.launch().wait_ready()

    def create_topic(self, name, partitions=1, configs=()):
        with self.broker.connection() as c:
            error, message = c.create_topic(name, partitions, 1, configs)
            assert error == 0, (name, error, message)
        self.wait_topic(name, partitions)

    def wait_topic(self, name, partitions=1, seconds=20):
        def there():
            with self.broker.connection() as c:
                topic = c.metadata([name])["topics"].get(name, {"partitions": {}, "error": 3})
                rows = topic["partitions"]
                return topic["error"] == 0 and len(rows) == partitions and all(r["leader"] >= 0 for r in rows.values())
        proc.wait_until(there, seconds, f"topic {name} with {partitions} partitions and leaders")

    def wait_gone(self, name, seconds=20):
        def gone():
            with self.broker.connection() as c:
                return name not in c.metadata()["topics"]
        proc.wait_until(gone, seconds, f"topic {name} is gone from the metadata")

    def end_offsets(self, topic, partitions=1):
        with self.broker.connection() as c:
            return [c.end_offset(topic, p) for p in range(partitions)]

    def committed(self, group, topic, partitions=1):
        with self.broker.connection() as c:
            found = c.committed(group, topic, range(partitions))
            return [found.get(p, -1) for p in range(partitions)]

    def wait_members(self, group, members, seconds=60):
        def stable():
            with self.broker.connection() as c:
                _error, state, names = c.describe_group(group)
                return state == "Stable" and len(names) == members
        proc.wait_until(stable, seconds, f"group {group} is stable with {members} members")

    def wait_lag_zero(self, group, topic, partitions, seconds=120):
        def done():
            ends = self.end_offsets(topic, partitions)
            got = self.committed(group, topic, partitions)
            return all(g == e or (e == 0 and g < 0) for g, e in zip(got, ends))
        proc.wait_until(done, seconds, f"group {group} has committed all of {topic}")


def _size(pid):
    try:
        return proc.rss_kb(pid)
    except OSError:
        return 0
