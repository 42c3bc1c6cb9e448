"""Just enough of the Kafka protocol to say what no client library would say, and to see what is really answered.

Only versions below the flexible ones are written here, each within the range that both Kafka 2.5 and 4.x serve."""
import socket
import struct
import time

ERRORS = {0: "NONE", 2: "CORRUPT_MESSAGE", 3: "UNKNOWN_TOPIC_OR_PARTITION", 10: "MESSAGE_TOO_LARGE",
          17: "INVALID_TOPIC_EXCEPTION", 35: "UNSUPPORTED_VERSION", 36: "TOPIC_ALREADY_EXISTS",
          37: "INVALID_PARTITIONS", 38: "INVALID_REPLICATION_FACTOR", 40: "INVALID_CONFIG",
          45: "OUT_OF_ORDER_SEQUENCE_NUMBER", 47: "INVALID_PRODUCER_EPOCH", 56: "KAFKA_STORAGE_ERROR",
          87: "INVALID_RECORD"}


def string(text):
    if text is None:
        return struct.pack(">h", -1)
    raw = text.encode()
    return struct.pack(">h", len(raw)) + raw


def array(items):
    items = list(items)
    return struct.pack(">i", len(items)) + b"".join(items)


class Reader:
    def __init__(self, data):
        self.data, self.at = data, 0

    def get(self, form):
        value = struct.unpack_from(">" + form, self.data, self.at)
        self.at += struct.calcsize(">" + form)
        return value[0] if len(value) == 1 else value

    def string(self):
        n = self.get("h")
        if n < 0:
            return None
        self.at += n
        return self.data[self.at - n:self.at].decode()

    def bytes(self):
        n = self.get("i")
        if n < 0:
            return None
        self.at += n
        return self.data[self.at - n:self.at]

    def array(self, one):
        return [one() for _ in range(self.get("i"))]


class Closed(ConnectionError):
    pass


class Connection:
    def __init__(self, port, timeout=20, host="127.0.0.1"):
        self.socket = socket.create_connection((host, port), timeout)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.correlation = 0

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.socket.close()

    def local_port(self):
        return self.socket.getsockname()[1]

    def send_raw(self, data):
        self.socket.sendall(data)

    def receive(self, n):
        data = b""
        while len(data) < n:
            try:
                piece = self.socket.recv(n - len(data))
            except ConnectionResetError:
                piece = b""
            if not piece:
                raise Closed("the connection was closed")
            data += piece
        return data

    def closed_within(self, seconds):
        """Whether the peer ends the connection by then; what it sends before that is dropped."""
        self.socket.settimeout(seconds)
        end = time.monotonic() + seconds
        try:
            while time.monotonic() < end:
                if not self.socket.recv(65536):
                    return True
        except socket.timeout:
            return False
        except OSError:
            return True
        return False

    def send(self, key, version, body, client="interop"):
        self.correlation += 1
        frame = struct.pack(">hhi", key, version, self.correlation) + string(client) + body
        self.send_raw(struct.pack(">i", len(frame)) + frame)
        return self.correlation

    def answer(self):
        size = struct.unpack(">i", self.receive(4))[0]
        reader = Reader(self.receive(size))
        reader.correlation = reader.get("i")
        return reader

    def call(self, key, version, body):
        correlation = self.send(key, version, body)
        reader = self.answer()
        assert reader.correlation == correlation, (reader.correlation, correlation)
        return reader

    # --- calls -------------------------------------------------------------------------------------------------------
    def api_versions(self):
        r = self.call(18, 0, b"")
        error = r.get("h")
        return error, {k: (lo, hi) for k, lo, hi in r.array(lambda: r.get("hhh"))}

    def metadata(self, topics=None):
        body = struct.pack(">i", -1) if topics is None else array(map(string, topics))
        r = self.call(3, 1, body)
        brokers = {b[0]: (b[1], b[2]) for b in r.array(lambda: (r.get("i"), r.string(), r.get("i"), r.string()))}
        controller = r.get("i")

        def partition():
            error, index, leader = r.get("hii")
            return index, {"error": error, "leader": leader, "replicas": r.array(lambda: r.get("i")),
                           "isr": r.array(lambda: r.get("i"))}

        def topic():
            error, name, _internal = r.get("h"), r.string(), r.get("b")
            return name, {"error": error, "partitions": dict(r.array(partition))}
        return {"brokers": brokers, "controller": controller, "topics": dict(r.array(topic))}

    def create_topic(self, name, partitions=1, replication=1, configs=(), validate_only=False):
        """(error, message) of CreateTopics v2"""
        entry = (string(name) + struct.pack(">ih", partitions, replication) + array([]) +
                 array(string(k) + string(v) for k, v in configs))
        r = self.call(19, 2, array([entry]) + struct.pack(">ib", 30000, int(validate_only)))
        r.get("i")
        _name, error, message = r.array(lambda: (r.string(), r.get("h"), r.string()))[0]
        return error, message

    def delete_topic(self, name):
        r = self.call(20, 1, array([string(name)]) + struct.pack(">i", 30000))
        r.get("i")
        return r.array(lambda: (r.string(), r.get("h")))[0][1]

    def produce(self, topic, partition, batch, acks=-1, version=3, transactional_id=None):
        """(error, base offset) of one batch"""
        body = (string(transactional_id) + struct.pack(">hi", acks, 15000) +
                array([string(topic) + array([struct.pack(">ii", partition, len(batch)) + batch])]))
        r = self.call(0, version, body)

        def one():
            _index, error, base, _time = r.get("ihqq")
            return error, base
        return r.array(lambda: (r.string(), r.array(one)))[0][1][0]

    def end_offset(self, topic, partition=0, timestamp=-1):
        body = struct.pack(">i", -1) + array([string(topic) + array([struct.pack(">iq", partition, timestamp)])])
        r = self.call(2, 1, body)
        index, error, _time, offset = r.array(lambda: (r.string(), r.array(lambda: r.get("ihqq"))))[0][1][0]
        return offset if error == 0 else -1000 - error

    def fetch(self, topic, partition, offset, wait_ms=500):
        """(error, high watermark, bytes) of Fetch v4"""
        body = struct.pack(">iiiib", -1, wait_ms, 1, 1 << 20, 0)
        body += array([string(topic) + array([struct.pack(">iqi", partition, offset, 1 << 20)])])
        r = self.call(1, 4, body)
        r.get("i")

        def one():
            _index, error, high, _stable = r.get("ihqq")
            r.array(lambda: r.get("qq"))
            return error, high, r.bytes() or b""
        return r.array(lambda: (r.string(), r.array(one)))[0][1][0]

    def init_producer_id(self, transactional_id=None):
        """(error, producer id, epoch)"""
        r = self.call(22, 0, string(transactional_id) + struct.pack(">i", 60000))
        _throttle, error, producer, epoch = r.get("ihqh")
        return error, producer, epoch

    def transaction_coordinator(self, transactional_id):
        """error of FindCoordinator v1"""
        r = self.call(10, 1, string(transactional_id) + b"\1")
        _throttle, error = r.get("ih")
        return error

    def add_partition_to_transaction(self, transactional_id, producer, epoch, topic, partition=0):
        """error of AddPartitionsToTxn v0 for the partition"""
        body = string(transactional_id) + struct.pack(">qh", producer, epoch)
        r = self.call(24, 0, body + array([string(topic) + array([struct.pack(">i", partition)])]))
        r.get("i")
        return r.array(lambda: (r.string(), r.array(lambda: r.get("ih"))))[0][1][0][1]

    def end_transaction(self, transactional_id, producer, epoch, commit):
        """error of EndTxn v0"""
        r = self.call(26, 0, string(transactional_id) + struct.pack(">qhb", producer, epoch, int(commit)))
        _throttle, error = r.get("ih")
        return error

    def describe_group(self, group):
        """(error, state, [member ids])"""
        r = self.call(15, 0, array([string(group)]))

        def one():
            error, _id, state, _type, _protocol = r.get("h"), r.string(), r.string(), r.string(), r.string()

            def member():
                name = r.string()
                r.string(), r.string(), r.bytes(), r.bytes()
                return name
            return error, state, r.array(member)
        return r.array(one)[0]

    def commit(self, group, topic, offsets):
        """OffsetCommit v2 without a member, as a tool that resets offsets does; the errors by partition"""
        rows = [struct.pack(">iq", p, o) + string("by hand") for p, o in offsets.items()]
        body = string(group) + struct.pack(">i", -1) + string("") + struct.pack(">q", -1) + array([string(topic) + array(rows)])
        r = self.call(8, 2, body)
        return dict(r.array(lambda: (r.string(), r.array(lambda: r.get("ih"))))[0][1])

    def coordinator_of(self, group):
        """(error, node) of FindCoordinator v0"""
        r = self.call(10, 0, string(group))
        return r.get("hi")

    def committed(self, group, topic, partitions):
        """{partition: committed offset, -1 where there is none} of OffsetFetch v1"""
        body = string(group) + array([string(topic) + array(struct.pack(">i", p) for p in partitions)])
        r = self.call(9, 1, body)
        found = {}
        for _topic, rows in r.array(lambda: (r.string(), r.array(lambda: (r.get("iq"), r.string(), r.get("h"))))):
            for (index, offset), _meta, _error in rows:
                found[index] = offset
        return found


# --- record batches (message format 2) -----------------------------------------------------------------------------------
def _crc32c_table():
    table = []
    for n in range(256):
        for _ in range(8):
            n = (n >> 1) ^ 0x82F63B78 if n & 1 else n >> 1
        table.append(n)
    return table


_TABLE = _crc32c_table()


def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc = _TABLE[(crc ^ byte) & 0xFF] ^ (crc >> 8)
    return crc ^ 0xFFFFFFFF


def varint(n):
    n = (n << 1) ^ (n >> 63)
    out = b""
    while True:
        low = n & 0x7F
        n >>= 7
        if n:
            out += bytes([low | 0x80])
        else:
            return out + bytes([low])


def record(value, key=None, offset=0, timestamp=0, length=None):
    body = b"\0" + varint(timestamp) + varint(offset)
    body += varint(-1) if key is None else varint(len(key)) + key
    body += varint(-1) if value is None else varint(len(value)) + value
    body += varint(0)
    return varint(len(body) if length is None else length) + body


def batch(values, producer=(-1, -1, -1), records=None, count=None, last_delta=None, attributes=0, crc=None, magic=2,
          batch_length=None, timestamp=None):
    """A record batch; every field that a liar would bend can be given."""
    payload = b"".join(record(v, offset=i) for i, v in enumerate(values)) if records is None else records
    now = int(time.time() * 1000) if timestamp is None else timestamp
    n = len(values) if count is None else count
    delta = (len(values) if values else n) - 1 if last_delta is None else last_delta
    tail = struct.pack(">hiqqqhii", attributes, delta, now, now, *producer, n) + payload
    check = crc32c(tail) if crc is None else crc
    head = struct.pack(">ibI", -1, magic, check)
    return struct.pack(">qi", 0, len(head) + len(tail) if batch_length is None else batch_length) + head + tail


def batches(data):
    """Walks a segment file or a fetch answer: a dictionary for each complete batch."""
    at, found = 0, []
    while at + 61 <= len(data):
        base, length = struct.unpack_from(">qi", data, at)
        if length < 49 or at + 12 + length > len(data):
            break
        epoch, magic, crc, attributes, delta = struct.unpack_from(">ibIhi", data, at + 12)
        producer, producer_epoch, sequence, count = struct.unpack_from(">qhii", data, at + 43)
        found.append({"base": base, "magic": magic, "codec": attributes & 7, "records": count, "epoch": epoch,
                      "last": base + delta, "producer": producer, "producer_epoch": producer_epoch,
                      "sequence": sequence, "crc_right": crc32c(data[at + 21:at + 12 + length]) == crc
                      if length < 100000 else None})
        at += 12 + length
    return found
