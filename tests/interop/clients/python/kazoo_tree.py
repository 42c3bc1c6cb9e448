"""kazoo against a server: every operation that an application uses. Argument: host:port"""
import sys
import threading

from kazoo.client import KazooClient
from kazoo.exceptions import BadVersionError, NoAuthError, NodeExistsError, NoNodeError, NotEmptyError
from kazoo.recipe.lock import Lock
from kazoo.security import make_acl, make_digest_acl
from steps import check, finish

zk = KazooClient(hosts=sys.argv[1], timeout=10)
zk.start(15)
other = KazooClient(hosts=sys.argv[1], timeout=10)
other.start(15)
if zk.exists("/kazoo"):
    zk.delete("/kazoo", recursive=True)


def raises(kind, call, *a, **k):
    try:
        call(*a, **k)
    except kind:
        return True
    return False


check("create", zk.create("/kazoo", b"first") == "/kazoo")
check("create twice is NodeExists", raises(NodeExistsError, zk.create, "/kazoo"))
check("create without parent is NoNode", raises(NoNodeError, zk.create, "/kazoo/a/b"))
check("makepath", zk.create("/kazoo/a/b/c", b"deep", makepath=True) == "/kazoo/a/b/c")
data, stat = zk.get("/kazoo")
check("get", data == b"first" and stat.version == 0 and stat.numChildren == 1 and stat.dataLength == 5, stat)
stat2 = zk.set("/kazoo", b"second", version=0)
check("set with a version", stat2.version == 1 and stat2.mzxid > stat.mzxid and stat2.czxid == stat.czxid, stat2)
check("set with an old version is BadVersion", raises(BadVersionError, zk.set, "/kazoo", b"x", version=0))
check("delete of a parent is NotEmpty", raises(NotEmptyError, zk.delete, "/kazoo/a"))
check("a megabyte less a little", len(zk.get(zk.create("/kazoo/large", b"x" * 1000000))[0]) == 1000000)
check("no data at all", zk.get(zk.create("/kazoo/empty", b""))[0] == b"")
path, created = zk.create("/kazoo/with-stat", b"s", include_data=True)
check("create2 gives the stat", created.dataLength == 1 and created.version == 0, created)

names = [zk.create("/kazoo/seq-", sequence=True) for _ in range(3)]
check("sequential nodes count up", [int(n[-10:]) for n in names] == list(range(int(names[0][-10:]), int(names[0][-10:]) + 3)), names)
eph = other.create("/kazoo/eph-", ephemeral=True, sequence=True)
check("an ephemeral node is owned by its session", zk.exists(eph).ephemeralOwner == other.client_id[0])
check("children", set(zk.get_children("/kazoo")) == {"a", "large", "empty", "with-stat", eph[7:], *[n[7:] for n in names]},
      zk.get_children("/kazoo"))
kids, kstat = zk.get_children("/kazoo", include_data=True)
check("children with the stat", kstat.numChildren == len(kids), kstat)

# --- watches ---------------------------------------------------------------------------------------------------------------
events, cond = [], threading.Condition()


def watch(event):
    with cond:
        events.append((event.type, event.path))
        cond.notify_all()


def saw(kind, at):
    with cond:
        return cond.wait_for(lambda: (kind, at) in events, 10)


zk.exists("/kazoo/watched", watch=watch)
other.create("/kazoo/watched", b"1")
check("an exists watch: CREATED", saw("CREATED", "/kazoo/watched"), events)
zk.get("/kazoo/watched", watch=watch)
other.set("/kazoo/watched", b"2")
check("a data watch: CHANGED", saw("CHANGED", "/kazoo/watched"), events)
check("the change is read after the event", zk.get("/kazoo/watched")[0] == b"2")
zk.get_children("/kazoo/watched", watch=watch)
other.create("/kazoo/watched/child")
check("a child watch: CHILD", saw("CHILD", "/kazoo/watched"), events)
n = len(events)
other.set("/kazoo/watched", b"3")
zk.sync("/kazoo")
zk.get("/kazoo/watched")
check("a watch fires once", len(events) == n, events)
other.delete("/kazoo/watched/child")
zk.get("/kazoo/watched", watch=watch)
other.delete("/kazoo/watched")
check("a data watch: DELETED", saw("DELETED", "/kazoo/watched"), events)
zk.exists(eph, watch=watch)
other.stop()
check("closing a session deletes its ephemeral nodes and fires", saw("DELETED", eph), events)
check("and they are gone", zk.exists(eph) is None)

# --- multi -------------------------------------------------------------------------------------------------------------------
m = zk.transaction()
m.create("/kazoo/multi", b"m")
m.set_data("/kazoo", b"third", version=1)
m.check("/kazoo/multi", version=0)
m.delete("/kazoo/with-stat")
results = m.commit()
check("a multi of four", results[0] == "/kazoo/multi" and results[1].version == 2 and results[3] is True, results)
m = zk.transaction()
m.create("/kazoo/never", b"m")
m.delete("/kazoo/nothing-there")
m.create("/kazoo/after", b"m")
results = m.commit()
check("a multi that fails names what failed", [type(r).__name__ for r in results] ==
      ["RolledBackError", "NoNodeError", "RuntimeInconsistency"], results)
check("and changes nothing", zk.exists("/kazoo/never") is None and zk.exists("/kazoo/after") is None)

# --- access control -----------------------------------------------------------------------------------------------------------
zk.add_auth("digest", "user:secret")
zk.create("/kazoo/closed", b"mine", acl=[make_digest_acl("user", "secret", all=True)])
stranger = KazooClient(hosts=sys.argv[1], timeout=10)
stranger.start(15)
check("a digest keeps strangers out", raises(NoAuthError, stranger.get, "/kazoo/closed"))
stranger.add_auth("digest", "user:secret")
check("and lets the owner in", stranger.get("/kazoo/closed")[0] == b"mine")
acls, astat = zk.get_acls("/kazoo/closed")
check("getACL", acls[0].id.scheme == "digest" and acls[0].perms == 31 and astat.aversion == 0, acls)
zk.set_acls("/kazoo/closed", [make_acl("ip", "127.0.0.1", all=True)], version=0)
check("setACL to an address", stranger.get("/kazoo/closed")[1].aversion == 1)
zk.set_acls("/kazoo/closed", [make_acl("world", "anyone", read=True)])
check("read only: no write", raises(NoAuthError, stranger.set, "/kazoo/closed", b"x"))
stranger.stop()

# --- a chroot, a recipe ------------------------------------------------------------------------------------------------------
rooted = KazooClient(hosts=sys.argv[1] + "/kazoo/a", timeout=10)
rooted.start(15)
check("a chroot", rooted.get("/b/c")[0] == b"deep" and rooted.get_children("/") == ["b"])
rooted.stop()
held = []
lock_clients = [KazooClient(hosts=sys.argv[1], timeout=10) for _ in range(3)]


def work(client):
    client.start(15)
    for _ in range(5):
        with Lock(client, "/kazoo/lock"):
            held.append(1)
            assert len(held) == 1
            held.pop()


threads = [threading.Thread(target=work, args=(c,)) for c in lock_clients]
[x.start() for x in threads]
[x.join(60) for x in threads]
check("the lock recipe with three clients", not any(x.is_alive() for x in threads) and not held)
[c.stop() for c in lock_clients]

created = [zk.create_async(f"/kazoo/a/n{i:04d}", b"%d" % i) for i in range(2000)]
check("2,000 creates in flight answer in order", all(r.get(60) for r in created) and len(zk.get_children("/kazoo/a")) == 2001)
zxids = [zk.exists(f"/kazoo/a/n{i:04d}").czxid for i in range(0, 2000, 100)]
check("with growing zxids", zxids == sorted(zxids) and len(set(zxids)) == len(zxids), zxids)
zk.delete("/kazoo", recursive=True)
check("a recursive delete", zk.exists("/kazoo") is None)
zk.stop()
finish()
