#include "coordinator/exchange/quota_counts.h"

#include "coordinator/tree/path.h"
#include "coordinator/tree/quota.h"

namespace odradek::coordinator::exchange {

namespace {

void count_one(const std::string& quota, ImportTree& tree) {
  std::string stats = tree::join_path(quota, tree::kQuotaStats);
  if (tree.find(stats) == nullptr) return;
  std::string limited = quota.substr(tree::kQuotaRoot.size());
  ImportTree::Extent extent = tree.extent_of(limited.empty() ? "/" : limited);
  tree.set_data(*tree.edit(stats), tree::QuotaNumbers(extent.nodes, extent.data_bytes).text());
}

}  // namespace

void count_quotas(ImportTree& tree) {
  std::vector<std::string> todo{std::string(tree::kQuotaRoot)};
  while (!todo.empty()) {
    std::string path = std::move(todo.back());
    todo.pop_back();
    const tree::Znode* node = tree.find(path);
    if (node == nullptr || node->stat.num_children == 0) continue;
    for (const std::string& name : tree.children(path)) {
      if (name == tree::kQuotaLimits) {
        count_one(path, tree);
      } else if (name != tree::kQuotaStats) {
        todo.push_back(tree::join_path(path, name));
      }
    }
    tree.settle();
  }
}

}  // namespace odradek::coordinator::exchange
