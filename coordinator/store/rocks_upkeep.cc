// What RocksStore offers those who look after it: copies and checks.
#include <rocksdb/utilities/checkpoint.h>

#include "common/format.h"
#include "coordinator/store/rocks_check.h"
#include "coordinator/store/rocks_detail.h"
#include "coordinator/store/rocks_error.h"

namespace odradek::coordinator::store {

Result<std::unique_ptr<RocksStore>> RocksStore::open_read_only(const std::string& path) {
  auto impl = std::make_shared<Impl>();
  impl->path = path;
  impl->files = &impl->real_files;
  impl->options = database_options(RocksOptions());
  impl->options.create_if_missing = false;
  rocksdb::DB* db = nullptr;
  rocksdb::Status status = rocksdb::DB::OpenForReadOnly(impl->options, path, &db);
  if (!status.ok()) return open_error(*impl->files, impl->options, path, status);
  impl->db.reset(db);
  return std::unique_ptr<RocksStore>(new RocksStore(std::move(impl)));
}

// Most of what is in memory is written out while commits go on. Then they wait for the copy: it would
// read the log's reserved zeros here and a commit's bytes behind them there.
Result<void> RocksStore::checkpoint(const std::string& folder) {
  rocksdb::Checkpoint* made = nullptr;
  rocksdb::Status status = rocksdb::Checkpoint::Create(impl_->db.get(), &made);
  std::unique_ptr<rocksdb::Checkpoint> checkpoint(made);
  if (status.ok()) status = impl_->db->Flush(rocksdb::FlushOptions());
  if (status.ok()) {
    std::lock_guard lock(impl_->writing);
    status = checkpoint->CreateCheckpoint(folder, 0);
    // a commit may have taken the notice of the new log file and stand in the one before
    if (impl_->listener) impl_->listener->note();
  }
  if (status.ok()) {
    // as a start would look at it; it cuts the zeros off, too
    Result<StoreState> whole = check_store(*impl_->files, impl_->options, folder);
    return whole ? Result<void>() : Result<void>(whole.error());
  }
  Errc code = status.IsNoSpace() ? Errc::disk_full : Errc::io_error;
  return Error(code, odradek::format("cannot copy the data directory {} to {}: {}", impl_->path,
                                     folder, status.ToString()));
}

Result<void> RocksStore::verify() {
  rocksdb::Status status = impl_->db->VerifyChecksum();
  if (status.ok()) return {};
  return open_error(*impl_->files, impl_->options, impl_->path, status);
}

}  // namespace odradek::coordinator::store
