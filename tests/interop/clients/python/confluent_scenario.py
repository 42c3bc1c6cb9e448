"""What an application does with confluent-kafka (librdkafka). Arguments: BOOTSTRAP PREFIX"""
import sys
import threading
import time

from confluent_kafka import Consumer, ConsumerGroupTopicPartitions, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, ConfigResource, NewPartitions, NewTopic
from steps import check, finish, key, value, within

bootstrap, prefix = sys.argv[1:3]
topic, group = prefix + "-topic", prefix + "-group"
PARTITIONS, EACH = 3, 200
admin = AdminClient({"bootstrap.servers": bootstrap})
admin.create_topics([NewTopic(topic, PARTITIONS, 1, config={"segment.ms": "7200000"})])[topic].result(30)
check("create a topic", within(20, lambda: len(admin.list_topics(timeout=10).topics.get(topic, []) and
                                               admin.list_topics(timeout=10).topics[topic].partitions) == PARTITIONS))
resource = ConfigResource(ConfigResource.Type.TOPIC, topic)
config = list(admin.describe_configs([resource]).values())[0].result(20)
check("describe_configs shows what was set", config["segment.ms"].value == "7200000", config["segment.ms"])

sent, lock = {}, threading.Lock()


def produce(round_name):
    for codec in ("none", "gzip", "snappy", "lz4", "zstd"):
        p = Producer({"bootstrap.servers": bootstrap, "compression.type": codec, "acks": "all", "linger.ms": 5,
                      "enable.idempotence": codec == "lz4"})
        for i in range(EACH):
            def delivered(error, m, name=(round_name, codec, i)):
                if not error:
                    sent[m.partition(), m.offset()] = name
            p.produce(topic, value(codec, i), key(codec, i), partition=i % PARTITIONS, on_delivery=delivered,
                      headers=[("round", round_name.encode()), ("empty", b""), ("none", None)])
        p.flush(30)


class Member(threading.Thread):
    got, twice = {}, []

    def __init__(self, results=None):
        super().__init__(daemon=True)
        self.got = Member.got if results is None else results
        self.stop, self.assigned, self.failure = threading.Event(), [], None
        self.consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": group, "auto.offset.reset": "earliest",
                                  "enable.auto.commit": False, "heartbeat.interval.ms": 200})
        self.consumer.subscribe([topic], on_assign=self.on_assign, on_revoke=self.on_revoke)

    def on_assign(self, _consumer, partitions):
        self.assigned = [p.partition for p in partitions]

    def on_revoke(self, consumer, _partitions):
        self.commit()
        self.assigned = []

    def commit(self):
        done = {}
        for (p, o) in list(self.mine):
            done[p] = max(done.get(p, 0), o + 1)
        if done:
            self.consumer.commit(offsets=[TopicPartition(topic, p, o) for p, o in done.items()], asynchronous=False)
        self.mine.clear()

    def run(self):
        self.mine = []
        try:
            while not self.stop.is_set():
                m = self.consumer.poll(0.1)
                if m is None:
                    continue
                if m.error():
                    raise RuntimeError(m.error())
                with lock:
                    if (m.partition(), m.offset()) in self.got:
                        Member.twice.append((m.partition(), m.offset()))
                    self.got[m.partition(), m.offset()] = m
                self.mine.append((m.partition(), m.offset()))
            self.commit()
        except Exception as e:
            self.failure = e
        finally:
            self.consumer.close()


produce("first")
check("produce in every codec", len(sent) == 5 * EACH, len(sent))
one = Member()
one.start()
check("one member is given all partitions", within(30, lambda: len(one.assigned) == PARTITIONS), one.assigned)
check("and reads all that is there", within(30, lambda: len(Member.got) == len(sent)), len(Member.got))
two = Member()
two.start()
check("a second member makes a rebalance: both have partitions", within(40, lambda: one.assigned and two.assigned and
      len(one.assigned) + len(two.assigned) == PARTITIONS), (one.assigned, two.assigned, one.failure, two.failure))
produce("second")
check("both read all of a second round", within(30, lambda: len(Member.got) == len(sent) == 10 * EACH), (len(Member.got), len(sent)))
description = admin.describe_consumer_groups([group])[group].result(20)
check("the group is described with two members", len(description.members) == 2 and description.state.name == "STABLE", description.state)
two.stop.set()
two.join(30)
check("a member that leaves gives its partitions back", within(40, lambda: len(one.assigned) == PARTITIONS), one.assigned)
one.stop.set()
one.join(30)
check("no member failed", not one.failure and not two.failure, (one.failure, two.failure))


def wrong():
    for place, m in Member.got.items():
        round_name, codec, i = sent[place]
        if (m.key(), m.value()) != (key(codec, i), value(codec, i)):
            yield sent[place]
        if m.headers() != [("round", round_name.encode()), ("empty", b""), ("none", None)]:
            yield sent[place], m.headers()


check("every byte read is the byte sent", not list(wrong()), list(wrong())[:3])
check("nothing was read twice", not Member.twice, Member.twice[:5])
offsets = list(admin.list_consumer_group_offsets([ConsumerGroupTopicPartitions(group)]).values())[0].result(20)
check("the committed offsets are the end", sum(p.offset for p in offsets.topic_partitions) == len(sent),
      [(p.partition, p.offset) for p in offsets.topic_partitions])
again = Member({})
again.start()
check("a new member goes on from the commit", within(30, lambda: len(again.assigned) == PARTITIONS), again.assigned)
again.stop.set()
again.join(30)
check("and reads nothing again", not again.got and not again.failure, (len(again.got), again.failure))
low, high = Consumer({"bootstrap.servers": bootstrap, "group.id": "x"}).get_watermark_offsets(TopicPartition(topic, 0), 10)
check("watermarks", low == 0 and high > 0, (low, high))
admin.create_partitions([NewPartitions(topic, PARTITIONS + 2)])[topic].result(20)
check("create_partitions", within(20, lambda: len(admin.list_topics(timeout=10).topics[topic].partitions) == PARTITIONS + 2))
check("list_consumer_groups", group in [g.group_id for g in admin.list_consumer_groups().result(20).valid])
if len(sys.argv) > 3:  # no-transactions: until they come, a transactional id ends the attempt instead of hanging
    begin, refused = time.monotonic(), None
    try:
        Producer({"bootstrap.servers": bootstrap, "transactional.id": "interop"}).init_transactions(20)
    except KafkaException as e:
        refused = e.args[0]
    check("a transactional id is refused, without a hang", refused and time.monotonic() - begin < 10 and not refused.retriable(), refused)
admin.delete_consumer_groups([group])[group].result(20)
check("delete the group", within(20, lambda: group not in [g.group_id for g in admin.list_consumer_groups().result(20).valid]))
admin.delete_topics([topic])[topic].result(20)
check("delete the topic", within(20, lambda: topic not in admin.list_topics(timeout=10).topics))
finish()
