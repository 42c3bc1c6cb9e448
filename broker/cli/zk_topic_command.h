#pragma once
// kafka-topics --zookeeper of Kafka 2.5: the same actions, done on the znodes as its tool does
// them.

#include <memory>
#include <string>

#include "broker/cli/topic_command.h"

namespace odradek::broker::cli {

// `connect`: HOST:PORT[,HOST:PORT][/CHROOT]. Throws KafkaError where nothing answers.
std::unique_ptr<TopicActions> topics_on_znodes(const std::string& connect);

}  // namespace odradek::broker::cli
