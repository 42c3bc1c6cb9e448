#include "coordinator/server/open_store.h"

#include <algorithm>

#include "common/clock.h"
#include "common/format.h"
#include "common/fs/real_file_system.h"
#include "common/log/log.h"
#include "coordinator/exchange/import.h"
#include "coordinator/exchange/restore.h"
#include "coordinator/store/rocks_check.h"
#include "coordinator/store/store_tree.h"

namespace odradek::coordinator::server {

namespace {

std::vector<std::string> left_over(const std::string& store_dir) {
  return {exchange::import_dir(store_dir), exchange::incoming_dir(store_dir),
          exchange::checkpoint_dir(store_dir)};
}

Result<void> import_from(fs::FileSystem& files, const exchange::DataFiles& data,
                         const ServerSettings& settings, const store::RocksOptions& rocks) {
  exchange::ImportOptions options;
  options.rocks.files = rocks.files;
  options.rocks.env = rocks.env;
  options.store_dir = settings.store_dir();
  options.trust_empty = settings.trust_empty_snapshot;
  options.server_id = settings.server_id;
  Stopwatch stopwatch;
  if (auto removed = files.remove_all(options.store_dir); !removed) return removed.error();
  auto report = exchange::import_data(files, data, options);
  if (!report) {
    return Error(report.error().code(),
                 odradek::format("the data of Apache ZooKeeper in {}/version-2 cannot be imported: "
                                 "{}. (To begin with an empty tree, move version-2 away.)",
                                 settings.data_dir, report.error().what()));
  }
  LOG_INFO("zookeeper",
           "Imported {} znodes, {} sessions and {} ephemerals up to zxid 0x{:x} from {}/version-2 of "
           "Apache ZooKeeper in {} ms ({} and {} transactions behind it). The tree is in {} now and "
           "goes on at zxid 0x{:x}; version-2 stays as it is and is not read again",
           report->totals.nodes, report->sessions, report->totals.ephemerals, report->seen.value(),
           settings.data_dir, stopwatch.elapsed_us() / 1000,
           report->snapshot.empty() ? "no snapshot" : report->snapshot, report->transactions,
           settings.store_dir(), report->totals.last_zxid.value());
  return {};
}

// Of a store that was there already.
void compare_with(const exchange::DataFiles& data, const ServerSettings& settings,
                  const store::Snapshot& snapshot) {
  Zxid imported(-1);
  if (auto value = snapshot.get(store::imported_key())) {
    if (auto zxid = store::decode_zxid(*value)) imported = *zxid;
  }
  if (data.newest() <= imported) return;
  LOG_WARN("zookeeper",
           "{}/version-2 holds data of Apache ZooKeeper that is not in our tree: it is left as it "
           "is, and the tree is the one in {}. To import it in place of that tree, stop, move {} "
           "away and start again",
           settings.data_dir, settings.store_dir(), settings.store_dir());
}

Result<void> put_restore_in_place(fs::FileSystem& files, const ServerSettings& settings,
                                  const store::RocksOptions& options) {
  auto restored = exchange::finish_restore(files, settings.store_dir(), options);
  if (!restored) return restored.error();
  if (!*restored) return {};
  const exchange::RestoreReport& report = **restored;
  LOG_INFO("zookeeper",
           "Restored {} znodes from a backup; the tree goes on at zxid 0x{:x}, above the former "
           "tree's 0x{:x}{}{}",
           report.totals.nodes, report.totals.last_zxid.value(), report.former_zxid.value(),
           report.kept.empty() ? "" : "; the former store is kept until the next restore, in ",
           report.kept);
  if (!report.not_read.empty()) {
    LOG_WARN("zookeeper",
             "The former store could not be read, so its last zxid is not known ({}): the tree goes "
             "on an epoch above the backup's",
             report.not_read);
  }
  return {};
}

// What an operation leaves whose process died; none of it counts for anything.
Result<void> remove_left_over(fs::FileSystem& files, const std::string& store_dir) {
  for (const std::string& folder : left_over(store_dir)) {
    if (auto removed = files.remove_all(folder); !removed) return removed.error();
  }
  return {};
}

// Before the store is opened: a restore that waits is put in place, and where there is no store yet
// the data of a ZooKeeper is imported.
Result<void> make_ready(fs::FileSystem& files, const Result<exchange::DataFiles>& data,
                        const ServerSettings& settings, const store::RocksOptions& options) {
  std::vector<std::string> remains = left_over(settings.store_dir());
  bool waits = files.exists(exchange::restored_dir(settings.store_dir())) ||
               std::any_of(remains.begin(), remains.end(),
                           [&](const std::string& folder) { return files.exists(folder); });
  auto exists = store::store_exists(files, settings.store_dir());
  if (!exists && !waits) return exists.error();
  if (!waits && (*exists || (data && data->empty()))) return {};
  auto lock = exchange::lock_folders(files, settings.store_dir());
  if (!lock) return lock.error();
  if (auto removed = remove_left_over(files, settings.store_dir()); !removed) return removed;
  if (auto placed = put_restore_in_place(files, settings, options); !placed) return placed;
  exists = store::store_exists(files, settings.store_dir());
  if (!exists) return exists.error();
  if (*exists) return {};
  if (!data) return data.error();
  return data->empty() ? Result<void>() : import_from(files, *data, settings, options);
}

}  // namespace

Result<std::unique_ptr<store::RocksStore>> open_store(const ServerSettings& settings,
                                                      const store::RocksOptions& options) {
  fs::RealFileSystem real_files;
  fs::FileSystem& files = options.files ? *options.files : real_files;
  auto data = exchange::list_data_files(files, settings.data_dir, settings.data_log_dir);
  if (auto ready = make_ready(files, data, settings, options); !ready) return ready.error();
  auto opened = store::RocksStore::open(settings.store_dir(), options);
  if (!opened || !data || data->empty()) return opened;
  auto snapshot = (*opened)->snapshot();
  if (snapshot->get(store::totals_key())) {
    compare_with(*data, settings, *snapshot);
    return opened;
  }
  // a first start ended before there was a tree
  snapshot.reset();
  opened->reset();
  if (auto imported = import_from(files, *data, settings, options); !imported) return imported.error();
  return store::RocksStore::open(settings.store_dir(), options);
}

}  // namespace odradek::coordinator::server
