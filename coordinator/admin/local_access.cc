// The store of a coordinator that does not run.
#include "common/clock.h"
#include "common/format.h"
#include "coordinator/admin/access.h"
#include "coordinator/exchange/restore.h"
#include "coordinator/store/rocks_check.h"
#include "coordinator/store/rocks_store.h"

namespace odradek::coordinator::admin {

namespace {

class LocalAccess final : public Access {
 public:
  LocalAccess(fs::FileSystem& files, const std::string& data_dir)
      : files_(files), store_dir_(data_dir + "/odradek") {}

  Result<store::CheckReport> check(
      const std::function<void(const std::string&)>& found) override {
    auto store = open();
    Result<void> sound = store ? (*store)->verify() : Result<void>(store.error());
    if (sound) return store::check_contents(*(*store)->snapshot(), found);
    if (sound.error().code() != Errc::store_damaged) return sound.error();
    found(sound.error().what());
    store::CheckReport report;
    report.findings = 1;
    return report;
  }

  Result<exchange::SnapshotFacts> write_snapshot(const exchange::ByteSink& sink) override {
    auto store = open();
    if (!store) return store.error();
    return exchange::write_snapshot(*(*store)->snapshot(), sink);
  }

  Result<exchange::BackupFacts> copy_files(const exchange::PieceSink& sink) override {
    std::string folder = exchange::checkpoint_dir(store_dir_);
    if (auto removed = files_.remove_all(folder); !removed) return removed.error();
    auto store = open();
    if (!store) return store.error();
    if (auto made = (*store)->checkpoint(folder); !made) return made.error();
    auto facts = exchange::facts_of_store(folder, SystemClock().wall_ms());
    auto names = exchange::store_files(files_, folder);
    Result<void> sent = names ? exchange::send_files(files_, folder, *names, sink)
                              : Result<void>(names.error());
    if (auto removed = files_.remove_all(folder); !removed) return removed.error();
    if (!sent) return sent.error();
    return facts;
  }

  Result<Restored> restore(fs::FileSystem& files, const std::string& folder,
                           const exchange::BackupFacts& facts) override {
    auto lock = exchange::lock_folders(files_, store_dir_);
    if (!lock) return lock.error();
    if (auto free = check_free(); !free) return free.error();
    std::string incoming = exchange::incoming_dir(store_dir_);
    if (auto removed = files_.remove_all(incoming); !removed) return removed.error();
    exchange::FolderWriter writer(files_, incoming);
    if (auto begun = writer.begin(); !begun) return begun.error();
    std::vector<std::string> names;
    for (const exchange::BackupFile& file : facts.files) names.push_back(file.name);
    auto sent = exchange::send_files(files, folder, names, [&](exchange::FilePiece piece) {
      return writer.take(piece);
    });
    if (!sent) return sent.error();
    if (auto finished = writer.finish(); !finished) return finished.error();
    auto accepted = exchange::accept_restore(files_, store_dir_, store::RocksOptions());
    if (!accepted) return accepted.error();
    auto placed = exchange::finish_restore(files_, store_dir_, store::RocksOptions());
    if (!placed) {
      // it must not wait for the next start; but where the former store has gone it is all there is
      if (files_.exists(store_dir_)) (void)files_.remove_all(exchange::restored_dir(store_dir_));
      return placed.error();
    }
    const exchange::RestoreReport& report = **placed;
    Restored restored{report.totals.last_zxid, accepted->znodes, accepted->sessions, ""};
    if (!report.kept.empty()) {
      restored.note = odradek::format("The former store is kept until the next restore, in {}.",
                                      report.kept);
    }
    return restored;
  }

 private:
  Result<std::unique_ptr<store::RocksStore>> open() {
    auto exists = store::store_exists(files_, store_dir_);
    if (!exists) return exists.error();
    if (!*exists) {
      return Error(Errc::not_found,
                   odradek::format("there is no store in {}: name the dataDir of the coordinator",
                                   store_dir_));
    }
    return store::RocksStore::open(store_dir_, store::RocksOptions());
  }

  // A damaged store may be replaced, one that is in use not.
  Result<void> check_free() {
    auto exists = store::store_exists(files_, store_dir_);
    if (!exists && !exchange::is_broken(exists.error())) return exists.error();
    if (!exists || !*exists) return {};
    auto store = store::RocksStore::open(store_dir_, store::RocksOptions());
    if (store || exchange::is_broken(store.error())) return {};
    return store.error();
  }

  fs::FileSystem& files_;
  const std::string store_dir_;
};

}  // namespace

std::unique_ptr<Access> local_access(fs::FileSystem& files, const std::string& data_dir) {
  return std::make_unique<LocalAccess>(files, data_dir);
}

}  // namespace odradek::coordinator::admin
