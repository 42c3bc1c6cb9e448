#pragma once
// WatchTable: who waits for what. It owns no watcher; a watcher takes itself out (remove_all)
// before it dies. Lives on the tree thread with the pipeline; gone with the connection and after a
// restart, clients set their watches again.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "common/ids.h"
#include "coordinator/tree/commit.h"

namespace odradek::coordinator::tree {

enum class EventType : int32_t { created = 1, deleted = 2, data_changed = 3, children_changed = 4 };

// Kinds of watch, as bits. data stands for getData and exists, also of a missing znode.
inline constexpr uint8_t kWatchData = 1;
inline constexpr uint8_t kWatchChild = 2;
inline constexpr uint8_t kWatchPersistent = 4;  // addWatch mode 0, ZooKeeper 3.6
inline constexpr uint8_t kWatchRecursive = 8;   // addWatch mode 1
// What ZooKeeper keeps in its table of data watches; wchs, wchc and wchp show this one alone.
inline constexpr uint8_t kWatchAnyData = kWatchData | kWatchPersistent | kWatchRecursive;
inline constexpr uint8_t kWatchAnyChild = kWatchChild | kWatchPersistent | kWatchRecursive;

class Watcher {
 public:
  virtual ~Watcher() = default;
  // Whether events of a znode with this ACL are for it.
  virtual bool may_hear(const Acl& acl) const { return true; }
  // Must not change the table.
  virtual void on_watch_event(EventType type, const std::string& path, Zxid zxid) = 0;
};

// How much there may be. A place (one watcher at one path, whatever the kinds) counts as one, and
// as one more for each 256 bytes of its path, so that a bound is a bound of memory too.
struct WatchLimits {
  size_t total = SIZE_MAX;
  size_t of_one_watcher = SIZE_MAX;
};

class WatchTable {
 public:
  void set_limits(WatchLimits limits) { limits_ = limits; }
  const WatchLimits& limits() const { return limits_; }
  // Called with the number of watchers whom an event of this type at one path concerns, before they
  // are told; not where there is none.
  void on_fired(std::function<void(EventType, size_t)> fn) { on_fired_ = std::move(fn); }

  // False where a limit is reached: nothing is added. A kind more at a place that is there costs
  // nothing.
  [[nodiscard]] bool add(std::string_view path, uint8_t kind, Watcher* watcher);
  // The kinds of `mask` that the watcher has on the path.
  uint8_t kinds(std::string_view path, Watcher* watcher) const;
  // Takes out the kinds of `mask`; false where it had none of them.
  bool remove(std::string_view path, uint8_t mask, Watcher* watcher);
  void remove_all(Watcher* watcher);

  // Tells everybody whom the change concerns, in ZooKeeper's order: those of the znode, then those
  // of its parent's children. One-shot watches go; a watcher hears of one znode's deletion once. A
  // watcher that may not read the znode loses its one-shot watch and hears nothing (ZooKeeper
  // 3.8.4).
  void fire(const Change& change, Zxid zxid);

  // As ZooKeeper counts: a data watch and a child watch are one each, one that stays is both.
  size_t watch_count() const { return watch_count_; }
  size_t path_count() const { return paths_.size(); }
  size_t watcher_count() const { return by_watcher_.size(); }
  // What the limits are compared with.
  size_t places() const { return places_; }
  size_t places_of(const Watcher* watcher) const;
  void for_each(
      const std::function<void(const std::string& path, Watcher*, uint8_t kinds)>& visit) const;

 private:
  struct PathHash {
    using is_transparent = void;
    size_t operator()(std::string_view path) const { return std::hash<std::string_view>()(path); }
  };
  struct Entry {
    std::vector<std::pair<Watcher*, uint8_t>> watchers;
  };
  struct OfWatcher {
    std::unordered_set<std::string_view> paths;  // keys of paths_
    size_t places = 0;
  };
  using Paths = std::unordered_map<std::string, Entry, PathHash, std::equal_to<>>;

  void notify(EventType type, const std::string& path, uint8_t one_shot, const AclRef& acl,
              Zxid zxid);
  void drop(Paths::iterator at, size_t index, uint8_t mask);
  static size_t place_at(const Entry& entry, Watcher* watcher);

  Paths paths_;
  std::unordered_map<const Watcher*, OfWatcher> by_watcher_;
  WatchLimits limits_;
  std::function<void(EventType, size_t)> on_fired_;
  size_t watch_count_ = 0;
  size_t places_ = 0;
  size_t recursive_count_ = 0;  // without any, no ancestor is looked up
};

}  // namespace odradek::coordinator::tree
