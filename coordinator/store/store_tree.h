#pragma once
// StoreTree: the tree as a snapshot shows it, and the way back: a transaction as puts and deletes.
// Lives on the tree thread. Of the tree only two small caches stand in memory: ACLs, and znodes that
// were written of late. A value that does not decode is damage: the process ends.

#include <list>
#include <string>
#include <unordered_map>
#include <vector>

#include "coordinator/store/layout.h"
#include "coordinator/store/store.h"
#include "coordinator/store/znode_cache.h"
#include "coordinator/tree/tree_reader.h"
#include "coordinator/tree/txn.h"

namespace odradek::coordinator::store {

class StoreTree final : public tree::TreeState {
 public:
  explicit StoreTree(SnapshotRef snapshot, size_t cache_bytes = 0)
      : snapshot_(std::move(snapshot)), znodes_(cache_bytes) {}

  tree::ZnodeRef find(std::string_view path) const override;
  std::optional<tree::Znode> get(std::string_view path) const override;
  std::optional<tree::Stat> stat(std::string_view path) const override;
  std::optional<std::vector<std::string>> children(std::string_view path) const override;
  std::optional<tree::SessionRecord> session(SessionId session) const override;
  std::vector<std::string> ephemerals(SessionId session) const override;
  tree::SubtreeTotals subtree(std::string_view path) const override;
  // Of the znode, without its data; null where it does not exist.
  tree::AclRef acl(std::string_view path) const;

  // Paths of containers and TTL znodes.
  void for_each_swept(const std::function<void(std::string_view path)>& visit) const;
  // How many znodes stand below the path, at any depth.
  int64_t count_below(std::string_view path) const;

  // Of a store without a tree: nothing.
  std::optional<Totals> totals() const;
  void for_each_session(
      const std::function<void(SessionId, const tree::SessionRecord&)>& visit) const;
  const Snapshot& snapshot() const { return *snapshot_; }

  // From now on it shows this snapshot, in which these transactions are new, in their order.
  void move_to(SnapshotRef snapshot, const std::vector<const tree::Txn*>& applied);

  // Appends what the transactions write. Of several writes of one znode only the last is put;
  // totals are the caller's. `totals.last_acl` moves where an ACL is new.
  void encode(const std::vector<const tree::Txn*>& txns, Totals& totals, Batch& batch);

 private:
  void for_each_below(std::string_view path,
                      const std::function<void(std::string_view value)>& visit) const;
  uint32_t intern(const tree::AclRef& acl, Totals& totals, Batch& batch);
  tree::AclRef acl_by_number(uint32_t number) const;
  // Of a rooted path, past the cache.
  std::optional<tree::Znode> read(std::string_view path, bool with_data, bool with_acl) const;

  SnapshotRef snapshot_;
  // Both tables of ACLs are emptied when they reach a bound; the store has the truth.
  mutable std::unordered_map<uint32_t, tree::AclRef> acls_;
  mutable ZnodeCache znodes_;
  std::unordered_map<std::string, uint32_t> acl_numbers_;  // by encoded content
};

}  // namespace odradek::coordinator::store
