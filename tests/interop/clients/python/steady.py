"""Produces numbers without a pause, acks=all, until it reads a line; then reads the topic back. Arguments: BOOTSTRAP TOPIC
PARTITIONS. Every number that was acknowledged has to be there, once, and in each partition in order."""
import collections
import sys
import threading

from confluent_kafka import Consumer, Producer, TopicPartition
from steps import check, finish, within

bootstrap, topic, partitions = sys.argv[1], sys.argv[2], int(sys.argv[3])
stop = threading.Event()
threading.Thread(target=lambda: (sys.stdin.readline(), stop.set()), daemon=True).start()
acknowledged, refused = set(), []


def delivered(error, message):
    if error:
        refused.append(str(error))
    else:
        acknowledged.add(int(message.value()))


# a broker that has just come back counts as one that is there: a retry is what these settings are for
producer = Producer({"bootstrap.servers": bootstrap, "acks": "all", "enable.idempotence": True, "linger.ms": 20, "delivery.timeout.ms": 120000,
                     "reconnect.backoff.max.ms": 1000, "log_level": 0})
sent = 0
while not stop.is_set():
    producer.produce(topic, str(sent).encode(), partition=sent % partitions, on_delivery=delivered)
    sent += 1
    producer.poll(0.02)
    if sent == 100:
        within(30, lambda: producer.poll(0.05) or len(acknowledged) > 50)
        print("ok it produces", flush=True)
left = producer.flush(120)
check("everything is acknowledged", not refused and left == 0 and len(acknowledged) == sent, (len(refused), left, sent, refused[:3]))
consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": "steady-check", "auto.offset.reset": "earliest", "enable.auto.commit": False,
                     "log_level": 0})
consumer.assign([TopicPartition(topic, n, 0) for n in range(partitions)])
ends = {n: consumer.get_watermark_offsets(TopicPartition(topic, n), 30)[1] for n in range(partitions)}
got = collections.defaultdict(list)


def all_read():
    for m in consumer.consume(5000, 0.3):
        if not m.error():
            got[m.partition()].append(int(m.value()))
    return all(not ends[p] or consumer.position([TopicPartition(topic, p)])[0].offset >= ends[p] for p in ends)


within(60, all_read)
seen = [n for numbers in got.values() for n in numbers]
check("what was acknowledged is there", acknowledged <= set(seen), sorted(acknowledged - set(seen))[:5])
check("nothing is there twice", len(seen) == len(set(seen)), len(seen) - len(set(seen)))
check("each partition in order", all(numbers == sorted(numbers) for numbers in got.values()))
print(f"sent {sent}", flush=True)
consumer.close()
finish()
