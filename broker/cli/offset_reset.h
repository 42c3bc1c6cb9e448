#pragma once
// The plans of kafka-consumer-groups --reset-offsets: which partitions, and to which offsets.
// Throws KafkaError; an IllegalArgumentException among them means the usage table.

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "broker/cli/admin_client.h"

namespace odradek::broker::cli {

// Partitions of "topic" or "topic:0,1" arguments; a topic alone means all of it.
std::vector<TopicPartition> partitions_of(AdminClient& client,
                                          const std::vector<std::string>& arguments);
// Splits "topic:0,1"; nothing where there is no colon. Refuses what are no numbers.
std::optional<std::vector<TopicPartition>> split_topic_argument(const std::string& argument);

// "2020-01-01T00:00:00.000", with Z or an offset at the end or without (UTC); milliseconds since
// 1970.
int64_t parse_datetime(const std::string& text);
// ISO 8601, "P1DT2H3M4S" or "PT0.5S"; milliseconds.
int64_t parse_duration(const std::string& text);

using OffsetPlan = std::map<TopicPartition, int64_t>;
OffsetPlan to_end(AdminClient& client, const std::vector<TopicPartition>& partitions,
                  int64_t end);  // kEarliest, kLatest
// The first record at or after a time; the log's end, with a warning, where there is none.
OffsetPlan to_time(AdminClient& client, const std::vector<TopicPartition>& partitions,
                   int64_t timestamp);
// Offsets outside of the log are moved to its nearer end, with a warning.
OffsetPlan within_log(AdminClient& client, const OffsetPlan& wanted);

// CSV lines "topic,partition,offset", or with the group in front.
std::map<std::string, OffsetPlan> read_plan(const std::string& text,
                                            const std::vector<std::string>& groups);
std::string write_plan(const std::map<std::string, OffsetPlan>& plans);

}  // namespace odradek::broker::cli
