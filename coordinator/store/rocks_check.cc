#include "coordinator/store/rocks_check.h"

#include <rocksdb/db.h>
#include <rocksdb/env.h>
#include <rocksdb/options.h>
#include <rocksdb/sst_file_reader.h>
#include <rocksdb/wal_filter.h>
#include <rocksdb/write_batch.h>

#include <algorithm>
#include <cctype>
#include <memory>
#include <vector>

#include "common/bytes/byte_reader.h"
#include "common/bytes/byte_writer.h"
#include "common/format.h"
#include "common/log/log.h"
#include "coordinator/store/commit_mark.h"
#include "coordinator/store/layout.h"
#include "coordinator/store/log_file.h"
#include "coordinator/store/rocks_error.h"

namespace odradek::coordinator::store {

namespace {

constexpr size_t kMaxCurrentSize = 4096;

// Sees every commit in the log files, in their order, and lets none into memory: what the database
// shows is then what stands in its tables.
class CommitReader final : public rocksdb::WalFilter {
 public:
  struct Found {
    uint64_t number;
    std::string file;
  };
  const char* Name() const override { return "odradek.CommitReader"; }
  WalProcessingOption LogRecordFound(unsigned long long, const std::string& file,
                                     const rocksdb::WriteBatch& batch, rocksdb::WriteBatch*,
                                     bool*) override {
    struct Handler final : rocksdb::WriteBatch::Handler {
      void Put(const rocksdb::Slice& key, const rocksdb::Slice& value) override {
        if (key.ToStringView() == chain_key()) number = decode_commit_number(value.ToStringView());
      }
      void Delete(const rocksdb::Slice&) override {}
      uint64_t number = 0;
    } handler;
    if (batch.Iterate(&handler).ok() && handler.number > 0) {
      found_.push_back({handler.number, file});
    }
    return WalProcessingOption::kIgnoreCurrentRecord;
  }
  const std::vector<Found>& found() const { return found_; }

 private:
  std::vector<Found> found_;
};

class Check {
 public:
  Check(fs::FileSystem& files, const rocksdb::Options& options, const std::string& path)
      : files_(files), options_(options), path_(path) {}

  Result<StoreState> run() {
    Result<bool> begun = exists();
    if (!begun) return begun.error();
    if (!*begun) return StoreState{true, 0};
    Result<std::optional<uint64_t>> mark = read_commit_mark(files_, path_);
    if (!mark) return mark.error();
    if (Result<void> right = check_manifest(); !right) return right.error();
    for (size_t i = 0; i < logs_.size(); ++i) {
      if (Result<void> right = check_log(logs_[i], i + 1 == logs_.size()); !right) {
        return right.error();
      }
    }
    Result<uint64_t> commits = count_commits();
    if (!commits) return commits.error();
    if (*mark && *commits < **mark) {
      return damaged_store(
          path_, format("it ends with commit {}, but commit {} was made ({} says so): the newest "
                        "files, or their ends, are missing",
                        *commits, **mark, commit_mark_path(path_)));
    }
    return StoreState{false, *commits};
  }

  Result<bool> exists() {
    if (Result<void> listed = list(); !listed) return listed.error();
    if (has_current_) return true;
    if (!has_mark_ && !has_tables_ && !has_log_bytes_) return false;
    return damaged_store(path_, path_ + "/CURRENT is missing");
  }

 private:
  Result<void> list() {
    Result<std::vector<fs::DirEntry>> entries = files_.list(path_);
    if (!entries && entries.error().code() == Errc::not_found) return {};
    if (!entries) return entries.error();
    for (const fs::DirEntry& entry : *entries) {
      has_current_ |= entry.name == "CURRENT";
      has_mark_ |= path_ + "/" + entry.name == commit_mark_path(path_);
      if (entry.name.ends_with(".sst")) has_tables_ = true;
      if (!entry.name.ends_with(".log")) continue;
      logs_.push_back(path_ + "/" + entry.name);  // six digits at least: in order by length, name
      has_log_bytes_ |= entry.size > 0;
    }
    std::sort(logs_.begin(), logs_.end(), [](const std::string& left, const std::string& right) {
      return left.size() != right.size() ? left.size() < right.size() : left < right;
    });
    return {};
  }

  Result<LogFileState> look_at(const std::string& path) {
    Result<std::shared_ptr<fs::File>> file = files_.open(path, fs::OpenMode::read);
    if (!file) return file.error();
    Result<LogFileState> state = look_at_log_file(**file);
    if (state && state->end == LogFileState::End::damaged) {
      return damaged_store(path_, path + ", " + state->why);
    }
    return state;
  }

  // CURRENT names the MANIFEST in one line.
  Result<void> check_manifest() {
    Result<Bytes> current = files_.read_file(path_ + "/CURRENT", kMaxCurrentSize);
    if (!current && current.error().code() != Errc::limit_exceeded) return current.error();
    if (!current || !current->starts_with("MANIFEST-") || !current->ends_with('\n') ||
        current->find('/') != std::string::npos) {
      return damaged_store(path_, path_ + "/CURRENT does not name a MANIFEST");
    }
    const std::string manifest = path_ + "/" + current->substr(0, current->size() - 1);
    Result<LogFileState> state = look_at(manifest);
    if (!state && state.error().code() == Errc::not_found) {
      return damaged_store(path_, manifest + " is missing, which CURRENT names");
    }
    if (!state) return state.error();
    if (state->good_bytes == 0) return damaged_store(path_, manifest + " holds nothing");
    return {};
  }

  // Every log file but the newest was whole on the disk before the next one got anything.
  Result<void> check_log(const std::string& path, bool is_newest) {
    Result<LogFileState> state = look_at(path);
    if (!state) return state.error();
    if (state->end == LogFileState::End::whole) return {};
    if (state->end == LogFileState::End::torn) {
      if (!is_newest) return damaged_store(path_, path + ", " + state->why);
      LOG_WARN("zookeeper",
               "{}, {}: what a crash left of a write that was never acknowledged is cut off", path,
               state->why);
    }
    Result<std::shared_ptr<fs::File>> file = files_.open(path, fs::OpenMode::read_write);
    if (!file) return file.error();
    if (Result<void> cut = (*file)->truncate(state->good_bytes); !cut) return cut;
    return (*file)->sync();
  }

  // The number of the last commit; none may be missing on the way to it.
  Result<uint64_t> count_commits() {
    CommitReader reader;
    rocksdb::Options options = options_;
    options.create_if_missing = false;
    options.wal_filter = &reader;
    rocksdb::DB* opened = nullptr;
    rocksdb::Status status = rocksdb::DB::OpenForReadOnly(options, path_, &opened);
    if (!status.ok()) return open_error(files_, options_, path_, status);
    std::unique_ptr<rocksdb::DB> db(opened);
    std::string value;
    status = db->Get(rocksdb::ReadOptions(), std::string(chain_key()), &value);
    if (!status.ok() && !status.IsNotFound()) return rocks_error(status, path_);
    uint64_t last = status.ok() ? decode_commit_number(value) : 0;
    for (const CommitReader::Found& found : reader.found()) {
      if (found.number > last + 1) {
        return damaged_store(
            path_, format("{} goes on with commit {} where commit {} is due: a log file before it, "
                          "or the end of the MANIFEST, is missing",
                          path_ + "/" + base_name(found.file), found.number, last + 1));
      }
      last = std::max(last, found.number);
    }
    return last;
  }

  static std::string base_name(const std::string& path) {
    return path.substr(path.rfind('/') + 1);
  }

  fs::FileSystem& files_;
  const rocksdb::Options& options_;
  const std::string& path_;
  std::vector<std::string> logs_;
  bool has_current_ = false;
  bool has_mark_ = false;
  bool has_tables_ = false;
  bool has_log_bytes_ = false;
};

}  // namespace

Result<bool> store_exists(fs::FileSystem& files, const std::string& path) {
  const rocksdb::Options unused;
  return Check(files, unused, path).exists();
}

Result<StoreState> check_store(fs::FileSystem& files, const rocksdb::Options& options,
                               const std::string& path) {
  return Check(files, options, path).run();
}

namespace {

// The digits that stand directly behind (or before) a place of the text; empty where none do.
std::string digits_at(std::string_view text, size_t at) {
  size_t end = at;
  while (end < text.size() && std::isdigit(static_cast<unsigned char>(text[end]))) ++end;
  return std::string(text.substr(at, end - at));
}
std::string digits_before(std::string_view text, size_t end) {
  size_t at = end;
  while (at > 0 && std::isdigit(static_cast<unsigned char>(text[at - 1]))) --at;
  return std::string(text.substr(at, end - at));
}

}  // namespace

Error open_error(fs::FileSystem& files, const rocksdb::Options& options, const std::string& path,
                 const rocksdb::Status& status) {
  Error error = rocks_error(status, path);
  if (error.code() != Errc::store_damaged) return error;
  const std::string text = status.ToString();
  constexpr std::string_view kMissingLog = "Missing WAL with log number: ";
  if (size_t at = text.find(kMissingLog); at != std::string::npos) {
    const std::string number = digits_at(text, at + kMissingLog.size());
    return damaged_store(path, format("{}/{:0>6}.log is missing", path, number));
  }
  // a table that is not there is looked for by its old suffix, too, and missed by that
  if (size_t at = text.find(".ldb"); at != std::string::npos) {
    return damaged_store(path, format("{}/{}.sst is missing", path, digits_before(text, at)));
  }
  Result<std::vector<fs::DirEntry>> entries = files.list(path);
  if (!entries) return error;
  for (const fs::DirEntry& entry : *entries) {
    if (!entry.name.ends_with(".sst")) continue;
    const std::string table = path + "/" + entry.name;
    rocksdb::SstFileReader reader(options);
    rocksdb::Status read = reader.Open(table);
    if (read.ok()) read = reader.VerifyChecksum();
    if (!read.ok()) return damaged_store(path, format("{}: {}", table, read.ToString()));
  }
  return error;
}

// The last byte of a commit is never zero: so a sector that a crash lost is told from a whole one.
std::string encode_commit_number(uint64_t number) {
  ByteWriter out;
  out.i64(static_cast<int64_t>(number));
  out.i8(1);
  return out.take();
}

uint64_t decode_commit_number(std::string_view value) {
  ByteReader in(value);
  uint64_t number = static_cast<uint64_t>(in.i64());
  return in.i8() == 1 && in.ok() && in.remaining() == 0 ? number : 0;
}

}  // namespace odradek::coordinator::store
