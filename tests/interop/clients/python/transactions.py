"""transactions.py BOOTSTRAP TOPIC: thirty transactions, every third one aborted, and one that is left open."""
import sys

from confluent_kafka import Producer


def main(bootstrap, topic):
    producer = Producer({"bootstrap.servers": bootstrap, "transactional.id": "some-transactions", "linger.ms": 1})
    producer.init_transactions(30)
    for n in range(31):
        producer.begin_transaction()
        for k in range(4):
            producer.produce(topic, value=f"transaction {n} record {k}", key=f"{k}")
        producer.flush(30)
        if n == 30:
            break
        elif n % 3 == 2:
            producer.abort_transaction(30)
        else:
            producer.commit_transaction(30)
    print("ok", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
