#include "coordinator/store/znode_cache.h"

#include <utility>

namespace odradek::coordinator::store {

namespace {

// With the nodes of the table and what malloc adds; ACLs are shared by many.
size_t bytes_of(std::string_view path, const tree::Znode& node) {
  return 128 + sizeof(tree::Znode) + path.size() + node.bytes().size();
}

}  // namespace

tree::ZnodeRef ZnodeCache::find(std::string_view path) {
  if (auto at = young_.find(path); at != young_.end()) return at->second;
  auto at = old_.find(path);
  if (at == old_.end()) return nullptr;
  tree::ZnodeRef node = at->second;
  size_t bytes = bytes_of(path, *node);
  old_bytes_ -= bytes;
  Nodes::node_type entry = old_.extract(at);
  make_room(bytes);
  young_bytes_ += bytes;
  young_.insert(std::move(entry));
  return node;
}

void ZnodeCache::add(std::string_view path, tree::ZnodeRef node) {
  size_t bytes = bytes_of(path, *node);
  if (!fits(bytes)) return;
  make_room(bytes);
  young_bytes_ += bytes;
  young_.emplace(path, std::move(node));
}

void ZnodeCache::update(std::string_view path, const tree::ZnodeRef& node) {
  Nodes* nodes = &young_;
  size_t* total = &young_bytes_;
  auto at = young_.find(path);
  if (at == young_.end()) {
    nodes = &old_;
    total = &old_bytes_;
    at = old_.find(path);
    if (at == old_.end()) return;
  }
  *total -= bytes_of(path, *at->second);
  size_t bytes = node ? bytes_of(path, *node) : 0;
  if (!node || !fits(bytes)) {
    nodes->erase(at);
    return;
  }
  *total += bytes;
  at->second = node;
}

// A generation may grow beyond its bytes by updates; the next one that is asked for ends it.
void ZnodeCache::make_room(size_t bytes) {
  if (young_bytes_ + bytes <= generation_bytes_) return;
  old_ = std::exchange(young_, {});
  old_bytes_ = std::exchange(young_bytes_, 0);
}

}  // namespace odradek::coordinator::store
