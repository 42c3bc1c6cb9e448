#pragma once
// LogReader: one log file of ZooKeeper's, entry by entry.
//
//   FileHeader, then of each transaction: checksum (int64, Adler-32 of the entry), length (int32),
//   the entry, the byte 'B'. The file is longer than what was written: zeros up to its end.

#include <memory>
#include <optional>

#include "coordinator/exchange/logged_txn.h"
#include "coordinator/exchange/record_stream.h"

namespace odradek::coordinator::exchange {

class LogReader {
 public:
  // `last` says that no later log is there: only that one may have been cut off before its header was
  // written. malformed, with name and offset, where the file is no log.
  static Result<std::unique_ptr<LogReader>> open(fs::FileSystem& files, const std::string& path,
                                                 bool last);
  static Result<std::unique_ptr<LogReader>> open(RecordStream in, bool last);

  // The next transaction; nothing at the end. Where the writer died in the middle of an entry the
  // file ends in front of it, as ZooKeeper has it; an entry that is whole but does not fit its
  // checksum, or does not decode, is damage: malformed or unsupported_version with name and offset.
  Result<std::optional<LoggedTxn>> next();

  // Of the transaction that next gave.
  uint64_t offset() const { return entry_offset_; }
  const std::string& name() const { return in_.name(); }
  // Whether an entry at the end was cut off.
  bool torn() const { return torn_; }

 private:
  explicit LogReader(RecordStream in) : in_(std::move(in)) {}
  Result<void> read_header(bool last);
  // The rest of the file holds zeros alone.
  Result<bool> only_zeros();

  RecordStream in_;
  uint64_t entry_offset_ = 0;
  bool ended_ = false;
  bool torn_ = false;
};

}  // namespace odradek::coordinator::exchange
