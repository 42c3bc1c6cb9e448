"""One application's day in four more client libraries: create, produce, a group of two with a rebalance, commit, delete."""
import os

from lib import peers, proc
from lib.context import case


def play(t, name, argv):
    more = ["no-transactions"] if t.ours and name == "confluent" else []
    status, out = proc.run([*argv, t.cluster.bootstrap, t.unique(name), *more], timeout=200)
    t.report.client_lines(name, status, out)


@case("confluent-kafka")
def confluent(t):
    play(t, "confluent", [peers.python(), os.path.join(peers.CLIENTS, "python", "confluent_scenario.py")])


@case("kafka-python")
def kafka_python(t):
    play(t, "kafka-python", [peers.python(), os.path.join(peers.CLIENTS, "python", "kafka_python_scenario.py")])


@case("kafkajs")
def kafkajs(t):
    play(t, "kafkajs", ["node", os.path.join(peers.node(), "scenario.js")])


@case("franz-go")
def franz(t):
    play(t, "franz-go", [peers.go_program()])
