#pragma once
// What every tool's main does around its action.

#include <string>

#include "broker/cli/client_properties.h"
#include "broker/cli/kafka_error.h"
#include "common/cli/options.h"

namespace odradek::broker::cli {

// The properties of --command-config (or another option's name); ends the process where the file
// cannot be read.
Properties command_config(const odradek::cli::Options& options,
                          std::string_view option = "command-config");

// Prints the error's sentence to standard error and ends the process with status 1.
[[noreturn]] void fail(const Error& error);

// Java's line of the log for an exception: "[time] ERROR class: message", then " (logger)".
void log_exception(const KafkaError& error, std::string_view logger);

}  // namespace odradek::broker::cli
