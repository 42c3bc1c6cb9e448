#pragma once
// MemoryStore: for tests and the simulator. It tells apart what was synced and what was not, so
// that a crash can lose the latter. One thread; a snapshot must not outlive the store.

#include <map>
#include <set>
#include <string>

#include "coordinator/store/store.h"

namespace odradek::coordinator::store {

class MemoryStore final : public Store {
 public:
  SnapshotRef snapshot() override;
  Result<Fence> lead() override;
  Result<SnapshotRef> commit(const Batch& batch, Fence fence) override;

  // A commit answers before its sync: the fault that a test puts in. What it wrote is lost by
  // crash().
  void skip_syncs(bool skip) { skip_syncs_ = skip; }
  // From now on commits fail with this error, nothing written (nothing: they work again).
  void fail_commits(std::optional<Error> error) { failure_ = std::move(error); }
  // The machine goes down: back to what was synced. Snapshots taken before must be gone.
  void crash();
  size_t commits() const { return commits_; }

 private:
  class MemorySnapshot;
  // By key, the values it had, by the number of the commit; nothing: deleted. Versions that no
  // snapshot can see are dropped when the key is written again.
  using Versions = std::map<uint64_t, std::optional<std::string>>;

  std::map<std::string, Versions, std::less<>> values_;
  uint64_t version_ = 0;
  uint64_t synced_ = 0;
  std::multiset<uint64_t> live_;  // versions that snapshots look at
  uint64_t epoch_ = 0;
  bool skip_syncs_ = false;
  std::optional<Error> failure_;
  size_t commits_ = 0;
};

}  // namespace odradek::coordinator::store
