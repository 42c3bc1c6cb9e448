#include "coordinator/store/rocks_store.h"

#include <rocksdb/cache.h>
#include <rocksdb/db.h>
#include <rocksdb/env.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/options.h>
#include <rocksdb/table.h>
#include <rocksdb/write_batch.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <mutex>
#include <system_error>

#include "common/format.h"
#include "common/bytes/byte_reader.h"
#include "common/bytes/byte_writer.h"
#include "coordinator/store/fatal.h"
#include "coordinator/store/layout.h"

namespace odradek::coordinator::store {

namespace {

// RocksDB writes a file of its own for each start unless told to say nothing.
class SilentLogger final : public rocksdb::Logger {
 public:
  using rocksdb::Logger::Logv;
  void Logv(const char*, va_list) override {}
};

rocksdb::Options database_options(const RocksOptions& wished) {
  rocksdb::Options options;
  options.create_if_missing = true;
  options.write_buffer_size = wished.write_buffer_bytes;
  options.max_write_buffer_number = 2;
  options.arena_block_size = 64 << 10;
  options.max_open_files = 64;
  options.max_background_jobs = 2;
  options.max_total_wal_size = 16 << 20;
  options.keep_log_file_num = 1;
  options.info_log = std::make_shared<SilentLogger>();
  options.stats_dump_period_sec = 0;
  options.stats_persist_period_sec = 0;
  options.compression = rocksdb::kLZ4Compression;
  options.paranoid_checks = true;
  options.track_and_verify_wals_in_manifest = true;
  options.wal_recovery_mode = rocksdb::WALRecoveryMode::kTolerateCorruptedTailRecords;
  options.avoid_flush_during_recovery = true;

  rocksdb::BlockBasedTableOptions table;
  table.block_cache = rocksdb::NewLRUCache(wished.cache_bytes, 2);
  table.filter_policy.reset(rocksdb::NewBloomFilterPolicy(10));
  table.cache_index_and_filter_blocks = true;
  table.checksum = rocksdb::kXXH3;
  options.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
  return options;
}

rocksdb::Slice slice(std::string_view text) { return rocksdb::Slice(text.data(), text.size()); }
std::string_view view(const rocksdb::Slice& slice) {
  return std::string_view(slice.data(), slice.size());
}

// RocksDB says what happened in words only.
Error open_error(const rocksdb::Status& status, const std::string& path) {
  std::string text = status.ToString();
  auto says = [&](const char* words) { return text.find(words) != std::string::npos; };
  if (says("lock ") && (says("Resource temporarily unavailable") || says("No locks available") ||
                        says("lock hold by current process"))) {
    return Error(Errc::locked,
                 odradek::format("the data directory {} is in use by another process; stop the other "
                             "coordinator, or give this one a dataDir of its own",
                             path));
  }
  if (says("Permission denied") || says("Read-only file system")) {
    return Error(Errc::permission_denied,
                 odradek::format("cannot write the data directory {}: {}; give its owner and rights to "
                             "the user that runs the coordinator (chown -R)",
                             path, text));
  }
  if (status.IsNoSpace() || says("No space left")) {
    return Error(Errc::disk_full,
                 odradek::format("no room in the data directory {}: free space on its disk", path));
  }
  if (status.IsCorruption() || says("Corruption")) {
    return Error(Errc::store_damaged,
                 odradek::format("the data directory {} is damaged ({}); restore it from a backup, or "
                             "move it away to begin with an empty tree",
                             path, text));
  }
  return Error(Errc::io_error, odradek::format("cannot open the data directory {}: {}", path, text));
}

}  // namespace

struct RocksStore::Impl {
  std::string path;
  std::unique_ptr<rocksdb::DB> db;
  uint64_t epoch = 0;
};

namespace {

class RocksSnapshot final : public Snapshot {
 public:
  RocksSnapshot(std::shared_ptr<void> keep, rocksdb::DB* db, std::string path)
      : keep_(std::move(keep)), db_(db), path_(std::move(path)), snapshot_(db->GetSnapshot()) {}
  ~RocksSnapshot() override { db_->ReleaseSnapshot(snapshot_); }
  RocksSnapshot(const RocksSnapshot&) = delete;
  RocksSnapshot& operator=(const RocksSnapshot&) = delete;

  std::optional<std::string> get(std::string_view key) const override {
    rocksdb::ReadOptions options;
    options.snapshot = snapshot_;
    std::string value;
    rocksdb::Status status = db_->Get(options, slice(key), &value);
    if (status.IsNotFound()) return std::nullopt;
    must(status);
    return value;
  }

  void scan(std::string_view prefix, const Visit& visit) const override {
    rocksdb::ReadOptions options;
    options.snapshot = snapshot_;
    std::string end = end_of(prefix);
    rocksdb::Slice upper = slice(end);
    if (!end.empty()) options.iterate_upper_bound = &upper;
    std::unique_ptr<rocksdb::Iterator> at(db_->NewIterator(options));
    for (at->Seek(slice(prefix)); at->Valid(); at->Next()) {
      if (!visit(view(at->key()), view(at->value()))) break;
    }
    must(at->status());
  }

 private:
  // The first key behind all that begin with the prefix.
  static std::string end_of(std::string_view prefix) {
    std::string end(prefix);
    while (!end.empty() && static_cast<uint8_t>(end.back()) == 0xff) end.pop_back();
    if (!end.empty()) end.back() = static_cast<char>(static_cast<uint8_t>(end.back()) + 1);
    return end;
  }
  void must(const rocksdb::Status& status) const {
    if (status.ok()) return;
    fatal(odradek::format(
        "cannot read the data directory {}: {}; if the disk is sound, restore it from a backup",
        path_, status.ToString()));
  }

  std::shared_ptr<void> keep_;
  rocksdb::DB* db_;
  std::string path_;
  const rocksdb::Snapshot* snapshot_;
};

}  // namespace

RocksStore::RocksStore(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}
RocksStore::~RocksStore() = default;

Result<std::unique_ptr<RocksStore>> RocksStore::open(const std::string& path,
                                                     RocksOptions options) {
  std::error_code error;
  std::filesystem::create_directories(path, error);
  if (error) {
    Errc code = error.value() == EACCES || error.value() == EROFS ? Errc::permission_denied
                : error.value() == ENOSPC                         ? Errc::disk_full
                                                                  : Errc::io_error;
    return Error(code, odradek::format("cannot make the data directory {}: {}; check dataDir and the "
                                   "rights of the user that runs the coordinator",
                                   path, error.message()));
  }
  auto impl = std::make_shared<Impl>();
  impl->path = path;
  rocksdb::DB* db = nullptr;
  rocksdb::Status status = rocksdb::DB::Open(database_options(options), path, &db);
  if (!status.ok()) return open_error(status, path);
  impl->db.reset(db);
  return std::unique_ptr<RocksStore>(new RocksStore(std::move(impl)));
}

SnapshotRef RocksStore::snapshot() {
  return std::make_shared<RocksSnapshot>(impl_, impl_->db.get(), impl_->path);
}

Result<Fence> RocksStore::lead() {
  std::string stored;
  rocksdb::Status status = impl_->db->Get(rocksdb::ReadOptions(), slice(fence_key()), &stored);
  if (!status.ok() && !status.IsNotFound()) return open_error(status, impl_->path);
  uint64_t epoch = status.ok() ? static_cast<uint64_t>(ByteReader(stored).i64()) : 0;
  ByteWriter value;
  value.i64(static_cast<int64_t>(epoch + 1));
  rocksdb::WriteOptions options;
  options.sync = true;
  status = impl_->db->Put(options, slice(fence_key()), slice(value.buffer()));
  if (!status.ok()) return open_error(status, impl_->path);
  impl_->epoch = epoch + 1;
  return Fence{impl_->epoch};
}

Result<SnapshotRef> RocksStore::commit(const Batch& batch, Fence fence) {
  if (fence.epoch != impl_->epoch) return Error(Errc::store_fenced, "somebody else leads");
  rocksdb::WriteBatch writes;
  for (const Batch::Entry& entry : batch.entries) {
    if (entry.value) {
      writes.Put(slice(entry.key), slice(*entry.value));
    } else {
      writes.Delete(slice(entry.key));
    }
  }
  rocksdb::WriteOptions options;
  options.sync = true;
  rocksdb::Status status = impl_->db->Write(options, &writes);
  if (!status.ok()) {
    return Error(
        status.IsNoSpace() ? Errc::disk_full : Errc::io_error,
        odradek::format("cannot write the data directory {}: {}", impl_->path, status.ToString()));
  }
  return snapshot();
}

}  // namespace odradek::coordinator::store
