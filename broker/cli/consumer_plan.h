#pragma once
// What one call of kafka-console-consumer asks for: its options, checked and turned into a plan. A
// wrong command line ends the process in the official words.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "broker/cli/client_properties.h"
#include "broker/cli/message_formatter.h"

namespace odradek::broker::cli {

// librdkafka's numbers for the ends of a partition.
inline constexpr int64_t kBeginning = -2;
inline constexpr int64_t kEnd = -1;

struct ConsumerPlan {
  std::string topic;    // one of topic and pattern
  std::string pattern;  // a Java pattern of whole names
  std::optional<int32_t> partition;
  int64_t offset = kEnd;
  bool commits = false;  // a named group, or enable.auto.commit asked for
  int64_t max_messages = -1;
  int64_t timeout_ms = -1;  // -1: forever
  bool skip_on_error = false;
  bool systest_events = false;
  Properties consumer;
  std::unique_ptr<MessageFormatter> formatter;
};

// Options, --help and --version included.
ConsumerPlan make_consumer_plan(int argc, char** argv);
// Such a pattern as POSIX calls an extended regular expression, anchored at both ends.
std::string posix_pattern(const std::string& java);

}  // namespace odradek::broker::cli
