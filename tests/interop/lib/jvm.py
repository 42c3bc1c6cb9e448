"""One JVM per official release, in which tools and scenarios run one after another or beside each other (Driver.java)."""
import base64
import os
import threading

from . import cluster, peers, proc


class Jvm:
    def __init__(self, peer, scratch, sources=("Driver.java", "MoveLogs.java", "Scenario.java")):
        self.peer = peer
        self.scratch = os.path.join(scratch, "jvm-" + os.path.basename(peer))
        os.makedirs(self.scratch, exist_ok=True)
        with open(os.path.join(peer, "main-classes.tsv")) as f:
            self.mains = dict(line.rstrip("\n").split("\t") for line in f)
        classes = peers.driver_classes(peer, sources)
        flags = peers.log_settings(peer).split() + cluster.JVM_SHORT.split()
        self.errors = open(os.path.join(self.scratch, "jvm.err"), "wb")
        self.process = proc.spawn(
            ["java", "-Xmx512m", "-Djava.security.manager=allow", "-Dfile.encoding=UTF-8", "-Dinterop.level=WARN", *flags,
             "-cp", classes + os.pathsep + os.path.join(peer, "libs", "*"), "Driver"],
            stdin=-1, stderr=self.errors, env={"JDK_JAVA_OPTIONS": None})
        self.next = 0
        self.done = {}
        self.changed = threading.Condition()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        for line in self.process.stdout:
            name, status = line.decode().split()
            with self.changed:
                self.done[name] = int(status)
                self.changed.notify_all()
        with self.changed:
            self.done["closed"] = 1
            self.changed.notify_all()

    def start(self, main, arguments, stdin=""):
        """Starts a request; `finish` waits for it."""
        self.next += 1
        name = str(self.next)
        source, out = (os.path.join(self.scratch, f"{name}.{x}") for x in ("in", "out"))
        with open(source, "wb") as f:
            f.write(stdin if isinstance(stdin, bytes) else stdin.encode())
        fields = [source, out, main, *arguments]
        line = " ".join([name, *(base64.b64encode(x.encode()).decode() or "-" for x in fields)])
        self.process.stdin.write(line.encode() + b"\n")
        self.process.stdin.flush()
        return name, out

    def finish(self, started, timeout):
        name, out = started
        with self.changed:
            self.changed.wait_for(lambda: name in self.done or "closed" in self.done, timeout)
            status = self.done.get(name)
        try:
            with open(out, errors="replace") as f:
                return status, f.read()
        except OSError:
            return status, f"the JVM ended: {self.error_text()}"

    def run(self, main, arguments, stdin="", timeout=60):
        return self.finish(self.start(main, arguments, stdin), timeout)

    def tool(self, script, arguments, stdin="", timeout=60):
        first = ["-server"] if script == "zookeeper-shell.sh" else []
        return self.run(self.mains[script], [*first, *arguments], stdin, timeout)

    def error_text(self):
        with open(self.errors.name, errors="replace") as f:
            return f.read()[-2000:]

    def close(self):
        proc.end_group(self.process)


class JvmTools:
    """The official tools of one release."""

    def __init__(self, jvm, version):
        self.jvm, self.version, self.name = jvm, version, f"official tools {version}"

    def has(self, script):
        return script in self.jvm.mains

    def run(self, script, *arguments, stdin="", timeout=60):
        return self.jvm.tool(script, [str(a) for a in arguments], stdin, timeout)


class HomeTools:
    """The scripts in bin/ of a home; an Apache home's are official ones too, a JVM each."""

    def __init__(self, home):
        self.home = home
        self.version = home.version
        self.name = "tools of the home"

    def has(self, script):
        return os.path.exists(self.home.bin(script))

    def run(self, script, *arguments, stdin="", timeout=60):
        env = {"KAFKA_HEAP_OPTS": "-Xmx256m", "KAFKA_JVM_PERFORMANCE_OPTS": cluster.JVM_SHORT} if self.home.apache else {}
        return proc.run(["bash", self.home.bin(script), *arguments], stdin=stdin, timeout=timeout, env=env)
