"""Bytes and requests that no honest client sends: the connection ends or gets the protocol's error, nothing is written,
one log line names peer and reason, memory stays bounded, and everyone else is served."""
import gzip
import random
import socket
import struct

from lib import kafka_wire as wire
from lib import proc, zk_wire
from lib.context import case

NO_LINE = "Apache Kafka does not promise one line that names the peer and the reason"
TLS_HELLO = bytes.fromhex("1603010200010001fc0303") + bytes(range(64))
HTTP = b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n"


def frame(body):
    return struct.pack(">i", len(body)) + body


def header(key, version, correlation=1, client="interop"):
    return struct.pack(">hhi", key, version, correlation) + wire.string(client)


KAFKA_FRAMES = {
    "a frame of 2 GB": struct.pack(">i", 0x7FFFFFFF) + b"x" * 2000,
    "a frame of negative length": struct.pack(">i", -5) + b"x" * 100,
    "a frame of length 0": struct.pack(">i", 0) + b"x" * 100,
    "a frame just above socket.request.max.bytes": struct.pack(">i", 104857601) + b"x" * 100,
    "an unknown API": frame(header(9999, 0) + b"\0" * 20),
    "a negative API key": frame(header(-7, 0) + b"\0" * 20),
    "an unknown version of Metadata": frame(header(3, 999) + b"\0" * 20),
    "a negative version": frame(header(3, -2) + b"\0" * 20),
    "a header that is cut": frame(b"\0\3"),
    "a client id longer than the frame": frame(struct.pack(">hhih", 3, 1, 1, 30000) + b"ab"),
    "an array of 2 billion topics": frame(header(3, 1) + struct.pack(">i", 0x7FFFFFF0)),
    "a string of negative length": frame(header(3, 1) + struct.pack(">ih", 1, -77)),
    "a request that ends in the middle": frame(header(19, 2) + struct.pack(">i", 1) + wire.string("t")),
    "random bytes": frame(random.Random(1).randbytes(500)),
    "HTTP": HTTP,
    "a TLS hello": TLS_HELLO,
}


@case("the connection ends", each=KAFKA_FRAMES)
def connection_ends(t, name):
    broker = t.cluster.broker
    pid = broker.pid()
    before = proc.rss_kb(pid)
    with broker.connection() as other:
        other.api_versions()
        with broker.connection() as c:
            c.send_raw(KAFKA_FRAMES[name])
            t.check("is closed", c.closed_within(10))
            port = c.local_port()
        t.check("others are served", other.api_versions()[0] == 0 and 0 in other.metadata([])["brokers"])
    if t.ours:
        grown = proc.rss_kb(pid) - before
        t.check("memory stays bounded", grown < 30000, f"{grown} kB more")
        one_line(t, broker, port)


def one_line(t, service, port):
    def lines():
        return [line for line in service.output().splitlines() if f"127.0.0.1:{port}" in line]
    try:
        found = proc.wait_until(lines, 5, "a log line")
    except proc.DeadlineError:
        found = []
    words = found[0].split(f"127.0.0.1:{port}") if found else []
    t.check("one log line names peer and reason",
            len({line.split("] ", 1)[-1] for line in found}) == 1 and sum(len(w) for w in words) > 40, found)


@case("a frame cut in the middle, and a slow one")
def cut(t):
    broker = t.cluster.broker
    whole = frame(header(3, 1) + struct.pack(">i", 0))
    with broker.connection() as half:
        half.send_raw(whole[:9])
    slow = broker.connection()
    for byte in whole:
        slow.send_raw(bytes([byte]))
    t.check("byte by byte is a request like any other", slow.answer().correlation == 1)
    slow.close()
    waiting = [broker.connection() for _ in range(50)]
    for c in waiting:
        c.send_raw(whole[:7])
    with broker.connection() as c:
        t.check("fifty clients that stop in the middle block nobody", 0 in c.metadata([])["brokers"])
    for c in waiting:
        c.close()


@case("an unknown version of ApiVersions is answered")
def api_versions_fallback(t):
    with t.cluster.broker.connection() as c:
        c.send_raw(frame(header(18, 99) + b"\0"))
        r = c.answer()
        error = r.get("h")
        rows = {k: (lo, hi) for k, lo, hi in r.array(lambda: r.get("hhh"))}
        t.check("with UNSUPPORTED_VERSION and the range to use", error == 35 and 18 in rows, (error, rows))
        t.check("and the connection stays", c.api_versions()[0] == 0)


@case("ApiVersions lists Produce from 0, and each range is one")
def ranges(t):
    with t.cluster.broker.connection() as c:
        error, rows = c.api_versions()
    t.check("no error", error == 0, error)
    t.check("every range is a range", all(0 <= lo <= hi for lo, hi in rows.values()), rows)
    wanted = (0, 1, 2, 3, 8, 9, 10, 11, 12, 13, 14, 15, 16, 18, 19, 20, 22, 23, 32, 33, 37, 42, 44, 47)
    t.check("all that the issue names is there", all(k in rows for k in wanted), sorted(set(wanted) - set(rows)))
    t.check("Produce from 0", rows[0][0] == 0, rows[0])


@case("pipelined requests are answered in order")
def pipelined(t):
    with t.cluster.broker.connection() as c:
        sent = [c.send(3, 1, struct.pack(">i", 0)) for _ in range(300)]
        t.check("300 answers in their order", [c.answer().correlation for _ in sent] == sent)


# --- record batches -------------------------------------------------------------------------------------------------------
def bad_batches():
    good = [b"one", b"two", b"three"]
    whole = b"".join(wire.record(v, offset=i) for i, v in enumerate(good))
    packed = gzip.compress(whole)
    yield "a wrong CRC", wire.batch(good, crc=12345), {2}
    yield "more records than counted", wire.batch(good, count=2, last_delta=1), {87, 2}
    yield "fewer records than counted", wire.batch(good, count=4, last_delta=3), {87, 2}
    yield "a last offset that does not fit the count", wire.batch(good, last_delta=9), {87, 2}
    yield "a negative count", wire.batch(good, count=-1), {87, 2}
    yield "an over-long record", wire.batch(good, records=wire.record(b"x" * 10, length=5000) + whole), {87, 2}
    yield "a record of negative length", wire.batch(good, records=wire.record(b"x", length=-3) + whole), {87, 2}
    yield "the count of a compressed batch against its last offset", \
        wire.batch(good, records=packed, attributes=1, last_delta=7), {87, 2}
    yield "an unknown codec", wire.batch(good, attributes=7), {2, 76, 87, -1}
    yield "a control batch from a client", wire.batch(good, attributes=0x20), {87, 2}
    yield "a batch length below its header", wire.batch(good, batch_length=10), {2, 87}
    yield "a batch length beyond the bytes", wire.batch(good, batch_length=100000), {2, 87}
    yield "magic 9", wire.batch(good, magic=9), {2, 87, 43}


BATCHES = {name: (data, errors) for name, data, errors in bad_batches()}


@case("a batch with", each=BATCHES)
def refused_batch(t, name):
    data, errors = BATCHES[name]
    topic = "bad-batches"
    with t.cluster.broker.connection() as c:
        if topic not in c.metadata()["topics"]:
            t.cluster.create_topic(topic)
        assert c.produce(topic, 0, wire.batch([b"good"]))[0] == 0
        before = c.end_offset(topic)
        size = len(t.cluster.broker.segment_bytes(topic))
        try:
            error, _base = c.produce(topic, 0, data)
        except wire.Closed:
            error = "closed"
        t.check("gets the error that Kafka gives", error in errors, wire.ERRORS.get(error, error))
    with t.cluster.broker.connection() as c:
        t.check("nothing is written", c.end_offset(topic) == before and
                len(t.cluster.broker.segment_bytes(topic)) == size, c.end_offset(topic) - before)
        t.check("and the next good batch is taken", c.produce(topic, 0, wire.batch([b"good"]))[0] == 0)


@case("bytes behind a batch that are no whole batch")
def behind_a_batch(t):
    topic = t.unique("behind")
    t.cluster.create_topic(topic)
    good = wire.batch([b"one", b"two"])
    with t.cluster.broker.connection() as c:
        t.check("are cut off", c.produce(topic, 0, good + b"cut")[0] == 0 and
                c.produce(topic, 0, good + wire.batch([b"three"])[:-1])[0] == 0)
        t.check("unless they cannot begin one: CORRUPT_MESSAGE", c.produce(topic, 0, good + b"\0" * 30)[0] == 2)
        t.check("and a whole one is one too many: INVALID_RECORD",
                c.produce(topic, 0, good + wire.batch([b"three"]))[0] == 87)
        t.check("the batches alone are written", c.end_offset(topic) == 4 and
                len(t.cluster.broker.segment_bytes(topic)) == 2 * len(good), c.end_offset(topic))


@case("a batch above max.message.bytes")
def too_large(t):
    topic = t.unique("large")
    t.cluster.create_topic(topic, configs=[("max.message.bytes", "2000")])
    with t.cluster.broker.connection() as c:
        t.check("gets MESSAGE_TOO_LARGE", c.produce(topic, 0, wire.batch([b"x" * 3000]))[0] == 10)
        t.check("and one below it is taken", c.produce(topic, 0, wire.batch([b"x" * 1000]))[0] == 0)
        t.check("nothing else was written", c.end_offset(topic) == 1, c.end_offset(topic))


@case("produce to what is not there")
def nowhere(t):
    topic = t.unique("here")
    t.cluster.create_topic(topic)
    with t.cluster.broker.connection() as c:
        t.check("an unknown topic", c.produce("no-such-topic-at-all", 0, wire.batch([b"x"]))[0] == 3)
        t.check("an unknown partition", c.produce(topic, 7, wire.batch([b"x"]))[0] == 3)
        t.check("acks 5 is refused", c.produce(topic, 0, wire.batch([b"x"]), acks=5)[0] == 21)
        error, high, data = c.fetch(topic, 0, 99)
        t.check("a fetch beyond the end: OFFSET_OUT_OF_RANGE", error == 1 and not data, (error, high, len(data)))


@case("sequences of an idempotent producer")
def sequences(t):
    topic = t.unique("sequences")
    t.cluster.create_topic(topic)
    with t.cluster.broker.connection() as c:
        error, producer, epoch = c.init_producer_id()
        t.require("InitProducerId gives an id", error == 0 and producer >= 0 and epoch == 0, (error, producer, epoch))

        def send(sequence, count=3, at=epoch, who=producer):
            return c.produce(topic, 0, wire.batch([b"v%d" % i for i in range(count)], producer=(who, at, sequence)))
        first = send(0)
        t.check("the first batch is taken", first == (0, 0), first)
        t.check("the same again is acknowledged with the same offset, not written", send(0) == (0, 0))
        t.check("the next one is taken", send(3) == (0, 3))
        t.check("a gap is OUT_OF_ORDER_SEQUENCE_NUMBER", send(99)[0] == 45)
        t.check("an overlap is OUT_OF_ORDER_SEQUENCE_NUMBER", send(4)[0] == 45)
        t.check("nothing of that was written", c.end_offset(topic) == 6, c.end_offset(topic))
        t.check("a higher epoch starts at 0", send(0, at=1) == (0, 6))
        t.check("an old epoch is INVALID_PRODUCER_EPOCH", send(6, at=0)[0] == 47)
        t.check("a higher epoch that does not start at 0 is refused", send(5, at=2)[0] == 45)
        t.check("two ids are different", c.init_producer_id()[1] != producer)
        for n in range(8):
            assert send(3 + 3 * n, at=1)[0] == 0
        t.check("a duplicate among the last five is known", send(3 + 3 * 4, at=1) == (0, 9 + 3 * 4))


# --- what would eat memory -------------------------------------------------------------------------------------------------
LIMITED = "Apache Kafka takes the memory that a frame announces"


def peak_kb(pid):
    with open(f"/proc/{pid}/status") as f:
        return next(int(line.split()[1]) for line in f if line.startswith("VmHWM"))


@case("forty frames that announce 90 MB and send little", ours_only=LIMITED)
def announced(t):
    own = t.new_cluster().start()
    pid = own.broker.pid()
    before = proc.rss_kb(pid)
    waiting = []
    for _ in range(40):
        c = own.broker.connection()
        c.send_raw(struct.pack(">i", 90 << 20) + header(0, 3) + b"x" * 100000)
        waiting.append(c)
    with own.broker.connection() as c:
        t.check("others are served", 0 in c.metadata([])["brokers"])
    grown = proc.rss_kb(pid) - before
    t.check("what was not sent takes no memory", grown < 100000, f"{grown} kB more")
    for c in waiting:
        c.close()


@case("clients that ask for much and read nothing", ours_only=LIMITED)
def deaf(t):
    own = t.new_cluster().start()
    own.create_topic("much")
    with own.broker.connection() as c:
        for _ in range(20):
            assert c.produce("much", 0, wire.batch([b"x" * 900000]))[0] == 0
    pid = own.broker.pid()
    before = proc.rss_kb(pid)
    body = struct.pack(">iiiib", -1, 100, 1, 50 << 20, 0) + wire.array([wire.string("much") + wire.array([struct.pack(">iqi", 0, 0, 50 << 20)])])
    waiting = []
    for _ in range(10):
        c = own.broker.connection()
        c.socket.settimeout(0.3)
        try:
            for _ in range(2000):
                c.send(1, 4, body)
        except (socket.timeout, OSError):
            pass  # it is not read from any more: that is the point
        waiting.append(c)
    with own.broker.connection() as c:
        t.check("others are served", 0 in c.metadata([])["brokers"] and c.produce("much", 0, wire.batch([b"x"]))[0] == 0)
    grown = proc.rss_kb(pid) - before
    t.check("memory stays bounded", grown < 100000, f"{grown} kB more")
    for c in waiting:
        c.close()


@case("a compressed batch that grows a thousandfold, into a topic that recompresses", ours_only=LIMITED)
def bomb(t):
    own = t.new_cluster().start()
    own.create_topic("bomb", configs=[("compression.type", "lz4")])
    pid = own.broker.pid()
    packed = gzip.compress(wire.record(bytes(300 << 20)), 6)
    with own.broker.connection(90) as c:
        try:
            error = c.produce("bomb", 0, wire.batch([], records=packed, count=1, last_delta=0, attributes=1, crc=None))[0]
        except wire.Closed:
            error = "closed"
        t.check("gets an error or is taken", error in (0, 2, 10, 87, "closed"), wire.ERRORS.get(error, error))
    t.check("the broker lives", own.broker.alive() and own.broker.answers())
    t.check("and took little memory for it", peak_kb(pid) < 300000, f"{peak_kb(pid)} kB at most")


@case("2181: gRPC that turns into rubbish", ours_only="there is no gRPC in ZooKeeper")
def grpc_rubbish(t):
    zk = t.cluster.zk
    for name, data in (("settings that are none", random.Random(2).randbytes(300)), ("a frame of 16 MB", b"\xff\xff\xff\0\0\0\0\0\1" + b"x" * 1000),
                       ("nothing more", b"")):
        c = wire.Connection(zk.port)
        c.send_raw(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + data)
        if data:
            t.check(f"{name}: is closed", c.closed_within(10))
        t.check(f"{name}: others are served", zk_wire.four_letter(zk.port, "ruok") == "imok" and t.cluster.broker.answers())
        c.close()


# --- topics -----------------------------------------------------------------------------------------------------------------
TOPICS = {
    "an empty name": (("", 1, 1), 17), "a dot": ((".", 1, 1), 17), "two dots": (("..", 1, 1), 17),
    "a space": (("a b", 1, 1), 17), "250 characters": (("n" * 250, 1, 1), 17), "letters outside ASCII": (("첫토픽", 1, 1), 17),
    "a slash": (("a/b", 1, 1), 17), "no partitions": (("zero", 0, 1), 37), "minus 5 partitions": (("minus", -5, 1), 37),
    "two replicas on one broker": (("two", 1, 2), 38), "no replicas": (("none", 1, 0), 38),
    "an unknown setting": (("unknown", 1, 1, [("no.such.setting", "1")]), 40),
    "a wrong value": (("wrong", 1, 1, [("retention.ms", "soon")]), 40),
    "a value out of range": (("range", 1, 1, [("segment.bytes", "1")]), 40),
    "a wrong policy": (("policy", 1, 1, [("cleanup.policy", "burn")]), 40),
}


@case("a topic with", each=TOPICS)
def refused_topic(t, name):
    arguments, wanted = TOPICS[name]
    with t.cluster.broker.connection() as c:
        error, message = c.create_topic(*arguments)
        t.check("gets Kafka's error", error == wanted, (error, message))
        t.check("with a message", bool(message), message)
        t.check("and is not made", arguments[0] == "" or arguments[0] not in c.metadata()["topics"])


@case("a topic that exists, that collides, that is only validated")
def topics(t):
    with t.cluster.broker.connection() as c:
        t.cluster.create_topic("twice.there")
        t.check("TOPIC_ALREADY_EXISTS", c.create_topic("twice.there")[0] == 36)
        t.check("a name that collides by '.' and '_'", c.create_topic("twice_there")[0] == 17)
        t.check("validate_only makes nothing", c.create_topic("only-looked-at", validate_only=True)[0] == 0 and
                "only-looked-at" not in c.metadata()["topics"])
        t.check("deleting what is not there", c.delete_topic("never-made") == 3)
        t.check("a transactional id does not hang", t.home.apache or c.init_producer_id("tx")[0] not in (0, 14, 15, 16))


# --- 2181 -----------------------------------------------------------------------------------------------------------------------
ZK_BYTES = {
    "a frame of 2 GB": struct.pack(">i", 0x7FFFFFFF) + b"x" * 2000,
    "a frame of negative length": struct.pack(">i", -5) + b"x" * 100,
    "a connect request that is no request": frame(b"\1\2\3"),
    "a connect request above jute.maxbuffer": struct.pack(">i", 0x00FFFFFF) + b"x" * 2000,
    "HTTP": HTTP,
    "a TLS hello": TLS_HELLO,
    "half of gRPC's first bytes": b"PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n",
}


@case("2181: the connection ends", each=ZK_BYTES)
def zk_connection_ends(t, name):
    if t.home.apache and "gRPC" in name:
        t.skip("there is no gRPC in ZooKeeper")
    zk = t.cluster.zk
    pid = zk.pid()
    before = proc.rss_kb(pid)
    c = wire.Connection(zk.port)
    c.send_raw(ZK_BYTES[name])
    t.check("is closed", c.closed_within(10))
    port = c.local_port()
    c.close()
    t.check("others are served", zk_wire.four_letter(zk.port, "ruok") == "imok")
    session = zk_wire.Session(zk.port)
    t.check("a session too", session.call(3, zk_wire.text("/") + b"\0")[0] == 0)
    session.close()
    if t.ours:
        grown = proc.rss_kb(pid) - before
        t.check("memory stays bounded", grown < 30000, f"{grown} kB more")
        one_line(t, zk, port)


@case("2181: inside a session")
def zk_in_session(t):
    zk = t.cluster.zk
    other = zk_wire.Session(zk.port)
    for name, data in (("2 GB", struct.pack(">i", 0x7FFFFFFF)), ("negative", struct.pack(">i", -1)),
                       ("a path longer than the frame", struct.pack(">iii", 12, 1, 4) + struct.pack(">i", 1 << 30))):
        s = zk_wire.Session(zk.port)
        s.socket.sendall(data)
        s.socket.settimeout(10)
        try:
            ended = False
            while True:
                got = s.socket.recv(4096)
                if not got:
                    ended = True
                    break
                if struct.unpack_from(">i", got, 16)[0] != 0:  # an error answer is as good
                    ended = True
                    break
        except (ConnectionResetError, socket.timeout) as e:
            ended = isinstance(e, ConnectionResetError)
        t.check(f"a frame with {name} ends it or gets an error", ended)
        s.socket.close()
    t.check("an unknown operation gets an error", other.call(777)[0] in (-6, -5))
    other.socket.close()
    other = zk_wire.Session(zk.port)
    for path in ("", "a", "/a//b", "/a/", "/a/../b", "/a/./b", "//"):
        error = other.call(1, zk_wire.text(path) + zk_wire.text("") + struct.pack(">ii", 1, 31) + zk_wire.text("world") +
                           zk_wire.text("anyone") + struct.pack(">i", 0))[0]
        t.check(f"the path {path!r} is refused", error in (-8, -101), error)  # bad arguments, or no such parent
    other.close()


@case("2181: four-letter words as the whitelist allows")
def words(t):
    zk = t.cluster.zk
    t.check("ruok", zk_wire.four_letter(zk.port, "ruok") == "imok")
    srvr = zk_wire.four_letter(zk.port, "srvr")
    t.check("srvr", "Zookeeper version:" in srvr and "Mode: standalone" in srvr and "Node count:" in srvr, srvr)
    stat = zk_wire.four_letter(zk.port, "stat")
    t.check("stat", "Clients:" in stat and "Latency min/avg/max" in stat, stat)
    mntr = zk_wire.four_letter(zk.port, "mntr")
    t.check("mntr", "zk_server_state\tstandalone" in mntr and "zk_znode_count\t" in mntr, mntr)
    conf = zk_wire.four_letter(zk.port, "conf")
    t.check("conf", f"clientPort={zk.port}" in conf and "tickTime=" in conf, conf)
    dump = zk_wire.four_letter(zk.port, "dump")
    t.check("dump is not in the whitelist", "is not executed because it is not in the whitelist" in dump, dump)
