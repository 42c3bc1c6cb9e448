"""Both services beside Apache Kafka 3.5.2 with ZooKeeper: start, memory, a load of 1 KiB records, the build's time."""
import os
import shutil
import time

from figures import TOP, OfficialHome, cpu, load, program
from lib import cluster, kafka_wire, peers, proc
from lib.report import note

THEIRS = "Kafka 3.5.2"
PARTITIONS = 4


def run(options, scratch, ports):
    loader = program("load.c", "-lrdkafka")
    ours, theirs = {}, {}
    if options.only != "theirs":
        ours = measure(cluster.Home(options.home), scratch, ports, loader, options.gb)
    if options.only != "ours":
        theirs = measure(OfficialHome(options.reference or peers.kafka("3.5.2")), scratch, ports, loader, options.gb)
    if options.build:
        ours.update(build_times(scratch))
    return ours, theirs


def first_acknowledged(c):
    """Starts both services at once; seconds until a record is acknowledged (the topic is made by asking for it)."""
    begin = time.monotonic()
    c.zk.launch()
    c.broker.launch()
    batch = kafka_wire.batch([b"first"])
    while time.monotonic() - begin < 120:
        try:
            with c.broker.connection(5) as k:
                while True:
                    topic = k.metadata(["first"])["topics"].get("first")
                    if topic and topic["error"] == 0 and topic["partitions"] and k.produce("first", 0, batch)[0] == 0:
                        return time.monotonic() - begin
                    time.sleep(0.002)
        except (OSError, AssertionError):
            time.sleep(0.002)
    raise SystemExit(f"no record was acknowledged within two minutes: {c.broker.output()[-2000:]}")


def list_time(home, bootstrap):
    argv = ["bash", home.bin("kafka-topics.sh"), "--bootstrap-server", bootstrap, "--list"]
    times = []
    for _ in range(5):
        begin = time.monotonic()
        status, out = proc.run(argv, timeout=60)
        times.append(time.monotonic() - begin)
        if status != 0:
            raise SystemExit(f"kafka-topics.sh --list ended with {status}: {out}")
    return min(times)


def measure(home, scratch, ports, program, gigabytes):
    rows = {}
    c = cluster.Cluster(home, os.path.join(scratch, "data"), ports)
    try:
        note(f"{home.name}: start")
        rows["start of both to the first acknowledged record, s"] = first_acknowledged(c)
        zk, broker = c.zk.pid(), c.broker.pid()
        time.sleep(5)  # a moment of idleness is what is measured
        rows["resident, idle: coordinator, MB"] = proc.rss_kb(zk) / 1024
        rows["resident, idle: broker, MB"] = proc.rss_kb(broker) / 1024
        rows["resident, idle: together, MB"] = (proc.rss_kb(zk) + proc.rss_kb(broker)) / 1024
        before = cpu(zk) + cpu(broker)
        time.sleep(5)
        rows["CPU while idle, % of a core"] = (cpu(zk) + cpu(broker) - before) / 5 * 100
        rows["kafka-topics.sh --list, s (best of 5)"] = list_time(home, c.bootstrap)
        with c.broker.connection(30) as k:
            error, message = k.create_topic("load", PARTITIONS)
            assert error == 0, message
        c.wait_topic("load", PARTITIONS)
        megabytes = str(gigabytes * 1000)
        for name, arguments in (("produce", ("produce", c.bootstrap, "load", megabytes, "1024", "none")),
                                ("fetch", ("consume", c.bootstrap, "load", megabytes))):
            note(f"{home.name}: {name} {gigabytes} GB")
            before = cpu(zk) + cpu(broker)
            _records, size, seconds, client = load(program, *arguments)
            rows[f"{name}: server CPU s per GB"] = (cpu(zk) + cpu(broker) - before) / (size / 1e9)
            rows[f"{name}: client CPU s per GB"] = client / (size / 1e9)
            rows[f"{name}: MB/s"] = size / seconds / 1e6
        rows[f"resident after {gigabytes} GB: coordinator, MB"] = proc.rss_kb(zk) / 1024
        rows[f"resident after {gigabytes} GB: broker, MB"] = proc.rss_kb(broker) / 1024
        rows[f"resident after {gigabytes} GB: together, MB"] = (proc.rss_kb(zk) + proc.rss_kb(broker)) / 1024
    finally:
        c.stop()
        shutil.rmtree(os.path.join(scratch, "data"), ignore_errors=True)
    return rows


def build_times(scratch):
    """A clean release build without tests and with an empty ccache; then one touched source file of the broker."""
    folder = os.path.join(scratch, "build")
    env = {"CCACHE_DIR": os.path.join(scratch, "ccache")}
    note("a clean release build")
    begin = time.monotonic()
    for argv in (["cmake", "-S", TOP, "--preset", "release", "-B", folder], ["cmake", "--build", folder, "--parallel", str(os.cpu_count())]):
        status, out = proc.run(argv, timeout=1800, env=env, cwd=TOP)
        if status != 0:
            note(f"does not build: {out[-1500:]}")
            return {}
    rows = {"clean release build, empty ccache, s": time.monotonic() - begin}
    touched = os.path.join(TOP, "broker", "api", "produce.cc")
    os.utime(touched)
    begin = time.monotonic()
    proc.run(["cmake", "--build", folder, "--parallel", str(os.cpu_count())], timeout=1800, env={**env, "CCACHE_DISABLE": "1"})
    rows["build after one touched .cc, s"] = time.monotonic() - begin
    return rows
