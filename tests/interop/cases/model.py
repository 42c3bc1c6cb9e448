"""The tree beside a real ZooKeeper: seeded random requests of several sessions go to both, and every reply, stat and watch event
has to be the same; then many sessions at once, where each reply has to fit the one order of the writes.

MODEL_SEEDS=FIRST-LAST chooses other seeds than the usual ones. A failure names its seed and the shortest script that shows it."""
import copy
import os

from lib import cluster, peers, zk_compare, zk_linear, zk_random
from lib.context import case
from lib.report import Timer

SETTINGS = {"tickTime": 2000, "extendedTypesEnabled": "true", "DigestAuthenticationProvider.superDigest": zk_random.SUPER}
# No container or time to live ends in the middle; and the reference need not wait for a disk, which answers nothing else.
REFERENCE = {"KAFKA_HEAP_OPTS": "-Xmx192m", "KAFKA_JVM_PERFORMANCE_OPTS": cluster.JVM_SHORT,
             "KAFKA_OPTS": "-Dznode.container.checkIntervalMs=86400000 -Dzookeeper.forceSync=no"}
# One path may have watches of several kinds since ZooKeeper 3.9 (ZOOKEEPER-4466): before, the last one replaces the others,
# and whether anybody watches is asked of all sessions at once. So those requests are compared with 3.9 alone.
ONE_KIND = ("addWatch", "setWatches2", "checkWatches", "removeWatches")
RELEASES = {peers.ZOOKEEPER_38: (ONE_KIND, 1, 40), "3.9.5": ((), 101, 130)}
ONLY = "two ZooKeepers would be compared"


def seeds_of(first, last):
    first, _, last = os.environ.get("MODEL_SEEDS", f"{first}-{last}").partition("-")
    return range(int(first), int(last or first) + 1)


class Swept:
    """Our coordinator sweeps empty containers a minute after its start; a start between two seeds puts that off."""

    def __init__(self, server):
        self.server, self.clock = server, Timer()

    def put_off(self):
        if self.clock.seconds() > 20:
            self.server.stop()
            self.server.launch().wait_ready()
            self.clock = Timer()


def servers(t, release):
    """Both, empty: ours and the reference, which stands last; and what keeps sweeps away from ours."""
    ours = t.keep(cluster.Zookeeper(t.home, t.folder("model"), t.ports.take(), SETTINGS))
    home = cluster.Home(peers.zookeeper(release), scripts=("zookeeper-server-start.sh",))
    real = t.keep(cluster.Zookeeper(home, t.folder("reference"), t.ports.take(), SETTINGS))
    ours.launch()
    real.launch(env=REFERENCE)
    return {"ours": ours.wait_ready().port, f"ZooKeeper {release}": real.wait_ready().port}, Swept(ours)


@case("random requests, answered as by ZooKeeper", ours_only=ONLY, each=RELEASES)
def turns(t, release):
    without, first, last = RELEASES[release]
    ports, sweeps = servers(t, release)
    clock, seeds = Timer(), seeds_of(first, last)
    for seed in seeds:
        sweeps.put_off()
        found = zk_compare.compare(ports, f"/model-{seed}", seed, without=without)
        if found:
            first = found.text()[-1500:]
            sweeps.put_off()
            t.fail(f"seed {seed}", f"{first}\n\nshortened: {zk_compare.shorten(ports, f'/short-{seed}', found, tries=150).text()}")
            return
    t.ok(f"{len(seeds)} seeds of 150 turns in {clock.seconds():.0f} s")


@case("many sessions at once: one order of writes, events before what shows them")
def at_once(t):
    port = t.keep(cluster.Zookeeper(t.home, t.folder("model"), t.ports.take(), SETTINGS)).launch().wait_ready().port
    replies = events = 0
    for seed in seeds_of(1, 8):
        problem, more, told = zk_linear.run(port, f"/at-once-{seed}", seed, persistent=t.ours)
        if not t.check(f"seed {seed}", problem is None, problem):
            return
        replies, events = replies + more, events + told
    t.check("and there was something to look at", replies > 10000 and events > 500, (replies, events))


@case("what looks at that order sees what is wrong with it")
def sees(t):
    """The judge itself: a run that is good, with one thing changed."""
    port = t.keep(cluster.Zookeeper(t.home, t.folder("model"), t.ports.take(), SETTINGS)).launch().wait_ready().port
    runners, tree = zk_linear.record(port, "/judged", 1, count=80, persistent=t.ours)
    t.check("as it was", zk_linear.judge(copy.deepcopy(tree), runners)[0] is None)

    def place(wanted):
        return next((r, n) for r in runners for n, row in enumerate(r.seen) if wanted(*row))

    def changed(what, wanted, change):
        runner, n = place(wanted)
        kept = list(runner.seen)
        runner.seen = copy.deepcopy(kept)
        change(runner.seen, n)
        problem = zk_linear.judge(copy.deepcopy(tree), runners)[0]
        runner.seen = kept
        t.check(what, problem is not None)

    def event(request, _message):
        return request is None

    def good_write(request, message):
        return request and request[0] == "setData" and message.error == 0

    def good_read(request, message):
        return request and request[0] == "getData" and message.error == 0

    changed("an event that did not come", event, lambda seen, n: seen.pop(n))
    changed("one that came twice", event, lambda seen, n: seen.insert(n, seen[n]))
    changed("one that came late", event, lambda seen, n: seen.append(seen.pop(n)))
    changed("a stat that is not so", good_write, lambda seen, n: seen[n][1].body["stat"].update(version=99))
    changed("an answer of another time", good_read, lambda seen, n: seen[n][1].body.update(data=b"from elsewhere"))
    changed("a zxid that goes back", good_write, lambda seen, n: setattr(seen[n][1], "zxid", 1))
    changed("an error that was none", good_write, lambda seen, n: setattr(seen[n][1], "error", -103))
