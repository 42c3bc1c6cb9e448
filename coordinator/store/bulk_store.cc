#include "coordinator/store/bulk_store.h"

#include <rocksdb/write_batch.h>

#include "common/fs/durable_dirs.h"
#include "coordinator/store/commit_mark.h"
#include "coordinator/store/layout.h"
#include "coordinator/store/rocks_check.h"
#include "coordinator/store/rocks_detail.h"
#include "coordinator/store/rocks_error.h"

namespace odradek::coordinator::store {

namespace {

constexpr size_t kBatchBytes = 256 << 10;

rocksdb::WriteOptions without_log() {
  rocksdb::WriteOptions options;
  options.disableWAL = true;
  return options;
}

}  // namespace

struct BulkStore::Impl {
  std::string path;
  fs::RealFileSystem real_files;
  fs::FileSystem* files = nullptr;
  std::unique_ptr<rocksdb::DB> db;
  rocksdb::WriteBatch waiting;
};

BulkStore::BulkStore(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
BulkStore::~BulkStore() = default;

Result<std::unique_ptr<BulkStore>> BulkStore::create(const std::string& path,
                                                     RocksOptions options) {
  auto impl = std::make_unique<Impl>();
  impl->path = path;
  impl->files = options.files ? options.files : &impl->real_files;
  if (auto made = fs::make_durable_dirs(*impl->files, path); !made) return made.error();
  rocksdb::Options database = database_options(options);
  database.create_if_missing = true;
  database.error_if_exists = true;
  rocksdb::DB* db = nullptr;
  rocksdb::Status status = rocksdb::DB::Open(database, path, &db);
  if (!status.ok()) return rocks_error(status, path);
  impl->db.reset(db);
  return std::unique_ptr<BulkStore>(new BulkStore(std::move(impl)));
}

Result<void> BulkStore::write_waiting() {
  if (impl_->waiting.Count() == 0) return {};
  rocksdb::Status status = impl_->db->Write(without_log(), &impl_->waiting);
  impl_->waiting.Clear();
  if (!status.ok()) return rocks_error(status, impl_->path);
  return {};
}

Result<void> BulkStore::put(std::string_view key, std::string_view value) {
  impl_->waiting.Put(slice(key), slice(value));
  if (impl_->waiting.GetDataSize() >= kBatchBytes) return write_waiting();
  return {};
}

Result<void> BulkStore::remove(std::string_view key) {
  impl_->waiting.Delete(slice(key));
  if (impl_->waiting.GetDataSize() >= kBatchBytes) return write_waiting();
  return {};
}

Result<std::optional<std::string>> BulkStore::get(std::string_view key) {
  using Found = std::optional<std::string>;
  if (auto written = write_waiting(); !written) return written.error();
  std::string value;
  rocksdb::Status status = impl_->db->Get(rocksdb::ReadOptions(), slice(key), &value);
  if (status.IsNotFound()) return Found();
  if (!status.ok()) return rocks_error(status, impl_->path);
  return Found(std::move(value));
}

Result<void> BulkStore::scan(std::string_view prefix, const Visit& visit) {
  if (auto written = write_waiting(); !written) return written.error();
  rocksdb::ReadOptions options;
  std::string end = end_of_prefix(prefix);
  rocksdb::Slice upper = slice(end);
  if (!end.empty()) options.iterate_upper_bound = &upper;
  std::unique_ptr<rocksdb::Iterator> at(impl_->db->NewIterator(options));
  for (at->Seek(slice(prefix)); at->Valid(); at->Next()) {
    if (!visit(view(at->key()), view(at->value()))) break;
  }
  if (!at->status().ok()) return rocks_error(at->status(), impl_->path);
  return {};
}

// All of it counts as the first commit: a store that later loses a table that says so is refused.
Result<void> BulkStore::finish() {
  constexpr uint64_t kFirstCommit = 1;
  if (auto put_number = put(chain_key(), encode_commit_number(kFirstCommit)); !put_number) {
    return put_number;
  }
  if (auto written = write_waiting(); !written) return written.error();
  rocksdb::FlushOptions options;
  options.wait = true;
  rocksdb::Status status = impl_->db->Flush(options);
  if (status.ok()) status = impl_->db->Close();
  if (!status.ok()) return rocks_error(status, impl_->path);
  return write_commit_mark(*impl_->files, impl_->path, kFirstCommit);
}

}  // namespace odradek::coordinator::store
