#pragma once
// WatchModel: which events one connection has to get, by ZooKeeper's rules for watches: told what
// it registered and what the tree's steps changed, it says which events follow, in order.

#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "proto/zookeeper/records.h"
#include "tests/sim/tree/history.h"

namespace odradek::sim {

struct WatchEvent {
  zookeeper::EventType type;
  std::string path;
  int64_t zxid = 0;  // of the change; -1 where it is told as missed
  bool operator==(const WatchEvent&) const = default;
  std::string text() const;
};

enum class WatchKind { data, child, persistent, recursive };

class WatchModel {
 public:
  bool empty() const {
    return data_.empty() && child_.empty() && persistent_.empty() && recursive_.empty();
  }
  void clear() { *this = WatchModel(); }
  void add(WatchKind kind, const std::string& path) { paths_of(kind).insert(path); }
  bool has(WatchKind kind, const std::string& path) const {
    return const_cast<WatchModel*>(this)->paths_of(kind).contains(path);
  }
  bool remove(WatchKind kind, const std::string& path) { return paths_of(kind).erase(path) > 0; }
  // The events of a step, in the order of its changes; one-shot watches that fire are gone then.
  void fire(const History::Step& step, std::vector<WatchEvent>& events);
  // What a setWatches registers, and which events it has to tell first, against the tree at `zxid`.
  void set(const zookeeper::SetWatches2& watches, const History& history, int64_t zxid,
           std::vector<WatchEvent>& events);

 private:
  std::set<std::string>& paths_of(WatchKind kind);
  bool covered_by_recursive(const std::string& path) const;

  std::set<std::string> data_;  // of getData and exists, also of a missing znode
  std::set<std::string> child_;
  std::set<std::string> persistent_;
  std::set<std::string> recursive_;
};

}  // namespace odradek::sim
