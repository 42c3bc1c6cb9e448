#include "coordinator/exchange/import.h"

#include <algorithm>

#include "common/format.h"
#include "common/log/log.h"
#include "coordinator/exchange/import_tree.h"
#include "coordinator/exchange/log_reader.h"
#include "coordinator/exchange/quota_counts.h"
#include "coordinator/exchange/replay.h"
#include "coordinator/exchange/snapshot_loader.h"
#include "coordinator/tree/path.h"

namespace odradek::coordinator::exchange {

namespace {

class Import {
 public:
  Import(fs::FileSystem& files, const DataFiles& data, const ImportOptions& options)
      : files_(files), data_(data), options_(options), folder_(import_dir(options.store_dir)) {}

  Result<ImportReport> run();

 private:
  Result<ImportReport> from(const DataFile* snapshot);
  Result<void> load(const DataFile& snapshot, ImportTree& tree);
  void load_nothing(ImportTree& tree);
  Result<void> replay_logs(ImportTree& tree);
  Result<void> replay_log(const DataFile& log, ImportTree& tree);
  void end_orphans(ImportTree& tree);
  Result<void> check_covered() const;
  SessionId last_session(const ImportTree& tree) const;
  Result<void> move_into_place();

  fs::FileSystem& files_;
  const DataFiles& data_;
  const ImportOptions& options_;
  const std::string folder_;
  ImportReport report_;
  Zxid base_;                              // of the snapshot that was taken
  Zxid replayed_;                          // the greatest in the logs
  const DataFile* passed_over_ = nullptr;  // the newest snapshot that could not be read
};

bool is_damage(const Error& error) {
  return error.code() == Errc::malformed || error.code() == Errc::bad_compression;
}

Result<ImportReport> Import::run() {
  std::optional<Error> first;
  for (const DataFile& snapshot : data_.snapshots) {
    auto report = from(&snapshot);
    if (report || !is_damage(report.error())) return report;
    LOG_WARN("zookeeper", "A snapshot cannot be used: {}", report.error().what());
    if (!first) first = report.error();
    if (!passed_over_) passed_over_ = &snapshot;
  }
  if (first) {
    return Error(first->code(), odradek::format("no snapshot is whole: {}", first->what()));
  }
  if (options_.trust_empty) return from(nullptr);
  return Error(Errc::not_found,
               odradek::format("{} and later logs have no snapshot to begin with: bring back the "
                               "snapshots, or set snapshot.trust.empty=true where there never was "
                               "one",
                               data_.logs.front().path));
}

Result<ImportReport> Import::from(const DataFile* snapshot) {
  report_ = ImportReport();
  base_ = replayed_ = snapshot ? snapshot->zxid : Zxid();
  report_.seen = std::max(base_, std::max(data_.newest(), data_.epoch_begin));
  if (auto removed = files_.remove_all(folder_); !removed) return removed.error();
  auto store = store::BulkStore::create(folder_, options_.rocks);
  if (!store) return store.error();
  ImportTree tree(**store, options_.cache_bytes);
  if (snapshot) {
    report_.snapshot = snapshot->path;
    if (auto loaded = load(*snapshot, tree); !loaded) return loaded.error();
  } else {
    load_nothing(tree);
  }
  if (auto replayed = replay_logs(tree); !replayed) {
    if (!is_damage(replayed.error())) return replayed.error();
    // an older snapshot would need this log as well
    return Error(Errc::not_found, replayed.error().what());
  }
  report_.seen = std::max(report_.seen, tree.greatest_zxid());
  end_orphans(tree);
  count_quotas(tree);
  if (auto path = tree.without_acl()) {
    return Error(Errc::malformed, odradek::format("{}: the ACL of {} is missing", report_.snapshot,
                                                  *path));
  }
  auto totals = tree.finish(next_epoch(report_.seen), last_session(tree));
  if (!totals) return totals.error();
  report_.totals = *totals;
  report_.sessions = tree.sessions().size();
  auto noted = (*store)->put(store::imported_key(), store::encode_zxid(report_.seen));
  if (!noted) return noted.error();
  if (auto finished = (*store)->finish(); !finished) return finished.error();
  store->reset();
  if (auto moved = move_into_place(); !moved) return moved.error();
  return report_;
}

Result<void> Import::load(const DataFile& snapshot, ImportTree& tree) {
  bool compressed = snapshot.path.ends_with(".gz") || snapshot.path.ends_with(".snappy");
  if (!compressed) {
    auto complete = looks_complete(files_, snapshot.path);
    if (!complete) return complete.error();
    if (!*complete) {
      return Error(Errc::malformed, odradek::format("{} at offset {}: it ends before its end mark",
                                                    snapshot.path, snapshot.bytes));
    }
  }
  auto source = open_source(files_, snapshot.path);
  if (!source) return source.error();
  RecordStream in(*std::move(source), snapshot.path);
  SnapshotLoader loader(tree);
  if (auto read = read_snapshot(in, loader); !read) return read.error();
  if (auto finished = loader.finish(); !finished) {
    if (!is_damage(finished.error())) return finished.error();
    return Error(Errc::malformed,
                 odradek::format("{}: {}", snapshot.path, finished.error().what()));
  }
  return tree.status();
}

// What ZooKeeper begins with before it has written anything.
void Import::load_nothing(ImportTree& tree) {
  auto add = [&](const char* path, int32_t children) {
    tree::Znode node;
    node.data = Bytes();
    node.stat.num_children = children;
    tree.add(path, std::move(node));
  };
  add("/", 1);
  add("/zookeeper", 1);
  add("/zookeeper/quota", 0);
}

Result<void> Import::replay_logs(ImportTree& tree) {
  // all that begin behind the snapshot, and the one before, in which the first of them may stand
  auto first = std::find_if(data_.logs.begin(), data_.logs.end(),
                            [&](const DataFile& log) { return log.zxid > base_ + 1; });
  if (first != data_.logs.begin()) --first;
  for (; first != data_.logs.end(); ++first) {
    if (auto replayed = replay_log(*first, tree); !replayed) return replayed.error();
  }
  return check_covered();
}

Result<void> Import::replay_log(const DataFile& log, ImportTree& tree) {
  auto reader = LogReader::open(files_, log.path, &log == &data_.logs.back());
  if (!reader) return reader.error();
  for (;;) {
    auto txn = (*reader)->next();
    if (!txn) return txn.error();
    if (!*txn) break;
    if ((*txn)->zxid <= base_) continue;
    replay(**txn, tree);
    tree.settle();
    if (auto status = tree.status(); !status) return status.error();
    ++report_.transactions;
    report_.seen = std::max(report_.seen, (*txn)->zxid);
    replayed_ = std::max(replayed_, (*txn)->zxid);
  }
  if ((*reader)->torn()) {
    LOG_WARN("zookeeper",
             "{} ends in the middle of an entry at offset {}, as a server leaves it that died: the "
             "entry counts for nothing",
             log.path, (*reader)->offset());
  }
  return {};
}

// A newer snapshot could not be read: then the logs have to lead beyond it, or what it held is lost.
Result<void> Import::check_covered() const {
  if (!passed_over_ || replayed_ >= passed_over_->zxid) return {};
  return Error(Errc::not_found,
               odradek::format("{} is damaged, and the logs lead from {} to zxid 0x{:x} only: what "
                               "came later is in no other file; where that may be lost, remove the "
                               "damaged one",
                               passed_over_->path, report_.snapshot, replayed_.value()));
}

// ZooKeeper does so when it starts: a session that is not there can never end.
void Import::end_orphans(ImportTree& tree) {
  for (SessionId owner : tree.owners()) {
    if (tree.has_session(owner)) continue;
    for (const std::string& path : tree.ephemerals(owner)) {
      LOG_WARN("zookeeper", "{} is an ephemeral of session 0x{:x}, which is not there: it goes",
               path, static_cast<uint64_t>(owner.value()));
      delete_as_of(path, report_.seen, tree);
    }
    tree.settle();
  }
}

SessionId Import::last_session(const ImportTree& tree) const {
  SessionId last;
  for (const auto& [session, timeout_ms] : tree.sessions()) {
    if (static_cast<uint64_t>(session.value()) >> 56 == options_.server_id) {
      last = std::max(last, session);
    }
  }
  return last;
}

Result<void> Import::move_into_place() {
  if (auto renamed = files_.rename(folder_, options_.store_dir); !renamed) return renamed.error();
  return files_.sync_dir(fs::parent_of(options_.store_dir));
}

}  // namespace

Zxid next_epoch(Zxid zxid) {
  int64_t epoch = zxid.value() >> 32;
  return epoch < INT32_MAX ? Zxid((epoch + 1) << 32) : zxid + 1;
}

Result<ImportReport> import_data(fs::FileSystem& files, const DataFiles& data,
                                 const ImportOptions& options) {
  return Import(files, data, options).run();
}

}  // namespace odradek::coordinator::exchange
