"""What an application does with kafka-python. Arguments: BOOTSTRAP PREFIX"""
import sys
import threading

from kafka import ConsumerRebalanceListener, KafkaConsumer, KafkaProducer, TopicPartition
from kafka.admin import KafkaAdminClient, NewTopic
from steps import check, finish, key, value, within

bootstrap, prefix = sys.argv[1:]
topic, group = prefix + "-topic", prefix + "-group"
PARTITIONS, EACH = 3, 200
admin = KafkaAdminClient(bootstrap_servers=bootstrap)
admin.create_topics([NewTopic(name=topic, num_partitions=PARTITIONS, replication_factor=1, topic_configs={"segment.ms": "7200000"})])
check("create a topic", within(20, lambda: topic in admin.list_topics()))
sent = {}


def produce(round_name):
    for codec in (None, "gzip"):  # the codecs that need no further package
        p = KafkaProducer(bootstrap_servers=bootstrap, compression_type=codec, acks="all", linger_ms=5)
        answers = []
        for i in range(EACH):
            answers.append((i, p.send(topic, value(str(codec), i), key(str(codec), i), partition=i % PARTITIONS,
                                      headers=[("round", round_name.encode()), ("empty", b"")])))
        p.flush(30)
        for i, answer in answers:
            m = answer.get(30)
            sent[m.partition, m.offset] = (round_name, str(codec), i)
        p.close(10)


class Member(threading.Thread, ConsumerRebalanceListener):
    got, twice, lock = {}, [], threading.Lock()

    def __init__(self, results=None):
        super().__init__(daemon=True)
        self.got = Member.got if results is None else results
        self.stop, self.assigned, self.failure = threading.Event(), [], None
        self.consumer = KafkaConsumer(bootstrap_servers=bootstrap, group_id=group, auto_offset_reset="earliest",
                                      enable_auto_commit=False, heartbeat_interval_ms=200)
        self.consumer.subscribe([topic], listener=self)

    def on_partitions_assigned(self, assigned):
        self.assigned = list(self.consumer.assignment())

    def on_partitions_revoked(self, revoked):
        self.assigned = []

    def run(self):
        try:
            while not self.stop.is_set():
                # Long: 3.0.12 loses an assignment where a poll's time-out ends between the answers to its JoinGroup and its
                # SyncGroup (it then finds no need to join and never looks at the second). It comes back early with records.
                found = self.consumer.poll(timeout_ms=5000)
                for rows in found.values():
                    for m in rows:
                        with Member.lock:
                            if (m.partition, m.offset) in self.got:
                                Member.twice.append((m.partition, m.offset))
                            self.got[m.partition, m.offset] = m
                if found:  # before the next poll, in which a rebalance may take the partitions away
                    self.consumer.commit()
        except Exception as e:
            self.failure = e
        finally:
            self.consumer.close()


produce("first")
check("produce", len(sent) == 2 * EACH, len(sent))
one = Member()
one.start()
check("one member is given all partitions", within(30, lambda: len(one.assigned) == PARTITIONS), (one.assigned, one.failure))
check("and reads all that is there", within(30, lambda: len(Member.got) == len(sent)), len(Member.got))
two = Member()
two.start()
check("a second member makes a rebalance: both have partitions", within(40, lambda: one.assigned and two.assigned and
      len(one.assigned) + len(two.assigned) == PARTITIONS), (one.assigned, two.assigned, one.failure, two.failure))
produce("second")
check("both read all of a second round", within(30, lambda: len(Member.got) == len(sent) == 4 * EACH), (len(Member.got), len(sent)))
two.stop.set()
two.join(30)
check("a member that leaves gives its partitions back", within(40, lambda: len(one.assigned) == PARTITIONS), one.assigned)
one.stop.set()
one.join(30)
check("no member failed", not one.failure and not two.failure, (one.failure, two.failure))
bad = [sent[p] for p, m in Member.got.items() if (m.key, m.value) != (key(*sent[p][1:]), value(*sent[p][1:])) or
       list(m.headers) != [("round", sent[p][0].encode()), ("empty", b"")]]
check("every byte read is the byte sent", not bad, bad[:3])
check("nothing was read twice", not Member.twice, Member.twice[:5])
again = Member({})
again.start()
check("a new member goes on from the commit", within(30, lambda: len(again.assigned) == PARTITIONS), (again.assigned, again.failure))
again.stop.set()
again.join(30)
check("and reads nothing again", not again.got and not again.failure, (len(again.got), again.failure))
plain = KafkaConsumer(bootstrap_servers=bootstrap, group_id=group)
places = [TopicPartition(topic, p) for p in range(PARTITIONS)]
ends = plain.end_offsets(places)
check("the committed offsets are the end", all(plain.committed(p) == ends[p] for p in places) and sum(ends.values()) == len(sent), ends)
plain.close()
admin.delete_groups([group]) if hasattr(admin, "delete_groups") else admin.delete_consumer_groups([group])


def groups():
    rows = admin.list_groups() if hasattr(admin, "list_groups") else admin.list_consumer_groups()
    return str(rows)


check("delete the group", within(20, lambda: group not in groups()), groups())
admin.delete_topics([topic])
check("delete the topic", within(20, lambda: topic not in admin.list_topics()))
admin.close()
finish()
