#pragma once
// Store: durable bytes by key. Two implementations: RocksDB, and memory for tests and the
// simulator. A replicated engine has to fit behind it: so everything is written by batches, under a
// fence that a later leader can take away.

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/result.h"

namespace odradek::coordinator::store {

struct Batch {
  struct Entry {
    std::string key;
    std::optional<std::string> value;  // nothing: the key goes
  };
  std::vector<Entry> entries;  // in order; a later one of the same key wins

  void put(std::string key, std::string value) {
    entries.push_back({std::move(key), std::move(value)});
  }
  void remove(std::string key) { entries.push_back({std::move(key), std::nullopt}); }
};

// What was committed at one moment. It does not move. Any thread may read and drop it; the store
// must outlive it.
class Snapshot {
 public:
  // False ends the scan.
  using Visit = std::function<bool(std::string_view key, std::string_view value)>;

  virtual ~Snapshot() = default;
  virtual std::optional<std::string> get(std::string_view key) const = 0;
  // Keys that begin with the prefix, in byte order.
  virtual void scan(std::string_view prefix, const Visit& visit) const = 0;
};
using SnapshotRef = std::shared_ptr<const Snapshot>;

// Names one leadership; greater is later.
struct Fence {
  uint64_t epoch = 0;
};

class Store {
 public:
  virtual ~Store() = default;
  // Of the last commit.
  virtual SnapshotRef snapshot() = 0;
  // Takes the leadership; commits of earlier fences are refused from now on. Durable.
  virtual Result<Fence> lead() = 0;
  // Durable when it returns, all or nothing; then the snapshot with it. store_fenced where somebody
  // else leads. Any other error is final: what is on disk is unknown, the process must end and
  // never try again. From one thread at a time.
  virtual Result<SnapshotRef> commit(const Batch& batch, Fence fence) = 0;
};

}  // namespace odradek::coordinator::store
