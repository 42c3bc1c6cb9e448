#include "coordinator/store/rocks_store.h"

#include <rocksdb/cache.h>
#include <rocksdb/env.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/table.h>
#include <rocksdb/write_batch.h>

#include "common/bytes/byte_reader.h"
#include "common/bytes/byte_writer.h"
#include "common/format.h"
#include "common/fs/durable_dirs.h"
#include "coordinator/store/commit_mark.h"
#include "coordinator/store/fatal.h"
#include "coordinator/store/layout.h"
#include "coordinator/store/reserved_logs.h"
#include "coordinator/store/rocks_check.h"
#include "coordinator/store/rocks_detail.h"
#include "coordinator/store/rocks_error.h"

namespace odradek::coordinator::store {

namespace {

// RocksDB writes a file of its own for each start unless told to say nothing.
class SilentLogger final : public rocksdb::Logger {
 public:
  using rocksdb::Logger::Logv;
  void Logv(const char*, va_list) override {}
};

}  // namespace

rocksdb::Options database_options(const RocksOptions& wished) {
  rocksdb::Options options;
  if (wished.env) options.env = wished.env;
  options.write_buffer_size = wished.write_buffer_bytes;
  options.max_write_buffer_number = 2;
  options.arena_block_size = 64 << 10;
  // A create asks for a znode that is not there: the filter knows without a walk through the table.
  options.memtable_prefix_bloom_size_ratio = 0.02;
  options.memtable_whole_key_filtering = true;
  options.max_open_files = 64;
  options.max_file_opening_threads = 1;  // a start opens few tables
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
  // What a log file held when the process ended is written anew: after a sync that failed the kernel
  // may show bytes that are not on the disk, and no later sync would bring them there.
  options.avoid_flush_during_recovery = false;
  options.max_bgerror_resume_count = 0;  // what failed is not tried again: the process ends

  rocksdb::BlockBasedTableOptions table;
  table.block_cache = rocksdb::NewLRUCache(wished.cache_bytes, 2);
  table.filter_policy.reset(rocksdb::NewBloomFilterPolicy(10));
  table.cache_index_and_filter_blocks = true;
  table.checksum = rocksdb::kXXH3;
  options.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
  return options;
}

std::string end_of_prefix(std::string_view prefix) {
  std::string end(prefix);
  while (!end.empty() && static_cast<uint8_t>(end.back()) == 0xff) end.pop_back();
  if (!end.empty()) end.back() = static_cast<char>(static_cast<uint8_t>(end.back()) + 1);
  return end;
}

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
    std::string end = end_of_prefix(prefix);
    rocksdb::Slice upper = slice(end);
    if (!end.empty()) options.iterate_upper_bound = &upper;
    std::unique_ptr<rocksdb::Iterator> at(db_->NewIterator(options));
    for (at->Seek(slice(prefix)); at->Valid(); at->Next()) {
      if (!visit(view(at->key()), view(at->value()))) break;
    }
    must(at->status());
  }

 private:
  void must(const rocksdb::Status& status) const {
    if (!status.ok()) fatal(rocks_error(status, path_).what());
  }

  std::shared_ptr<void> keep_;
  rocksdb::DB* db_;
  std::string path_;
  const rocksdb::Snapshot* snapshot_;
};

}  // namespace

Result<void> RocksStore::Impl::write(rocksdb::WriteBatch& writes) {
  std::lock_guard lock(writing);
  writes.Put(slice(chain_key()), encode_commit_number(commits + 1));
  rocksdb::WriteOptions options;
  options.sync = true;
  rocksdb::Status status = db->Write(options, &writes);
  if (!status.ok()) return rocks_error(status, path);
  ++commits;
  if (!listener->take_begun()) return {};
  // the first commit of a new log file: from now on its absence would be seen
  return write_commit_mark(*files, path, commits);
}

namespace {

Result<void> make_folder(fs::FileSystem& files, const std::string& path) {
  Result<void> made = fs::make_durable_dirs(files, path);
  if (made) return made;
  return Error(made.error().code(),
               odradek::format("cannot make the data directory {}: {}; check dataDir and the "
                               "rights of the user that runs the coordinator",
                               path, made.error().what()));
}

// Another process may be at work here: what is looked at must stand still.
Result<StoreState> check_alone(fs::FileSystem& files, const rocksdb::Options& options,
                               const std::string& path) {
  rocksdb::FileLock* lock = nullptr;
  rocksdb::Status status = options.env->LockFile(path + "/LOCK", &lock);
  if (!status.ok()) return rocks_error(status, path);
  Result<StoreState> state = check_store(files, options, path);
  options.env->UnlockFile(lock);
  return state;
}

}  // namespace

RocksStore::RocksStore(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}

RocksStore::~RocksStore() {
  // a clean stop: the next start may be strict about it; without it it is not
  if (impl_->epoch > 0) (void)write_commit_mark(*impl_->files, impl_->path, impl_->commits);
}

Result<std::unique_ptr<RocksStore>> RocksStore::open(const std::string& path,
                                                     RocksOptions wished) {
  auto impl = std::make_shared<Impl>();
  impl->path = path;
  impl->files = wished.files ? wished.files : &impl->real_files;
  if (Result<void> made = make_folder(*impl->files, path); !made) return made.error();
  rocksdb::Options options = database_options(wished);
  Result<StoreState> state = check_alone(*impl->files, options, path);
  if (!state) return state.error();
  impl->commits = state->commits;
  impl->listener = std::make_shared<LogFileListener>();
  options.listeners.push_back(impl->listener);
  options.create_if_missing = state->is_new;
  if (wished.reserve_bytes > 0) {
    impl->reserving = reserve_logs(options.env, wished.reserve_bytes);
    options.env = impl->reserving.get();
  }
  rocksdb::DB* db = nullptr;
  rocksdb::Status status = rocksdb::DB::Open(options, path, &db);
  if (!status.ok()) return open_error(*impl->files, options, path, status);
  impl->db.reset(db);
  impl->options = options;
  return std::unique_ptr<RocksStore>(new RocksStore(std::move(impl)));
}

SnapshotRef RocksStore::snapshot() {
  return std::make_shared<RocksSnapshot>(impl_, impl_->db.get(), impl_->path);
}

Result<Fence> RocksStore::lead() {
  std::string stored;
  rocksdb::Status status = impl_->db->Get(rocksdb::ReadOptions(), slice(fence_key()), &stored);
  if (!status.ok() && !status.IsNotFound()) return rocks_error(status, impl_->path);
  uint64_t epoch = status.ok() ? static_cast<uint64_t>(ByteReader(stored).i64()) : 0;
  ByteWriter value;
  value.i64(static_cast<int64_t>(epoch + 1));
  rocksdb::WriteBatch writes;
  writes.Put(slice(fence_key()), slice(value.buffer()));
  if (Result<void> written = impl_->write(writes); !written) return written.error();
  if (Result<void> marked = write_commit_mark(*impl_->files, impl_->path, impl_->commits);
      !marked) {
    return marked.error();
  }
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
  if (Result<void> written = impl_->write(writes); !written) return written.error();
  return snapshot();
}

}  // namespace odradek::coordinator::store
