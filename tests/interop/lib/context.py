"""What a case is handed: the server under test, a running cluster, tools, and the report to check things with."""
import os
import shutil
import tempfile

from . import cluster, jvm, peers
from .report import Skip

KAFKA_VERSIONS = ("2.5.0", "3.5.2", peers.KAFKA_4)


class Context:
    def __init__(self, home, report, ports, scratch):
        self.home, self.report, self.ports, self.scratch = home, report, ports, scratch
        self.check, self.require, self.ok, self.fail = report.check, report.require, report.ok, report.fail
        self.ours = not home.apache
        self._shared = None
        self._jvms = {}
        self._made = []
        self._numbers = 0

    def skip(self, reason):
        raise Skip(reason)

    # --- names and folders -----------------------------------------------------------------------------------------------
    def unique(self, prefix):
        self._numbers += 1
        return f"{prefix}-{self._numbers}"

    def folder(self, prefix="case"):
        return tempfile.mkdtemp(prefix=prefix + "-", dir=self.scratch)

    # --- servers ----------------------------------------------------------------------------------------------------------
    @property
    def cluster(self):
        """One coordinator and broker for all cases that do no harm. Started at the first use, and again if one died."""
        if self._shared and not (self._shared.zk.alive() and self._shared.broker.alive()):
            self._shared.stop()
            self._shared = None
        if not self._shared:
            # topics are not made by asking: a client that still looks at a deleted topic would bring it back
            self._shared = cluster.Cluster(self.home, self.folder("shared"), self.ports,
                                           broker_extra={"auto.create.topics.enable": "false"}).start()
        return self._shared

    def new_cluster(self, **more):
        """A cluster of the case's own, not started; it is ended when the case ends."""
        made = cluster.Cluster(self.home, self.folder("own"), self.ports, **more)
        self._made.append(made)
        return made

    def keep(self, thing):
        """Anything with stop() or close() that shall end with the case."""
        self._made.append(thing)
        return thing

    def end_case(self):
        for thing in reversed(self._made):
            try:
                (getattr(thing, "stop", None) or thing.close)()
            except Exception as e:  # the next case must start clean; the process sweep takes what is left
                print(f"# while ending a case: {e}")
        self._made.clear()

    # --- tools --------------------------------------------------------------------------------------------------------------
    def home_tools(self):
        return jvm.HomeTools(self.home)

    def official(self, version):
        """The one JVM of that release; it lives until the end of the run or until `drop_official`."""
        if version not in self._jvms:
            self._jvms[version] = jvm.Jvm(peers.kafka(version), self.scratch)
        return self._jvms[version]

    def official_tools(self, version):
        return jvm.JvmTools(self.official(version), version)

    def drop_official(self, version):
        if version in self._jvms:
            self._jvms.pop(version).close()

    def close(self):
        self.end_case()
        for one in self._jvms.values():
            one.close()
        if self._shared:
            self._shared.stop()

    def remove(self):
        shutil.rmtree(self.scratch, ignore_errors=True)


# --- the list of cases ------------------------------------------------------------------------------------------------------
CASES = []


def case(name, ours_only=None, each=(None,)):
    """Declares a case. ours_only: why an Apache server is not asked this. each: one case per item, named after it."""
    def declare(function):
        module = function.__module__.rsplit(".", 1)[-1]
        for item in each:
            title = f"{module}/{name}" + ("" if item is None else f" ({item})")
            CASES.append((title, function, item, ours_only))
        return function
    return declare


def workspace(base):
    os.makedirs(base, exist_ok=True)
    return tempfile.mkdtemp(prefix="run-", dir=base)
