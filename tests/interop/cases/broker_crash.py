"""The real broker killed with SIGKILL under load, again and again: what it acknowledged is there, in order, once.

BROKER_KILLS=N: so many rounds in place of the few of an ordinary run."""
import os
import struct
import threading
import zlib

from lib import kafka_wire as wire
from lib import proc
from lib.context import case

TOPIC = "load"
WINDOW = 4  # requests of one writer on the way; idempotence allows five
RECORDS = 5
GZIP = 1


class Writer(threading.Thread):
    """Numbered records for one partition. Idempotent, it says again what was not acknowledged, with the same sequences;
    else it gives that up, as nobody knows whether it is there."""

    def __init__(self, port, partition, idempotent):
        super().__init__(daemon=True)
        self.port, self.partition, self.idempotent = port, partition, idempotent
        self.producer = (-1, -1)
        self.next = 0               # of the records
        self.waiting = []           # first numbers of batches that are not acknowledged, in order
        self.acknowledged = []      # (first number, base offset)
        self.problems = []
        self.ended = threading.Event()

    def run(self):
        try:
            while not self.ended.is_set():
                try:
                    with wire.Connection(self.port, 20) as c:
                        self.speak(c)
                except (OSError, ConnectionError, struct.error):
                    self.ended.wait(0.01)  # killed: again
        except Exception as e:  # a thread's exception would be lost
            self.problems.append(f"{type(e).__name__}: {e}")

    def speak(self, c):
        if self.idempotent and self.producer[0] < 0:
            error, *producer = c.init_producer_id()
            if error:
                return
            self.producer = tuple(producer)
        if not self.idempotent:
            self.waiting = []
        sent = [(first, self.send(c, first)) for first in self.waiting]
        while not self.ended.is_set():
            while len(sent) < WINDOW:
                self.waiting.append(self.next)
                sent.append((self.next, self.send(c, self.next)))
                self.next += RECORDS
            if not self.take(c, *sent.pop(0)):
                return

    def send(self, c, first):
        values = [b"%d" % n + b"." * (n % 90) for n in range(first, first + RECORDS)]
        sequence = first if self.idempotent else -1
        if first // RECORDS % 3:
            batch = wire.batch(values, producer=(*self.producer, sequence))
        else:
            records = b"".join(wire.record(v, offset=i) for i, v in enumerate(values))
            squeezed = zlib.compressobj(1, zlib.DEFLATED, 31)
            batch = wire.batch(values, producer=(*self.producer, sequence), attributes=GZIP,
                               records=squeezed.compress(records) + squeezed.flush())
        rows = wire.array([struct.pack(">ii", self.partition, len(batch)) + batch])
        return c.send(0, 3, wire.string(None) + struct.pack(">hi", -1 if self.idempotent else 1, 15000) +
                      wire.array([wire.string(TOPIC) + rows]))

    def take(self, c, first, correlation):
        """False where the broker is not ready for this partition: all that is on the way is to be said again."""
        r = c.answer()
        if r.correlation != correlation:
            self.problems.append(f"the answer to {r.correlation} where {correlation} is next")
        _name, [(_index, error, base, _time)] = r.array(lambda: (r.string(), r.array(lambda: r.get("ihqq"))))[0]
        if error in (3, 5, 6):  # it comes back: no topic, no leader, not this one
            return False
        if error:
            self.problems.append(f"record {first}: error {error}")
            self.ended.set()
            return False
        self.acknowledged.append((first, base))
        self.waiting.remove(first)
        return True


def varint(data, at):
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return (value >> 1) ^ -(value & 1), at


def numbers(batch):
    """The numbers of a batch's records; they have no keys."""
    records, at, found = batch[61:], 0, []
    if struct.unpack_from(">h", batch, 21)[0] & 7 == GZIP:
        records = zlib.decompress(records, 31)
    while at < len(records):
        length, at = varint(records, at)
        end, at = at + length, at + 1
        for _ in range(3):  # time, offset, length of the key
            _value, at = varint(records, at)
        size, at = varint(records, at)
        found.append(int(records[at:at + size].rstrip(b".")))
        at = end
    return found


def read(c, partition):
    """[(offset, number)] of all records of a partition, and what is wrong with its batches."""
    found, wrong, at, end = [], [], 0, c.end_offset(TOPIC, partition)
    while at < end:
        error, _high, data = c.fetch(TOPIC, partition, at)
        if error or not data:
            return found, [*wrong, f"a fetch at {at} of {end}: error {error}, {len(data)} bytes"]
        position = 0
        for batch in wire.batches(data):
            length = 12 + struct.unpack_from(">i", data, position + 8)[0]
            if batch["last"] >= at:
                if not batch["crc_right"] or batch["base"] != at:
                    wrong.append(f"a batch at {batch['base']} where {at} is next, checksum {batch['crc_right']}")
                found += list(zip(range(batch["base"], batch["last"] + 1), numbers(data[position:position + length])))
                at = batch["last"] + 1
            position += length
    return found, wrong


def check_writer(t, c, w):
    found, wrong = read(c, w.partition)
    at = dict(found)
    what = f"writer {w.partition}, {'idempotent' if w.idempotent else 'acks=1'}"
    t.check(f"{what}: every batch is whole, no offset is missing", not wrong, wrong[:5])
    order = [number for _offset, number in found]
    if w.idempotent:
        t.check(f"{what}: its records are there once and in order, none between them is missing",
                order == list(range(len(order))), next((p for p in enumerate(order) if p[0] != p[1]), None))
    else:
        t.check(f"{what}: its records are there once and in order", order == sorted(set(order)))
    lost = [(first, base) for first, base in w.acknowledged if any(at.get(base + i) != first + i for i in range(RECORDS))]
    t.check(f"{what}: {len(w.acknowledged)} acknowledged batches stand where it was told", not lost, lost[:5])
    t.check(f"{what}: nothing else went wrong", not w.problems, w.problems[:5])


@case("kill -9 again and again under load: what was acknowledged is there, in order, once")
def kill_loop(t):
    own = t.new_cluster(broker_extra={"log.index.interval.bytes": 1000, "log.flush.offset.checkpoint.interval.ms": 500,
                                      "log.retention.check.interval.ms": 1000000})
    own.start()
    own.create_topic(TOPIC, 4, [("segment.bytes", "40000")])
    writers = [Writer(own.broker.port, p, idempotent=p < 2) for p in range(4)]
    rounds = int(os.environ.get("BROKER_KILLS", "1" if t.home.apache else "12"))
    try:
        for w in writers:
            w.start()
        for n in range(rounds):
            before = [len(w.acknowledged) for w in writers]
            proc.wait_until(lambda: all(len(w.acknowledged) >= b + 60 + 11 * (n % 7) for w, b in zip(writers, before)) or
                            any(w.problems for w in writers), 60, f"more batches are acknowledged in round {n}")
            own.broker.kill()
            own.restart_broker()
        before = [len(w.acknowledged) for w in writers]
        proc.wait_until(lambda: all(len(w.acknowledged) > b for w, b in zip(writers, before)) or
                        any(w.problems for w in writers), 60, "every writer goes on behind the last kill")
    finally:
        for w in writers:
            w.ended.set()
        for w in writers:
            w.join(30)
    t.check("every writer came to its end", not any(w.is_alive() for w in writers))
    with own.broker.connection() as c:
        for w in writers:
            check_writer(t, c, w)
    t.check("the log was rolled meanwhile", len(own.broker.partition_dir(TOPIC)) > 0 and
            sum(name.endswith(".log") for name in os.listdir(own.broker.partition_dir(TOPIC))) > 3)
