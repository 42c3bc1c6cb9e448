#include "coordinator/exchange/restore.h"

#include <algorithm>

#include "common/format.h"
#include "common/fs/durable_dirs.h"
#include "coordinator/exchange/import.h"
#include "coordinator/store/rocks_check.h"

namespace odradek::coordinator::exchange {

namespace {

Result<store::Totals> totals_of(store::RocksStore& store, const std::string& folder) {
  auto value = store.snapshot()->get(store::totals_key());
  if (!value) {
    return Error(Errc::store_damaged, odradek::format("there is no tree in {}", folder));
  }
  return store::decode_totals(*value);
}

Result<store::Totals> totals_at(const std::string& folder, const store::RocksOptions& options) {
  auto store = store::RocksStore::open(folder, options);
  return store ? totals_of(**store, folder) : Result<store::Totals>(store.error());
}

// The new store's totals go on behind those of the former one.
Result<store::Totals> raise(const std::string& folder, const store::Totals& former,
                            const store::RocksOptions& options) {
  auto opened = store::RocksStore::open(folder, options);
  if (!opened) return opened.error();
  auto totals = totals_of(**opened, folder);
  if (!totals) return totals.error();
  totals->last_zxid = next_epoch(std::max(totals->last_zxid, former.last_zxid));
  totals->last_session = std::max(totals->last_session, former.last_session);
  auto fence = (*opened)->lead();
  if (!fence) return fence.error();
  store::Batch batch;
  batch.put(std::string(store::totals_key()), store::encode_totals(*totals));
  batch.put(std::string(store::restored_key()), store::encode_zxid(totals->last_zxid));
  auto committed = (*opened)->commit(batch, *fence);
  if (!committed) return committed.error();
  return totals;
}

}  // namespace

Result<std::unique_ptr<fs::FileLock>> lock_folders(fs::FileSystem& files,
                                                   const std::string& store_dir) {
  if (auto made = fs::make_durable_dirs(files, fs::parent_of(store_dir)); !made) return made.error();
  auto lock = files.lock(store_dir + ".lock");
  if (lock || lock.error().code() != Errc::locked) return lock;
  return Error(Errc::locked,
               odradek::format("the data directory {} is in use by another process; stop the other "
                               "coordinator, or give this one a dataDir of its own",
                               store_dir));
}

bool is_broken(const Error& error) {
  return error.code() != Errc::locked && error.code() != Errc::permission_denied &&
         error.code() != Errc::disk_full;
}

// As a start opens it, so that nothing that it would refuse gets in the place of what is there.
Result<store::CheckReport> accept_restore(fs::FileSystem& files, const std::string& store_dir,
                                          const store::RocksOptions& options) {
  std::string folder = incoming_dir(store_dir);
  auto exists = store::store_exists(files, folder);
  if (!exists) return exists.error();
  if (!*exists) return Error(Errc::store_damaged, "what was backed up holds no store");
  auto store = store::RocksStore::open(folder, options);
  if (!store) return store.error();
  if (auto verified = (*store)->verify(); !verified) return verified.error();
  std::string first;
  auto report = store::check_contents(*(*store)->snapshot(), [&](const std::string& finding) {
    if (first.empty()) first = finding;
  });
  store->reset();
  if (report.findings > 0) {
    return Error(Errc::store_damaged,
                 odradek::format("what was backed up does not fit together ({} findings; the first: "
                                 "{})",
                                 report.findings, first));
  }
  std::string ready = restored_dir(store_dir);
  if (auto removed = files.remove_all(ready); !removed) return removed.error();
  if (auto renamed = files.rename(folder, ready); !renamed) return renamed.error();
  if (auto synced = files.sync_dir(fs::parent_of(store_dir)); !synced) return synced.error();
  return report;
}

Result<std::optional<RestoreReport>> finish_restore(fs::FileSystem& files,
                                                    const std::string& store_dir,
                                                    const store::RocksOptions& options) {
  std::string ready = restored_dir(store_dir);
  if (!files.exists(ready)) return std::optional<RestoreReport>();
  RestoreReport report;
  store::Totals former;
  bool replaces = files.exists(store_dir);
  auto exists = store::store_exists(files, store_dir);
  if (!exists || *exists) {
    auto totals = exists ? totals_at(store_dir, options) : Result<store::Totals>(exists.error());
    if (totals) {
      former = *totals;
    } else if (is_broken(totals.error())) {
      report.not_read = totals.error().what();
    } else {
      return totals.error();
    }
  }
  auto raised = raise(ready, former, options);
  if (!raised) return raised.error();
  report.totals = *raised;
  report.former_zxid = former.last_zxid;
  if (replaces) {
    report.kept = replaced_dir(store_dir);
    if (auto removed = files.remove_all(report.kept); !removed) return removed.error();
    if (auto renamed = files.rename(store_dir, report.kept); !renamed) return renamed.error();
    if (auto synced = files.sync_dir(fs::parent_of(store_dir)); !synced) return synced.error();
  }
  if (auto renamed = files.rename(ready, store_dir); !renamed) return renamed.error();
  if (auto synced = files.sync_dir(fs::parent_of(store_dir)); !synced) return synced.error();
  return std::optional<RestoreReport>(std::move(report));
}

}  // namespace odradek::coordinator::exchange
