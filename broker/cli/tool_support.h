#pragma once
// What every tool's main does around its action.

#include <csignal>
#include <string>
#include <string_view>

#include "broker/cli/client_properties.h"
#include "broker/cli/kafka_error.h"
#include "common/cli/options.h"

namespace odradek::broker::cli {

// The properties of --command-config (or another option's name); ends the process where the file
// cannot be read.
Properties command_config(const odradek::cli::Options& options,
                          std::string_view option = "command-config");

// The properties of the file that `file_option` names; none where it is not given. Of the
// "key=value" of every `argument_option`. Both end the process where that is wrong.
Properties file_properties(const odradek::cli::Options& options, std::string_view file_option);
Properties argument_properties(const odradek::cli::Options& options,
                               std::string_view argument_option);
// Both; the arguments win.
Properties given_properties(const odradek::cli::Options& options, std::string_view file_option,
                            std::string_view argument_option);

// The signal that asked this process to stop; 0 until then. stop_on_signals() lets SIGINT and
// SIGTERM set it.
extern volatile std::sig_atomic_t stop_signal;
void stop_on_signals();

// Prints the error's sentence to standard error and ends the process with status 1.
[[noreturn]] void fail(const Error& error);

// Java's line of the log for an exception: "[time] ERROR class: message", then " (logger)".
void log_exception(const KafkaError& error, std::string_view logger);

}  // namespace odradek::broker::cli
