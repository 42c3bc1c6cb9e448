"""kazoo's recipes against a server. Argument: host:port. Prints `ask kill` once: the server is then killed and started
again, while a lock is held, a member is in a party and two watchers look on."""
import logging
import sys
import threading

from kazoo.client import KazooClient
from kazoo.exceptions import CancelledError, LockTimeout, NoNodeError
from kazoo.protocol.states import EventType, KazooState
from kazoo.recipe.cache import TreeCache, TreeEvent
from kazoo.recipe.watchers import PatientChildrenWatch
from kazoo.retry import KazooRetry
from steps import check, finish, within

logging.disable(logging.WARNING)  # a killed server is told at length
clients = []


def client():
    retry = KazooRetry(max_tries=-1, delay=0.05, max_delay=0.3)
    made = KazooClient(hosts=sys.argv[1], timeout=15, connection_retry=retry, command_retry=KazooRetry(max_tries=20, delay=0.05))
    made.start(15)
    clients.append(made)
    return made


def together(*calls):
    """Runs them at once; their results in order, an exception in place of one."""
    results = [None] * len(calls)

    def one(n, call):
        try:
            results[n] = call()
        except Exception as e:
            results[n] = e
    threads = [threading.Thread(target=one, args=(n, c), daemon=True) for n, c in enumerate(calls)]
    [t.start() for t in threads]
    [t.join(30) for t in threads]
    return results


a, b, c = client(), client(), client()
for old in ("/recipes", "/kept"):
    if a.exists(old):
        a.delete(old, recursive=True)

# --- locks -----------------------------------------------------------------------------------------------------------------
lock = a.Lock("/recipes/lock", "first")
check("a lock", lock.acquire(timeout=5) and lock.is_acquired)
second = b.Lock("/recipes/lock", "second")
check("a second one is not given", not second.acquire(blocking=False))
try:
    second.acquire(timeout=0.2)
    check("a wait for it times out", False)
except LockTimeout:
    check("a wait for it times out", True)
waiting = threading.Thread(target=lambda: second.acquire(timeout=20), daemon=True)
waiting.start()
check("who waits is listed in order", within(10, lambda: lock.contenders() == ["first", "second"]), lock.contenders())
lock.release()
waiting.join(20)
check("release hands it on", second.is_acquired and not lock.is_acquired)
third = c.Lock("/recipes/lock", "third")
cancelled = []


def wait_in_vain():
    try:
        third.acquire(timeout=20)
    except CancelledError:
        cancelled.append(True)


waiting = threading.Thread(target=wait_in_vain, daemon=True)
waiting.start()
within(10, lambda: len(second.contenders()) == 2)
third.cancel()
waiting.join(20)
check("a wait can be cancelled", cancelled == [True] and second.contenders() == ["second"], second.contenders())
second.release()
readers = [x.ReadLock("/recipes/shared", str(n)) for n, x in enumerate((a, b))]
writer = c.WriteLock("/recipes/shared", "writer")
check("two readers at once", all(together(*(lambda r=r: r.acquire(timeout=5) for r in readers))))
check("no writer beside them", not writer.acquire(blocking=False))
readers[0].release()
waiting = threading.Thread(target=lambda: writer.acquire(timeout=20), daemon=True)
waiting.start()
check("no new reader once a writer waits", within(10, lambda: len(writer.contenders()) == 2) and not readers[0].acquire(blocking=False),
      writer.contenders())
readers[1].release()
waiting.join(20)
check("the last reader lets the writer in", writer.is_acquired)
writer.release()
semaphores = [x.Semaphore("/recipes/semaphore", str(n), max_leases=2) for n, x in enumerate((a, b, c))]
check("a semaphore has two leases", semaphores[0].acquire() and semaphores[1].acquire() and not semaphores[2].acquire(blocking=False))
check("and says who holds them", sorted(semaphores[0].lease_holders()) == ["0", "1"], semaphores[0].lease_holders())
semaphores[0].release()
check("one that is given back is taken", semaphores[2].acquire(timeout=10))

# --- election, barriers, party ------------------------------------------------------------------------------------------------
led, first_leads, may_end = [], threading.Event(), threading.Event()


def lead(name):
    led.append(name)
    if len(led) == 1:
        first_leads.set()
        may_end.wait(20)


elections = [x.Election("/recipes/election", n) for x, n in ((a, "a"), (b, "b"))]
threads = [threading.Thread(target=e.run, args=(lead, n), daemon=True) for e, n in zip(elections, "ab")]
[t.start() for t in threads]
first_leads.wait(20)
check("one leader, two contenders", len(led) == 1 and within(10, lambda: sorted(elections[0].contenders()) == ["a", "b"]), led)
may_end.set()
[t.join(20) for t in threads]
check("the other follows", sorted(led) == ["a", "b"], led)
barrier = a.Barrier("/recipes/barrier")
barrier.create()
passed = threading.Event()
threading.Thread(target=lambda: b.Barrier("/recipes/barrier").wait(20) and passed.set(), daemon=True).start()
check("a barrier holds", not b.Barrier("/recipes/barrier").wait(0.2) and not passed.is_set())
barrier.remove()
check("and opens", passed.wait(20))
doubles = [x.DoubleBarrier("/recipes/double", 3, str(n)) for n, x in enumerate((a, b, c))]
together(*(d.enter for d in doubles))
check("a double barrier is entered together", all(d.participating for d in doubles))
together(*(d.leave for d in doubles))
check("and left together", not any(d.participating for d in doubles) and not a.get_children("/recipes/double"))
parties = [x.Party("/recipes/party", n) for x, n in ((a, "ann"), (b, "bob"))]
[p.join() for p in parties]
check("a party", sorted(parties[0]) == ["ann", "bob"] and len(parties[1]) == 2, list(parties[0]))
parties[1].leave()
check("without who left", list(parties[0]) == ["ann"], list(parties[0]))
shallow = [x.ShallowParty("/recipes/shallow", n) for x, n in ((a, "ann"), (b, "bob"))]
[p.join() for p in shallow]
check("a shallow party", sorted(shallow[0]) == ["ann", "bob"], list(shallow[0]))

# --- counter, queues ------------------------------------------------------------------------------------------------------------
counters = [x.Counter("/recipes/counter") for x in (a, b, c)]


def count_up(counter):
    for _ in range(20):
        counter += 1
    return True


check("three count at once", all(r is True for r in together(*(lambda n=n: count_up(n) for n in counters))) and counters[0].value == 60,
      counters[0].value)
queue = a.Queue("/recipes/queue")
for n in range(5):
    queue.put(b"%d" % n, priority=100 - n)
taken = [b.Queue("/recipes/queue").get() for _ in range(6)]
check("a queue by priority", taken == [b"4", b"3", b"2", b"1", b"0", None], taken)
locking = a.LockingQueue("/recipes/locking")
locking.put_all([b"x", b"y"])
other = b.LockingQueue("/recipes/locking")
check("a locking queue gives", other.get(5) == b"x" and other.holds_lock())
check("the next one to the next", locking.get(5) == b"y")
check("what is consumed is gone", other.consume() and len(a.get_children("/recipes/locking/entries")) == 1)

# --- watchers -------------------------------------------------------------------------------------------------------------------
seen, cond = [], threading.Condition()


def heard(word):
    with cond:
        return cond.wait_for(lambda: word in seen, 15)


def note(word):
    with cond:
        seen.append(word)
        cond.notify_all()


@a.DataWatch("/recipes/data")
def data_watch(data, stat, event):
    note(("data", data, event.type if event else None))


@a.ChildrenWatch("/recipes", send_event=True)
def children_watch(children, event):
    note(("children", "late" in children, event.type if event else None))


check("a data watch begins with nothing", heard(("data", None, None)))
b.create("/recipes/data", b"1")
check("hears of the create", heard(("data", b"1", EventType.CREATED)), seen)
b.set("/recipes/data", b"2")
check("of a change", heard(("data", b"2", EventType.CHANGED)), seen)
b.delete("/recipes/data")
check("of the end", heard(("data", None, EventType.DELETED)), seen)
b.create("/recipes/late")
check("a children watch hears of a child", heard(("children", True, EventType.CHILD)), seen)
b.create("/recipes/patient")
patient = PatientChildrenWatch(a, "/recipes/patient", time_boundary=0.3).start()
b.create("/recipes/patient/x")
check("a patient one waits until it is quiet", patient.get(15)[0] == ["x"])
b.create("/recipes/tree/deep/down", b"v", makepath=True)
cache = TreeCache(a, "/recipes/tree")
cache.listen(lambda event: note(("cache", event.event_type, event.event_data and event.event_data.path)))
cache.start()
check("a tree cache", heard(("cache", TreeEvent.INITIALIZED, None)) and cache.get_data("/recipes/tree/deep/down").data == b"v")
b.set("/recipes/tree/deep/down", b"w")
check("follows a change", heard(("cache", TreeEvent.NODE_UPDATED, "/recipes/tree/deep/down")) and
      within(10, lambda: cache.get_data("/recipes/tree/deep/down").data == b"w"))
b.delete("/recipes/tree/deep/down")
check("and a deletion", heard(("cache", TreeEvent.NODE_REMOVED, "/recipes/tree/deep/down")))
lease = a.NonBlockingLease("/recipes/lease", __import__("datetime").timedelta(seconds=60), identifier="a")
check("a lease", bool(lease) and not b.NonBlockingLease("/recipes/lease", __import__("datetime").timedelta(seconds=60), identifier="b"))

# --- across a restart of the server ------------------------------------------------------------------------------------------------
held = a.Lock("/recipes/held", "holder")
held.acquire(timeout=10)
sessions = {x: x.client_id[0] for x in clients}
lost = []
for x in clients:
    x.add_listener(lambda state: lost.append(1) if state == KazooState.LOST else None)
back = {x: threading.Event() for x in clients}
for x in clients:
    x.add_listener(lambda state, x=x: back[x].set() if state == KazooState.CONNECTED else back[x].clear())
print("ask kill", flush=True)
sys.stdin.readline()
check("everybody comes back", all(back[x].wait(30) for x in clients) and not lost)
check("with the session they had", all(x.client_id[0] == sessions[x] for x in clients))
waiter = b.Lock("/recipes/held", "waiter")
check("a lock is still held", not waiter.acquire(blocking=False) and held.is_acquired)
held.release()
check("and is handed on", waiter.acquire(timeout=10))
check("the party goes on", list(parties[0]) == ["ann"], list(parties[0]))
seen.clear()
b.create("/recipes/data", b"3")
b.delete("/recipes/late")
check("the data watch goes on", heard(("data", b"3", EventType.CREATED)), seen)
check("the children watch goes on", heard(("children", False, EventType.CHILD)), seen)
b.create("/recipes/tree/after")
check("the tree cache goes on", heard(("cache", TreeEvent.NODE_ADDED, "/recipes/tree/after")), seen)
cache.close()
a.stop()
check("a closed session leaves the party", within(10, lambda: list(parties[1]) == []), list(parties[1]))
for x in clients[1:]:
    x.stop()
last = client()
try:
    last.delete("/recipes", recursive=True)
    check("all of it can be removed", last.exists("/recipes") is None)
except NoNodeError as e:
    check("all of it can be removed", False, e)
last.stop()
finish()
