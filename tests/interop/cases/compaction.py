"""Compaction beside Apache Kafka 3.5.2's: the same files compacted by both, and read by the other."""
import glob
import gzip
import os
import random
import shutil
import time

from cases import dump_log
from lib import cluster, peers, proc, zk_wire
from lib import kafka_wire as wire
from lib.context import case

CLEANER = {"log.cleaner.backoff.ms": 200, "log.cleaner.dedupe.buffer.size": 8388608}
CONFIGS = [("cleanup.policy", "compact"), ("segment.bytes", "14000"), ("min.cleanable.dirty.ratio", "0.01"),
           ("index.interval.bytes", "500"), ("file.delete.delay.ms", "500")]


def records_of(pairs, gap=0):
    return b"".join(wire.record(value, key, offset=n, timestamp=n + gap) for n, (key, value) in enumerate(pairs))


def pairs_of(random_numbers, number):
    """Keys come again and again; some values are tombstones."""
    return [(b"key %d" % random_numbers.randrange(60),
             None if random_numbers.random() < 0.15 else b"value %d " % random_numbers.getrandbits(40) + b"x" * random_numbers.randrange(40))
            for _ in range(number)]


def write(c, topic, codec, seed, transactional_id=None):
    """Batches of several producers, of which some write no more soon; transactions where the topic has them."""
    numbers = random.Random(seed)
    producers = []
    for _ in range(3):
        error, producer, epoch = c.init_producer_id()
        assert error == 0, error
        producers.append([producer, epoch, 0])
    if transactional_id:
        def ready():
            return c.transaction_coordinator(transactional_id) == 0 and c.init_producer_id(transactional_id)[0] == 0
        proc.wait_until(ready, 40, "a transaction coordinator")
        _error, producer, epoch = c.init_producer_id(transactional_id)
        transactional = [producer, epoch, 0]
    stamp = int(time.time() * 1000) - 3600000  # producers of old would be forgotten
    for n in range(300):
        stamp += 1000
        pairs = pairs_of(numbers, numbers.randrange(1, 12))
        payload = records_of(pairs)
        if codec == 1:
            payload = gzip.compress(payload, mtime=0)
        kind = numbers.randrange(4)
        if transactional_id and kind == 0:
            proc.wait_until(lambda: c.add_partition_to_transaction(transactional_id, *transactional[:2], topic) == 0, 20, "a transaction")
            batch = wire.batch([], producer=tuple(transactional), records=payload, count=len(pairs), attributes=codec | 0x10, timestamp=stamp)
            assert c.produce(topic, 0, batch, transactional_id=transactional_id)[0] == 0
            transactional[2] += len(pairs)
            commit = numbers.random() < 0.5
            proc.wait_until(lambda: c.end_transaction(transactional_id, *transactional[:2], commit) == 0, 20, "its end")
            continue
        mine = producers[kind] if kind < 3 and n < 250 - 90 * kind else None
        batch = wire.batch([], producer=tuple(mine) if mine else (-1, -1, -1), records=payload, count=len(pairs),
                           attributes=codec, timestamp=stamp)
        assert c.produce(topic, 0, batch)[0] == 0
        if mine:
            mine[2] += len(pairs)
    # what is written to is not compacted: a last segment of its own
    for n in range(12):
        assert c.produce(topic, 0, wire.batch([], records=wire.record(b"y" * 2000, b"last %d" % n), count=1, timestamp=stamp + n))[0] == 0


def complaints(lines, folder):
    """(file, what does not match) of an answer of kafka-dump-log."""
    found, path = set(), ""
    for line in lines:
        if "ismatch" in line:
            path = line.replace(folder, "")
        elif line.startswith("  "):
            found.add((path, line))
    return found


def active_base(broker, topic):
    return max(int(os.path.basename(n)[:20]) for n in glob.glob(os.path.join(broker.partition_dir(topic), "*.log")))


def cleaned_to(broker, topic):
    try:
        with open(os.path.join(broker.logs, "cleaner-offset-checkpoint")) as f:
            rows = [line.split() for line in f.read().splitlines()[2:]]
    except OSError:
        return -1
    return next((int(offset) for name, _partition, offset in rows if name == topic), -1)


def wait_clean(broker, topics):
    for topic in topics:
        proc.wait_until(lambda: cleaned_to(broker, topic) == active_base(broker, topic), 60, f"{topic} is compacted")


def read_all(broker, topic):
    """Every batch as its header says, and every record of it; what a fetch from the beginning brings."""
    batches, at = [], 0
    with broker.connection() as c:
        end = c.end_offset(topic)
        while at < end:
            error, _high, data = c.fetch(topic, 0, at)
            assert error == 0, error
            here = wire.batches(data)
            assert here and all(b["crc_right"] for b in here), here[:1]
            batches += [b for b in here if b["base"] >= at]
            at = here[-1]["last"] + 1
    return [{k: v for k, v in b.items() if k != "crc_right"} for b in batches]


def consume(t, bootstrap, topic):
    if not shutil.which("kcat"):
        t.skip("kcat is not installed")
    status, out = proc.run(["kcat", "-b", bootstrap, "-C", "-t", topic, "-e", "-q", "-f", r"%o %T %K %k %S %s\n", "-X", "check.crcs=true"], merge=False)
    assert status == 0, out
    return out.splitlines()


@case("the same files compacted by Apache Kafka 3.5.2 and by this broker", ours_only="it is compared with Apache Kafka 3.5.2")
def beside_apache(t):
    apache = cluster.Home(peers.kafka("3.5.2"))
    theirs = t.keep(cluster.Cluster(apache, t.folder("apache"), t.ports, broker_extra={
        "log.cleaner.enable": "false", "transaction.state.log.num.partitions": 1, **CLEANER})).start()
    topics = {"plain": 0, "squeezed": 1, "transactions": 0}
    for name in topics:
        theirs.create_topic(name, configs=CONFIGS)
    with theirs.broker.connection() as c:
        for name, codec in topics.items():
            write(c, name, codec, name, transactional_id="tx" if name == "transactions" else None)
    before = {name: consume(t, theirs.bootstrap, name) for name in topics}
    t.check("Apache Kafka stops cleanly", theirs.broker.stop(60) in (0, 143, -15))

    own = t.new_cluster(broker_extra=CLEANER)
    shutil.copytree(theirs.broker.logs, own.broker.logs)
    own.zk.launch().wait_ready()
    here, there = zk_wire.Session(own.zk.port), zk_wire.Session(theirs.zk.port)
    for path in ("/cluster/id", "/brokers/topics", "/config/topics", "/latest_producer_id_block"):
        there.copy_to(here, path)
    theirs.broker.set(log__cleaner__enable="true")
    theirs.broker.launch().wait_ready(60)
    own.broker.launch().wait_ready()
    for one in (theirs, own):
        for name in topics:
            one.wait_topic(name, 1, 40)
        wait_clean(one.broker, topics)

    for name in topics:
        mine, apaches = consume(t, own.bootstrap, name), consume(t, theirs.bootstrap, name)
        differs = next((n for n in range(max(len(mine), len(apaches))) if mine[n:n + 1] != apaches[n:n + 1]), None)
        t.check(f"{name}: the same records stay", differs is None and 50 < len(mine) < len(before[name]) / 3,
                (len(before[name]), len(mine), len(apaches), differs is not None and (mine[differs:differs + 1], apaches[differs:differs + 1])))
        mine, apaches = read_all(own.broker, name), read_all(theirs.broker, name)
        differs = [pair for pair in zip(mine, apaches) if pair[0] != pair[1]][:1]
        t.check(f"{name}: in the same batches", not differs and len(mine) == len(apaches), (len(mine), len(apaches), differs))
    t.check("an emptied batch keeps a producer's sequence", any(b["records"] == 0 and b["producer"] >= 0 for b in read_all(own.broker, "plain")))
    bases = [[os.path.basename(n) for name in topics for n in sorted(glob.glob(os.path.join(b.partition_dir(name), "*.log")))]
             for b in (own.broker, theirs.broker)]
    t.check("in the same segments", bases[0] == bases[1], bases)

    kept = {name: consume(t, own.bootstrap, name) for name in topics}
    t.check("the broker stops cleanly", own.broker.stop() == 0)
    paths = sorted(n for name in topics for n in glob.glob(os.path.join(own.broker.partition_dir(name), "*")))
    logs, indexes = ([n for n in paths if n.endswith(ends)] for ends in (".log", (".index", ".timeindex")))
    for name in logs:  # its summary of several files is in an order of hashes
        dump_log.same(t, "kafka-dump-log of both reads what was compacted", [name], "--deep-iteration", "--print-data-log")
    dump_log.same(t, "its indexes are sound", indexes, "--index-sanity-check")
    checked = dump_log.same(t, "and true", indexes, "--verify-index-only")
    theirs.broker.stop(60)
    paths = sorted(n for name in topics for n in glob.glob(os.path.join(theirs.broker.partition_dir(name), "*.*index")))
    apaches = dump_log.same(t, "Apache Kafka's own indexes, likewise", paths, "--verify-index-only")
    # it complains of the time of a batch that was emptied, and kept for its producer, in its own files too
    ours_only = complaints(checked, own.broker.logs) - complaints(apaches, theirs.broker.logs)
    t.check("without a complaint that Apache Kafka's own files do not cause", not ours_only, sorted(ours_only))

    theirs.broker.set(log__dirs=own.broker.logs)
    theirs.broker.logs = own.broker.logs
    theirs.broker.launch().wait_ready(60)
    for name in topics:
        theirs.wait_topic(name, 1, 40)
        t.check(f"{name}: Apache Kafka goes on with our files", consume(t, theirs.bootstrap, name) == kept[name])
    t.check("nothing was wrong with them", not any(w in theirs.broker.output() for w in ("Found a corrupted", "CorruptIndexException", "uncleanable")),
            [x for x in theirs.broker.output().splitlines() if "orrupt" in x][:5])


@case("offsets of groups are compacted, and are the same after it")
def group_offsets(t):
    own = t.new_cluster(broker_extra={**CLEANER, "log.cleaner.min.cleanable.ratio": "0.01",
                                      "offsets.topic.num.partitions": 1, "offsets.topic.segment.bytes": 20000}).start()
    own.create_topic("read", 3)
    with own.broker.connection() as c:
        proc.wait_until(lambda: c.coordinator_of("g0")[0] == 0, 30, "a group coordinator")
        for n in range(600):
            proc.wait_until(lambda: c.commit(f"g{n % 7}", "read", {0: n, 1: n + 1, 2: n + 2}) == {0: 0, 1: 0, 2: 0}, 30, "a commit is taken")
    last = {g: max(n for n in range(600) if n % 7 == g) for g in range(7)}
    committed = {g: [n, n + 1, n + 2] for g, n in last.items()}

    def as_committed():
        return {g: own.committed(f"g{g}", "read", 3) for g in range(7)} == committed
    t.check("the last commits count", as_committed())

    def small():
        folder = own.broker.partition_dir("__consumer_offsets")
        return sum(os.path.getsize(n) for n in glob.glob(os.path.join(folder, "*.log"))) < 40000
    proc.wait_until(small, 30, "old commits go")
    t.ok("old commits go")
    for stop in (own.broker.stop, own.broker.kill):
        stop()
        own.broker.launch().wait_ready()
        with own.broker.connection() as c:
            proc.wait_until(lambda: c.coordinator_of("g0")[0] == 0, 30, "a group coordinator")
        proc.wait_until(as_committed, 30, "the offsets are loaded")
        t.ok("the same offsets after a restart")
