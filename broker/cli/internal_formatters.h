#pragma once
// Formatters for the internal topics: what __consumer_offsets holds, in the text of Kafka's own
// formatters.

#include <memory>
#include <string_view>

#include "broker/cli/message_formatter.h"

namespace odradek::broker::cli {

// By simple class name (OffsetsMessageFormatter, GroupMetadataMessageFormatter); nullptr when it is
// none of these.
std::unique_ptr<MessageFormatter> make_internal_formatter(std::string_view simple_class_name);

}  // namespace odradek::broker::cli
