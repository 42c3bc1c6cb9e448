"""What the tests bring: Kafka's and ZooKeeper's official jars (Maven Central), Python, Node and Go clients, and our own
small programs compiled against them. Everything lies below one folder and is made once: a stamp beside each part holds
what it was made from, and a part whose stamp fits is not made again."""
import glob
import hashlib
import os
import re
import shutil
import sys
import zipfile

from . import proc
from .report import Skip, note

HERE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
CHECKOUT = os.path.dirname(os.path.dirname(HERE))
CACHE = os.environ.get("ODRADEK_TEST_CACHE") or os.path.join(CHECKOUT, "build", "tests")

CLIENTS = os.path.join(HERE, "clients")
KAFKA_4 = "4.3.1"
ZOOKEEPER_38 = "3.8.4"
PYTHON = ["confluent-kafka==2.16.1", "kafka-python==3.0.12", "kazoo==2.11.0", "pure-sasl==0.6.2"]
KAFKAJS = "2.2.4"
CURATOR = "5.7.1"


def _digest(*parts):
    h = hashlib.sha256()
    for part in parts:
        if os.path.isfile(part):
            with open(part, "rb") as f:
                h.update(f.read())
        h.update(b"\0" + str(part).encode())
    return h.hexdigest()


def _once(directory, digest, make):
    """Runs make(directory) unless the folder was made from the same parts before."""
    stamp = os.path.join(directory, ".made-from")
    try:
        with open(stamp) as f:
            if f.read() == digest:
                return directory
    except OSError:
        if os.path.isdir(directory) and os.listdir(directory) and not directory.startswith(CACHE + os.sep):
            raise SystemExit(f"{directory} is not empty and was not made here")
    shutil.rmtree(directory, ignore_errors=True)
    os.makedirs(directory)
    make(directory)
    with open(stamp, "w") as f:
        f.write(digest)
    return directory


def need(program):
    if not shutil.which(program):
        raise Skip(f"{program} is not installed")


def _must(argv, what, cwd=None, env=None, timeout=600, ours=False):
    """Runs a step of bringing something. A registry that does not answer is a reason to skip; a program of ours that
    does not compile is a failure."""
    note(what)
    status, out = proc.run(argv, cwd=cwd, env=env, timeout=timeout)
    if status != 0:
        text = f"{what}: {' '.join(argv[:2])} ended with {status}: {out.strip()[-600:]}"
        raise AssertionError(text) if ours else Skip(text)


# --- Maven ------------------------------------------------------------------------------------------------------------
def jars(directory, artifacts):
    """Copies artifacts ('group:name:version') with all they need at run time into directory/libs."""
    need("mvn")
    rows = "".join(
        f"<dependency><groupId>{g}</groupId><artifactId>{a}</artifactId><version>{v}</version><exclusions><exclusion>"
        "<groupId>ch.qos.logback</groupId><artifactId>*</artifactId></exclusion></exclusions></dependency>"
        for g, a, v in (x.split(":") for x in artifacts))
    pom = os.path.join(directory, "pom.xml")
    with open(pom, "w") as f:
        f.write("<project><modelVersion>4.0.0</modelVersion><groupId>interop</groupId><artifactId>peer</artifactId>"
                f"<version>1</version><dependencies>{rows}</dependencies></project>\n")
    _must(["mvn", "-q", "-B", "-f", pom, "dependency:copy-dependencies", "-DincludeScope=runtime",
           f"-DoutputDirectory={directory}/libs"], f"bringing {', '.join(artifacts[:2])} ...")


def log_settings(directory):
    """Both generations of log4j: warnings and above on standard error."""
    config = os.path.join(directory, "config")
    os.makedirs(config, exist_ok=True)
    with open(os.path.join(config, "log4j.properties"), "w") as f:
        f.write("log4j.rootLogger=${interop.level}, err\nlog4j.appender.err=org.apache.log4j.ConsoleAppender\n"
                "log4j.appender.err.target=System.err\nlog4j.appender.err.layout=org.apache.log4j.PatternLayout\n"
                "log4j.appender.err.layout.ConversionPattern=[%d] %p %m (%c)%n\n")
    with open(os.path.join(config, "log4j2.properties"), "w") as f:
        f.write("appender.err.type=Console\nappender.err.name=err\nappender.err.target=SYSTEM_ERR\n"
                "appender.err.layout.type=PatternLayout\nappender.err.layout.pattern=[%d] %p %m (%c)%n\n"
                "rootLogger.level=${sys:interop.level}\nrootLogger.appenderRef.err.ref=err\n")
    return (f"-Dlog4j.configuration=file:{config}/log4j.properties "
            f"-Dlog4j2.configurationFile=file:{config}/log4j2.properties")


def kafka_artifacts(version):
    major = int(version.split(".")[0])
    found = [f"org.apache.kafka:{a}:{version}" for a in ("kafka_2.13", "kafka-clients", "kafka-tools")]
    if major == 2:
        found += ["org.slf4j:slf4j-log4j12:1.7.30", "log4j:log4j:1.2.17"]
    elif major == 3:
        found += ["org.slf4j:slf4j-reload4j:1.7.36", "ch.qos.reload4j:reload4j:1.2.25"]
    if major < 4:
        found += ["io.dropwizard.metrics:metrics-core:4.1.12.1", "commons-cli:commons-cli:1.4"]
    return found


# The tools by their official script names; the main class moved between releases, so the first that exists is taken.
_T = "org.apache.kafka.tools"
TOOLS = {
    "kafka-topics.sh": (f"{_T}.TopicCommand", "kafka.admin.TopicCommand"),
    "kafka-console-producer.sh": (f"{_T}.ConsoleProducer", "kafka.tools.ConsoleProducer"),
    "kafka-console-consumer.sh": (f"{_T}.consumer.ConsoleConsumer", "kafka.tools.ConsoleConsumer"),
    "kafka-consumer-groups.sh": (f"{_T}.consumer.group.ConsumerGroupCommand", "kafka.admin.ConsumerGroupCommand"),
    "kafka-configs.sh": (f"{_T}.ConfigCommand", "kafka.admin.ConfigCommand"),
    "kafka-get-offsets.sh": (f"{_T}.GetOffsetShell", "kafka.tools.GetOffsetShell"),
    "kafka-delete-records.sh": (f"{_T}.DeleteRecordsCommand", "kafka.admin.DeleteRecordsCommand"),
    "kafka-log-dirs.sh": (f"{_T}.LogDirsCommand", "kafka.admin.LogDirsCommand"),
    "kafka-broker-api-versions.sh": (f"{_T}.BrokerApiVersionsCommand", "kafka.admin.BrokerApiVersionsCommand"),
    "kafka-dump-log.sh": (f"{_T}.DumpLogSegments", "kafka.tools.DumpLogSegments"),
    "kafka-acls.sh": ("kafka.admin.AclCommand",),
    "kafka-reassign-partitions.sh": (f"{_T}.reassign.ReassignPartitionsCommand", "kafka.admin.ReassignPartitionsCommand"),
    "kafka-leader-election.sh": (f"{_T}.LeaderElectionCommand", "kafka.admin.LeaderElectionCommand"),
    "zookeeper-shell.sh": ("org.apache.zookeeper.ZooKeeperMainWithTlsSupportForKafka",
                           "org.apache.zookeeper.ZooKeeperMain"),
    "zookeeper-server-start.sh": ("org.apache.zookeeper.server.quorum.QuorumPeerMain",),
    "kafka-server-start.sh": ("kafka.Kafka",),
}


def _launchers(directory):
    """bin/NAME.sh for the classes that are there, and main-classes.tsv for those who run them in a JVM of their own."""
    classes = set()
    for jar in glob.glob(os.path.join(directory, "libs", "*.jar")):
        if re.search(r"/(kafka|zookeeper)[^/]*\.jar$", jar):
            with zipfile.ZipFile(jar) as z:
                classes.update(n[:-6].replace("/", ".") for n in z.namelist() if n.endswith(".class"))
    flags = log_settings(directory)
    os.makedirs(os.path.join(directory, "bin"), exist_ok=True)
    rows = []
    for name, candidates in TOOLS.items():
        main = next((c for c in candidates if c in classes), None)
        if not main:
            continue
        rows.append(f"{name}\t{main}\n")
        first = "-server " if name == "zookeeper-shell.sh" else ""
        level = "INFO" if "server-start" in name else "WARN"
        heap = {"kafka-server-start.sh": "-Xmx1G -Xms1G", "zookeeper-server-start.sh": "-Xmx512M -Xms512M"}.get(name, "-Xmx256m")
        script = os.path.join(directory, "bin", name)
        with open(script, "w") as f:
            f.write('#!/usr/bin/env bash\nhome=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)\n'
                    f'exec java ${{KAFKA_HEAP_OPTS:-{heap}}} ${{KAFKA_JVM_PERFORMANCE_OPTS:--XX:+UseG1GC -XX:MaxGCPauseMillis=20}} '
                    f'-Dinterop.level={level} {flags} ${{KAFKA_OPTS:-}} -cp "$home/libs/*" {main} {first}"$@"\n')
        os.chmod(script, 0o755)
    with open(os.path.join(directory, "main-classes.tsv"), "w") as f:
        f.writelines(rows)


def kafka(version, directory=None):
    """The home of an official Kafka: libs, bin, config. Brings it if it is not there."""
    directory = directory or os.path.join(CACHE, "peers", f"kafka-{version}")
    artifacts = kafka_artifacts(version)

    def make(where):
        jars(where, artifacts)
        _launchers(where)
    return _once(directory, _digest(*artifacts, os.path.abspath(__file__)), make)


def zookeeper(version=ZOOKEEPER_38, directory=None):
    directory = directory or os.path.join(CACHE, "peers", f"zookeeper-{version}")
    artifacts = [f"org.apache.zookeeper:zookeeper:{version}", "commons-cli:commons-cli:1.5.0",
                 "io.dropwizard.metrics:metrics-core:4.1.12.1", "org.slf4j:slf4j-reload4j:1.7.36",
                 "ch.qos.reload4j:reload4j:1.2.25", "org.xerial.snappy:snappy-java:1.1.10.5"]

    def make(where):
        jars(where, artifacts)
        _launchers(where)
    return _once(directory, _digest(*artifacts, os.path.abspath(__file__)), make)


def curator(version=CURATOR):
    """Curator's recipes with the ZooKeeper client that it was released with."""
    artifacts = [f"org.apache.curator:curator-recipes:{version}", "org.slf4j:slf4j-reload4j:1.7.36", "ch.qos.reload4j:reload4j:1.2.25"]
    return _once(os.path.join(CACHE, "peers", f"curator-{version}"), _digest(*artifacts, os.path.abspath(__file__)),
                 lambda where: jars(where, artifacts))
def zookeeper_server(version):
    """The home of an official ZooKeeper that can run as a server, its messages on standard error."""
    directory = os.path.join(CACHE, "peers", f"zookeeper-server-{version}")
    slf4j = "2.0.13" if tuple(int(n) for n in version.split(".")) >= (3, 8, 5) else "1.7.36"
    artifacts = [f"org.apache.zookeeper:zookeeper:{version}", "commons-cli:commons-cli:1.5.0",
                 "io.dropwizard.metrics:metrics-core:4.1.12.1", "org.xerial.snappy:snappy-java:1.1.10.5",
                 f"org.slf4j:slf4j-reload4j:{slf4j}", "ch.qos.reload4j:reload4j:1.2.25"]

    def make(where):
        jars(where, artifacts)
        _launchers(where)
    return _once(directory, _digest(*artifacts, os.path.abspath(__file__)), make)


def driver_classes(peer, sources):
    """Compiles our Java programs once against a peer's jars."""
    need("javac")
    files = [os.path.join(CLIENTS, "java", s) for s in sources]
    where = os.path.join(CACHE, "java", os.path.basename(peer))

    def make(directory):
        _must(["javac", "-nowarn", "-Xlint:-options", "-Xlint:-removal", "-Xlint:-deprecation", "--release", "17", "-d",
               directory, "-cp", os.path.join(peer, "libs", "*"), *files], f"javac for {os.path.basename(peer)}", ours=True)
    return _once(where, _digest(peer, *files), make)


# --- the other languages ------------------------------------------------------------------------------------------------
def python():
    """The interpreter of a virtual environment with the Python clients."""
    def make(directory):
        _must([sys.executable, "-m", "venv", directory], "a Python environment")
        _must([os.path.join(directory, "bin", "pip"), "install", "-q", "--disable-pip-version-check", *PYTHON],
              f"pip install {' '.join(PYTHON)}")
    where = _once(os.path.join(CACHE, "python"), _digest(*PYTHON, sys.version), make)
    return os.path.join(where, "bin", "python")


def node():
    """A folder with kafkajs and our programs, for `node PROGRAM`."""
    need("node")
    need("npm")
    files = sorted(glob.glob(os.path.join(CLIENTS, "node", "*.js")))

    def make(directory):
        with open(os.path.join(directory, "package.json"), "w") as f:
            f.write('{"name": "interop", "private": true}\n')
        _must(["npm", "install", "--no-audit", "--no-fund", "--loglevel=error", f"kafkajs@{KAFKAJS}"],
              f"npm install kafkajs@{KAFKAJS}", cwd=directory)
        for name in files:
            shutil.copy(name, directory)
    return _once(os.path.join(CACHE, "node"), _digest(KAFKAJS, *files), make)


def go_program(folder="go", name="franz"):
    """A compiled Go program of ours: clients/FOLDER, a module of its own."""
    need("go")
    source = os.path.join(CLIENTS, folder)
    files = [os.path.join(source, n) for n in ("go.mod", "go.sum", "main.go")]

    def make(directory):
        _must(["go", "build", "-o", os.path.join(directory, name), "."], f"go build of clients/{folder}", cwd=source,
              env={"GOFLAGS": "-mod=readonly", "GOTOOLCHAIN": "local"})
    return os.path.join(_once(os.path.join(CACHE, folder), _digest(*files), make), name)


def c_program(source, *libraries):
    """A compiled C program of ours, clients/c/SOURCE or an absolute path."""
    path = source if os.path.isabs(source) else os.path.join(CLIENTS, "c", source)
    name = os.path.basename(path)[:-2]
    compiler = next((c for c in ("clang-16", "cc", "gcc") if shutil.which(c)), None)
    if not compiler:
        raise Skip("no C compiler is installed")

    def make(directory):
        _must([compiler, "-O2", "-DTHREADED", "-Wall", "-Wextra", "-o", os.path.join(directory, name), path, *libraries],
              f"compiling {name}.c", ours=True)
    return os.path.join(_once(os.path.join(CACHE, "c", name), _digest(path, *libraries), make), name)
