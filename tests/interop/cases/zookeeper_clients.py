"""What applications keep in a ZooKeeper: recipes and sessions of kazoo, Curator, the C client, go-zookeeper and zkCli. Each
program asks once for the server to be killed and started again, and goes on."""
import os
import re

from lib import cluster, dialogue, jvm, peers
from lib.context import case

SETTINGS = {"extendedTypesEnabled": "true", "tickTime": 2000}


def alone(t):
    return t.keep(cluster.Zookeeper(t.home, t.folder("clients"), t.ports.take(), SETTINGS)).launch().wait_ready()


def go_on(t, name, argv, env=None):
    """Runs a program against a server of its own, which is killed and started when the program asks."""
    server = alone(t)

    def kill():
        server.kill()
        server.launch().wait_ready()
    status, out = dialogue.run([*argv, f"127.0.0.1:{server.port}"], {"kill": kill}, env=env)
    t.report.client_lines(name, status, out)


@case("kazoo's recipes, across a restart")
def kazoo(t):
    go_on(t, "kazoo_recipes.py", [peers.python(), "-u", os.path.join(peers.CLIENTS, "python", "kazoo_recipes.py")])


@case("Curator's recipes, across a restart")
def curator(t):
    peer = peers.curator()
    classes = peers.driver_classes(peer, ["Curator.java"])
    go_on(t, "Curator", ["java", "-Xmx192m", "-Dinterop.level=ERROR", *peers.log_settings(peer).split(), *cluster.JVM_SHORT.split(), "-cp",
                         classes + os.pathsep + os.path.join(peer, "libs", "*"), "Curator"], env={"JDK_JAVA_OPTIONS": None})


@case("the C client's session, across a restart")
def c_session(t):
    go_on(t, "zk_session", [peers.c_program("zk_session.c", "-lzookeeper_mt", "-lpthread")])


@case("go-zookeeper, across a restart")
def go(t):
    go_on(t, "go-zookeeper", [peers.go_program("go-zookeeper", "zookeeper")])


# --- zkCli: what it prints beside a real ZooKeeper -------------------------------------------------------------------------------
INTERACTIVE = """create /cli root
create -c /cli/box c
create -t 3600000 /cli/ttl t
create -s -e /cli/es- x
create -s /cli/s- y
create -e /cli/e z
ls -s /cli
ls -R /cli
stat /cli/e
set -s -v 0 /cli second
set -v 0 /cli third
get -s /cli
getAllChildrenNumber /cli
getEphemerals /cli
getEphemerals
addWatch -m PERSISTENT /cli
addWatch /cli/box
set /cli w1
create /cli/box/x v
set /cli/box/x v2
removewatches /cli
ls -w /cli
create /cli/new n
stat -w /cli/e
delete /cli/e
sync /cli
whoami
addauth digest ann:secret
whoami
create /cli/mine m auth::cdrwa
getAcl -s /cli/mine
setAcl -R /cli/box world:anyone:crdwa
setAcl -v 7 /cli/box world:anyone:r
getAcl /cli/box
reconfig
delete -v 9 /cli/new
delete /cli/box
delete /nothing
get /nothing
create /cli/a/b/c
printwatches off
set /cli w2
printwatches on
create /cli/q/
ls relative
version
history
redo 2
nonsense
deleteall /cli -b 10
ls /
close
ls /
quit
"""
ONE_SHOT = (("create", "/one", "data"), ("get", "-s", "/one"), ("get", "/none"), ("ls", "-R", "/"), ("set", "-v", "5", "/one", "x"),
            ("delete", "/one"), ("delete", "/one"), ("nonsense",), ("ls", "/zookeeper"))
CHANGES = ((re.compile(r"127\.0\.0\.1:\d+"), "ADDRESS"), (re.compile(r"time = .*"), "time"), (re.compile(r"(?m)^\[\d{4}-[^\]]*\]"), "[time]"),
           (re.compile(r"(ephemeralOwner = 0x)[1-9a-f][0-9a-f]+"), r"\1ID"))
UNORDERED = re.compile(r"^(ip|digest): ")  # a session's identities are a set


def spoken(text):
    """(what it printed, identities, events), without what differs by the hour; an event comes when it comes."""
    for pattern, word in CHANGES:
        text = pattern.sub(word, text)
    lines = [line for line in text.splitlines() if line and line != "WATCHER::"]
    identities = [x for x in lines if UNORDERED.match(x)]
    events = [x for x in lines if x.startswith("WatchedEvent")]
    told = [x for x in events if "type:None" not in x]  # those of the connection may come when it is all over
    return [x for x in lines if x not in identities and x not in events], sorted(identities), told


@case("zkCli 3.8 says what it says to ZooKeeper", ours_only="two ZooKeepers would be compared")
def zk_cli(t):
    server = alone(t)
    home = cluster.Home(peers.zookeeper(), scripts=("zookeeper-server-start.sh",))
    real = t.keep(cluster.Zookeeper(home, t.folder("reference"), t.ports.take(), SETTINGS)).launch().wait_ready(60)
    vm = t.keep(jvm.Jvm(peers.zookeeper(), t.scratch, ["Driver.java"]))
    main = vm.mains["zookeeper-shell.sh"]
    said = [vm.run(main, ["-server", f"127.0.0.1:{s.port}"], stdin=INTERACTIVE, timeout=60) for s in (server, real)]
    ours, theirs = (spoken(out) for _status, out in said)
    t.check("it gets through all of it", said[0][0] == said[1][0] == 0 and len(theirs[0]) > 150, (said[0][0], len(theirs[0])))
    differing = [(a, b) for a, b in zip(ours[0], theirs[0]) if a != b]
    t.check("fifty commands at a prompt", ours[0] == theirs[0], differing[:5] or (len(ours[0]), len(theirs[0])))
    t.check("who it is, and the events that they cause", ours[1:] == theirs[1:], (ours[1:], theirs[1:]))
    for arguments in ONE_SHOT:
        a, b = (vm.run(main, ["-server", f"127.0.0.1:{s.port}", *arguments], timeout=30) for s in (server, real))
        t.check(f"one-shot {' '.join(arguments)}", a[0] == b[0] and spoken(a[1]) == spoken(b[1]), (a, b))
