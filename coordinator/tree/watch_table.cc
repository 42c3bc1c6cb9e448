#include "coordinator/tree/watch_table.h"

#include <algorithm>

#include "coordinator/tree/path.h"

namespace odradek::coordinator::tree {

namespace {

constexpr size_t kPathBytesOfAPlace = 256;

size_t places_of_path(std::string_view path) { return 1 + path.size() / kPathBytesOfAPlace; }

size_t counted(uint8_t kinds) {
  return ((kinds & kWatchAnyData) != 0 ? 1 : 0) + ((kinds & kWatchAnyChild) != 0 ? 1 : 0);
}

}  // namespace

size_t WatchTable::places_of(const Watcher* watcher) const {
  auto by = by_watcher_.find(watcher);
  return by == by_watcher_.end() ? 0 : by->second.places;
}

bool WatchTable::add(std::string_view path, uint8_t kind, Watcher* watcher) {
  auto at = paths_.find(path);
  size_t index = 0;
  if (at != paths_.end()) index = place_at(at->second, watcher);
  if (at == paths_.end() || index == at->second.watchers.size()) {
    size_t cost = places_of_path(path);
    if (places_ + cost > limits_.total || places_of(watcher) + cost > limits_.of_one_watcher) {
      return false;
    }
    if (at == paths_.end()) at = paths_.emplace(std::string(path), Entry()).first;
    at->second.watchers.emplace_back(watcher, uint8_t{0});
    OfWatcher& by = by_watcher_[watcher];
    by.paths.insert(at->first);
    by.places += cost;
    places_ += cost;
  }
  uint8_t& kinds = at->second.watchers[index].second;
  uint8_t fresh = kind & ~kinds;
  watch_count_ -= counted(kinds);
  kinds |= kind;
  watch_count_ += counted(kinds);
  if (fresh & kWatchRecursive) ++recursive_count_;
  return true;
}

// Where the watcher stands; the size of the list where it does not.
size_t WatchTable::place_at(const Entry& entry, Watcher* watcher) {
  auto found = std::find_if(entry.watchers.begin(), entry.watchers.end(),
                            [&](const auto& each) { return each.first == watcher; });
  return static_cast<size_t>(found - entry.watchers.begin());
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
  watch_count_ -= counted(kinds);
  kinds &= static_cast<uint8_t>(~mask);
  watch_count_ += counted(kinds);
  if (gone & kWatchRecursive) --recursive_count_;
  if (kinds) return;
  size_t cost = places_of_path(at->first);
  places_ -= cost;
  auto by = by_watcher_.find(watcher);
  by->second.places -= cost;
  by->second.paths.erase(at->first);
  if (by->second.paths.empty()) by_watcher_.erase(by);
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
  std::vector<std::string> paths(by->second.paths.begin(), by->second.paths.end());
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
  if (!told.empty() && on_fired_) on_fired_(type, told.size());
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
