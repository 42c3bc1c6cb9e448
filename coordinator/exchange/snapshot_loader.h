#pragma once
// SnapshotLoader: a snapshot into an ImportTree, one znode after another. The number of a znode's
// children is known when its last one came by: a server writes a parent in front of all that is below
// it, so only the way from the root to the present znode waits in memory. Other orders, of which
// parents in front of children is all that is asked, are counted afterwards.

#include <string>
#include <unordered_map>
#include <vector>

#include "coordinator/exchange/import_tree.h"
#include "coordinator/exchange/snapshot_reader.h"

namespace odradek::coordinator::exchange {

class SnapshotLoader final : public SnapshotVisitor {
 public:
  explicit SnapshotLoader(ImportTree& tree) : tree_(tree) {}

  Result<void> on_session(const zookeeper::SnapshotSession& session) override;
  Result<void> on_acl(zookeeper::SnapshotAcl acl) override;
  Result<void> on_node(zookeeper::SnapshotNode node) override;
  // Writes what waits; malformed for a tree without a root or with a znode without a parent.
  Result<void> finish();

 private:
  struct Waiting {
    std::string path;
    tree::Znode node;
    uint32_t acl_number;
  };

  uint32_t acl_number_of(int64_t number) const;
  void write_last();
  Result<void> write_counts();

  ImportTree& tree_;
  std::unordered_map<int64_t, uint32_t> acl_numbers_;  // the snapshot's → ours
  std::vector<Waiting> way_;                           // from the root down
  std::unordered_map<std::string, int32_t> late_children_;  // of znodes that are written already
  bool has_root_ = false;
};

}  // namespace odradek::coordinator::exchange
