#include "coordinator/tree/watch_table.h"

#include <algorithm>
#include <bit>

#include "coordinator/tree/path.h"

namespace odradek::coordinator::tree {

void WatchTable::add(std::string_view path, uint8_t kind, Watcher* watcher) {
  auto at = paths_.find(path);
  if (at == paths_.end()) at = paths_.emplace(std::string(path), Entry()).first;
  auto& watchers = at->second.watchers;
  auto found = std::find_if(watchers.begin(), watchers.end(),
                            [&](const auto& each) { return each.first == watcher; });
  if (found == watchers.end()) {
    watchers.emplace_back(watcher, uint8_t{0});
    found = std::prev(watchers.end());
    by_watcher_[watcher].insert(at->first);
  }
  uint8_t fresh = kind & ~found->second;
  found->second |= kind;
  watch_count_ += static_cast<size_t>(std::popcount(fresh));
  if (fresh & kWatchRecursive) ++recursive_count_;
}

uint8_t WatchTable::kinds(std::string_view path, Watcher* watcher) const {
  auto at = paths_.find(path);
  if (at == paths_.end()) return 0;
  for (const auto& [who, kinds] : at->second.watchers) {
    if (who == watcher) return kinds;
  }
  return 0;
}

// Takes kinds out of one watcher's place; the place, and the path, go when nothing is left.
void WatchTable::drop(Paths::iterator at, size_t index, uint8_t mask) {
  auto& watchers = at->second.watchers;
  auto& [watcher, kinds] = watchers[index];
  uint8_t gone = kinds & mask;
  kinds &= static_cast<uint8_t>(~mask);
  watch_count_ -= static_cast<size_t>(std::popcount(gone));
  if (gone & kWatchRecursive) --recursive_count_;
  if (kinds) return;
  auto by = by_watcher_.find(watcher);
  by->second.erase(at->first);
  if (by->second.empty()) by_watcher_.erase(by);
  watchers.erase(watchers.begin() + static_cast<ptrdiff_t>(index));
  if (watchers.empty()) paths_.erase(at);
}

bool WatchTable::remove(std::string_view path, uint8_t mask, Watcher* watcher) {
  auto at = paths_.find(path);
  if (at == paths_.end()) return false;
  auto& watchers = at->second.watchers;
  for (size_t i = 0; i < watchers.size(); ++i) {
    if (watchers[i].first != watcher) continue;
    if (!(watchers[i].second & mask)) return false;
    drop(at, i, mask);
    return true;
  }
  return false;
}

void WatchTable::remove_all(Watcher* watcher) {
  auto by = by_watcher_.find(watcher);
  if (by == by_watcher_.end()) return;
  std::vector<std::string> paths(by->second.begin(), by->second.end());
  for (const std::string& path : paths) remove(path, 0xff, watcher);
}

// Tells the watchers of one path that have a kind of `one_shot`, or one that stays and covers the
// event.
void WatchTable::notify(EventType type, const std::string& path, uint8_t one_shot,
                        const AclRef& acl, Zxid zxid) {
  std::vector<Watcher*> told;
  if (auto at = paths_.find(path); at != paths_.end()) {
    uint8_t staying = type == EventType::children_changed
                          ? kWatchPersistent
                          : uint8_t{kWatchPersistent | kWatchRecursive};
    std::vector<std::pair<Watcher*, uint8_t>> hit;
    for (const auto& [watcher, kinds] : at->second.watchers) {
      if (kinds & (one_shot | staying)) hit.emplace_back(watcher, kinds);
    }
    for (const auto& [watcher, kinds] : hit) {
      told.push_back(watcher);
      if (kinds & one_shot) remove(path, one_shot, watcher);
    }
  }
  if (recursive_count_ > 0 && type != EventType::children_changed) {
    for (std::string_view above = parent_of(path); !above.empty(); above = parent_of(above)) {
      auto at = paths_.find(above);
      if (at == paths_.end()) continue;
      for (const auto& [watcher, kinds] : at->second.watchers) {
        if ((kinds & kWatchRecursive) &&
            std::find(told.begin(), told.end(), watcher) == told.end()) {
          told.push_back(watcher);
        }
      }
    }
  }
  for (Watcher* watcher : told) {
    if (!acl || watcher->may_hear(*acl)) watcher->on_watch_event(type, path, zxid);
  }
}

void WatchTable::fire(const Change& change, Zxid zxid) {
  if (paths_.empty()) return;
  switch (change.kind) {
    case Change::Kind::created:
      notify(EventType::created, change.path, kWatchData, change.acl, zxid);
      notify(EventType::children_changed, std::string(parent_of(change.path)), kWatchChild,
             change.parent_acl, zxid);
      break;
    case Change::Kind::deleted:
      notify(EventType::deleted, change.path, kWatchData | kWatchChild, change.acl, zxid);
      notify(EventType::children_changed, std::string(parent_of(change.path)), kWatchChild,
             change.parent_acl, zxid);
      break;
    case Change::Kind::data_changed:
      notify(EventType::data_changed, change.path, kWatchData, change.acl, zxid);
      break;
    case Change::Kind::acl_changed:
      break;
  }
}

void WatchTable::for_each(
    const std::function<void(const std::string&, Watcher*, uint8_t)>& visit) const {
  for (const auto& [path, entry] : paths_) {
    for (const auto& [watcher, kinds] : entry.watchers) visit(path, watcher, kinds);
  }
}

}  // namespace odradek::coordinator::tree
