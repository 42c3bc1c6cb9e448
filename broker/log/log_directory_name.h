#pragma once
// Names of the directories of partitions: "TOPIC-PARTITION", and with a suffix
// "TOPIC-PARTITION.UUID-delete", "-future" or "-stray" (UUID: 32 hexadecimal digits).

#include <optional>
#include <string>
#include <string_view>

#include "common/ids.h"

namespace odradek::broker::log {

struct LogDirectoryName {
  enum class Kind { normal, deleted, future, stray };
  TopicPartition id;
  Kind kind = Kind::normal;
};
// Nothing where the name is not one of a log.
std::optional<LogDirectoryName> parse_log_directory_name(std::string_view name);
// `suffix` is "delete" or "stray". At most 255 characters: the topic is cut.
std::string deleted_directory_name(const TopicPartition& id, const Uuid& unique,
                                   std::string_view suffix);

}  // namespace odradek::broker::log
