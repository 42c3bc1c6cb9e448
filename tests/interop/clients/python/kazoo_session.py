"""A session across a restart of its server. Argument: host:port. Prints one sentence an event."""
import sys
import threading

from kazoo.client import KazooClient
from kazoo.protocol.states import KazooState
from kazoo.retry import KazooRetry

states, cond = [], threading.Condition()


def listener(state):
    with cond:
        states.append(state)
        cond.notify_all()


def wait(state, count):
    with cond:
        return cond.wait_for(lambda: states.count(state) >= count or KazooState.LOST in states, 30) and KazooState.LOST not in states


zk = KazooClient(hosts=sys.argv[1], timeout=15, connection_retry=KazooRetry(max_tries=-1, delay=0.05, max_delay=0.2))
zk.add_listener(listener)
zk.start(15)
zk.create("/kept", b"", ephemeral=True)
zk.create("/seen", b"1")
fired = threading.Event()
zk.get("/seen", watch=lambda event: fired.set())
before = zk.client_id[0]
print("connected", flush=True)
print("suspended" if wait(KazooState.SUSPENDED, 1) else f"no: {states}", flush=True)
print("the same session again" if wait(KazooState.CONNECTED, 2) and zk.client_id[0] == before else f"no: {states}", flush=True)
stat = KazooRetry(max_tries=20)(zk.exists, "/kept")
print("its ephemeral node is there" if stat and stat.ephemeralOwner == before else f"no: {stat}", flush=True)
zk.set("/seen", b"2")
print("its watch still fires" if fired.wait(10) else "no", flush=True)
zk.stop()
