#pragma once
// How kafka-console-consumer prints a record. make_formatter knows the formatters that come with
// Kafka by their class names (2.5 to 4.x); others are Java classes that cannot be loaded.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "broker/cli/client_properties.h"

namespace odradek::broker::cli {

enum class TimestampType { none, create_time, log_append_time };

struct ConsumedRecord {
  std::string_view topic;
  int32_t partition = 0;
  int64_t offset = 0;
  int64_t timestamp_ms = 0;
  TimestampType timestamp_type = TimestampType::none;
  std::optional<std::string_view> key;
  std::optional<std::string_view> value;
  std::vector<std::pair<std::string_view, std::optional<std::string_view>>> headers;
};

class MessageFormatter {
 public:
  virtual ~MessageFormatter() = default;
  // Appends the record's text, its line end included, to `out`.
  virtual Result<void> write(const ConsumedRecord& record, std::string& out) = 0;
};

// `properties`: print.key and its like. Errors: an unknown class, an unknown deserializer.
Result<std::unique_ptr<MessageFormatter>> make_formatter(const std::string& class_name,
                                                         const Properties& properties);

}  // namespace odradek::broker::cli
