#pragma once
// ZnodeCache: znodes in their applied state, by path, so that who writes to the same ones again and
// again, or below the same parents, does not read them from the store each time. Its memory is
// bounded; what was not asked for the longest time goes first, roughly: it keeps two generations,
// and when the younger one is full the older one goes. Tree thread.

#include <cstddef>
#include <string>
#include <string_view>
#include <unordered_map>

#include "coordinator/tree/types.h"

namespace odradek::coordinator::store {

class ZnodeCache {
 public:
  // 0 keeps nothing.
  explicit ZnodeCache(size_t max_bytes) : generation_bytes_(max_bytes / 2) {}

  // Null where it is not known; whether there is such a znode is not said.
  tree::ZnodeRef find(std::string_view path);
  // One that find did not know.
  void add(std::string_view path, tree::ZnodeRef node);
  // The state of a znode from now on, null where it is gone. One that nobody asked for stays unknown.
  void update(std::string_view path, const tree::ZnodeRef& node);

  // About what it holds.
  size_t bytes() const { return young_bytes_ + old_bytes_; }
  size_t size() const { return young_.size() + old_.size(); }

 private:
  using Nodes = std::unordered_map<std::string, tree::ZnodeRef, tree::PathHash, std::equal_to<>>;
  bool fits(size_t bytes) const { return bytes <= generation_bytes_ / 8; }
  void make_room(size_t bytes);

  const size_t generation_bytes_;
  Nodes young_;
  Nodes old_;
  size_t young_bytes_ = 0;
  size_t old_bytes_ = 0;
};

}  // namespace odradek::coordinator::store
