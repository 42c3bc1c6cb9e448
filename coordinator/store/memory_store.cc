#include "coordinator/store/memory_store.h"

#include <algorithm>

namespace odradek::coordinator::store {

class MemoryStore::MemorySnapshot final : public Snapshot {
 public:
  MemorySnapshot(MemoryStore& store, uint64_t version) : store_(store), version_(version) {
    store_.live_.insert(version_);
  }
  ~MemorySnapshot() override { store_.live_.erase(store_.live_.find(version_)); }

  std::optional<std::string> get(std::string_view key) const override {
    auto at = store_.values_.find(key);
    const std::string* value = at == store_.values_.end() ? nullptr : seen(at->second);
    return value ? std::optional<std::string>(*value) : std::nullopt;
  }
  void scan(std::string_view prefix, const Visit& visit) const override {
    for (auto at = store_.values_.lower_bound(prefix);
         at != store_.values_.end() && at->first.starts_with(prefix); ++at) {
      const std::string* value = seen(at->second);
      if (value && !visit(at->first, *value)) return;
    }
  }

 private:
  const std::string* seen(const Versions& versions) const {
    auto at = versions.upper_bound(version_);
    if (at == versions.begin()) return nullptr;
    --at;
    return at->second ? &*at->second : nullptr;
  }

  MemoryStore& store_;
  const uint64_t version_;
};

SnapshotRef MemoryStore::snapshot() { return std::make_shared<MemorySnapshot>(*this, version_); }

Result<Fence> MemoryStore::lead() { return Fence{++epoch_}; }

Result<SnapshotRef> MemoryStore::commit(const Batch& batch, Fence fence) {
  if (failure_) return *failure_;
  if (fence.epoch != epoch_) return Error(Errc::store_fenced, "somebody else leads");
  // what a snapshot, a crash or the present may still look at
  uint64_t oldest = std::min(synced_, live_.empty() ? version_ : *live_.begin());
  ++version_;
  for (const Batch::Entry& entry : batch.entries) {
    Versions& versions = values_[entry.key];
    auto first_needed = versions.upper_bound(oldest);
    if (first_needed != versions.begin()) versions.erase(versions.begin(), std::prev(first_needed));
    versions[version_] = entry.value;
  }
  if (!skip_syncs_) synced_ = version_;
  ++commits_;
  return snapshot();
}

void MemoryStore::crash() {
  for (auto at = values_.begin(); at != values_.end();) {
    Versions& versions = at->second;
    versions.erase(versions.upper_bound(synced_), versions.end());
    at = versions.empty() ? values_.erase(at) : std::next(at);
  }
  version_ = synced_;
}

}  // namespace odradek::coordinator::store
