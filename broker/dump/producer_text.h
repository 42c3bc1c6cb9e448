#pragma once
// The .txnindex and .snapshot files as text.

#include <string>

#include "broker/dump/output.h"
#include "common/fs/file_system.h"

namespace odradek::broker::dump {

// An Error is the exception with which Kafka's tool ends.
Result<void> dump_transaction_index(fs::FileSystem& files, const std::string& path,
                                    Output& output);
// A damaged snapshot is a line on standard error and no Error.
Result<void> dump_producer_snapshot(fs::FileSystem& files, const std::string& path,
                                    Output& output);

}  // namespace odradek::broker::dump
