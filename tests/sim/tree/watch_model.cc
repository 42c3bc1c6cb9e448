#include "tests/sim/tree/watch_model.h"

#include "common/format.h"

namespace odradek::sim {

using zookeeper::EventType;

std::string WatchEvent::text() const {
  const char* what = type == EventType::kNodeCreated       ? "created"
                     : type == EventType::kNodeDeleted     ? "deleted"
                     : type == EventType::kNodeDataChanged ? "data changed"
                                                           : "children changed";
  return odradek::format("{} {} of {}", path, what, zxid);
}

std::set<std::string>& WatchModel::paths_of(WatchKind kind) {
  switch (kind) {
    case WatchKind::data:
      return data_;
    case WatchKind::child:
      return child_;
    case WatchKind::persistent:
      return persistent_;
    case WatchKind::recursive:
      return recursive_;
  }
  return data_;
}

bool WatchModel::covered_by_recursive(const std::string& path) const {
  for (std::string above = path;; above = model_parent(above)) {
    if (recursive_.contains(above)) return true;
    if (above == "/") return false;
  }
}

// A znode's own change is told once, however many watches see it; the change of its parent's
// children is another event, which recursive watches do not hear.
void WatchModel::fire(const History::Step& step, std::vector<WatchEvent>& events) {
  for (const History::Change& change : step.changes) {
    const std::string& path = change.path;
    bool told = data_.erase(path) > 0;
    if (change.type == EventType::kNodeDeleted) told |= child_.erase(path) > 0;
    told |= persistent_.contains(path) || covered_by_recursive(path);
    if (told && change.heard) events.push_back({change.type, path, step.zxid});
    if (change.type == EventType::kNodeDataChanged) continue;
    std::string parent = model_parent(path);
    bool parent_told = child_.erase(parent) > 0;
    parent_told |= persistent_.contains(parent);
    if (parent_told && change.parent_heard) {
      events.push_back({EventType::kNodeChildrenChanged, parent, step.zxid});
    }
  }
}

void WatchModel::set(const zookeeper::SetWatches2& watches, const History& history, int64_t zxid,
                     std::vector<WatchEvent>& events) {
  auto missed = [&](EventType type, const std::string& path) {
    events.push_back({type, path, -1});
  };
  int64_t seen = watches.relative_zxid;
  for (const std::string& path : watches.data_watches) {
    const ModelNode* node = history.node(path, zxid);
    if (!node) {
      missed(EventType::kNodeDeleted, path);
    } else if (node->stat.mzxid > seen) {
      missed(EventType::kNodeDataChanged, path);
    } else {
      data_.insert(path);
    }
  }
  for (const std::string& path : watches.exist_watches) {
    if (history.node(path, zxid)) {
      missed(EventType::kNodeCreated, path);
    } else {
      data_.insert(path);
    }
  }
  for (const std::string& path : watches.child_watches) {
    const ModelNode* node = history.node(path, zxid);
    if (!node) {
      missed(EventType::kNodeDeleted, path);
    } else if (node->stat.pzxid > seen) {
      missed(EventType::kNodeChildrenChanged, path);
    } else {
      child_.insert(path);
    }
  }
  for (const std::string& path : watches.persistent_watches) persistent_.insert(path);
  for (const std::string& path : watches.persistent_recursive_watches) recursive_.insert(path);
}

}  // namespace odradek::sim
