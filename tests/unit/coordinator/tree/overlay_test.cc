#include "coordinator/tree/overlay.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace odradek::coordinator::tree {
namespace {

Txn writes(int64_t zxid, const std::vector<std::string>& paths, bool there = true) {
  Txn txn;
  txn.commit.zxid = Zxid(zxid);
  for (const std::string& path : paths) {
    Txn::NodeWrite write;
    write.path = path;
    if (there) {
      auto node = std::make_shared<Znode>();
      node->data = std::to_string(zxid);
      write.after = node;
    }
    txn.nodes.push_back(std::move(write));
  }
  return txn;
}

std::vector<std::string> order(const Overlay& overlay) {
  std::vector<std::string> paths;
  for (const auto& [path, node] : overlay.ordered_nodes()) paths.emplace_back(path);
  return paths;
}

TEST(Overlay, ShowsTheLastStateUntilItsOwnTransactionIsApplied) {
  Overlay overlay;
  Txn first = writes(1, {"/a"});
  Txn second = writes(2, {"/a"});
  overlay.add(first);
  overlay.add(second);
  EXPECT_EQ(overlay.node("/a")->state->bytes(), "2");
  overlay.retire(first);
  ASSERT_NE(overlay.node("/a"), nullptr);
  EXPECT_EQ(overlay.node("/a")->state->bytes(), "2");
  overlay.retire(second);
  EXPECT_EQ(overlay.node("/a"), nullptr);
  EXPECT_TRUE(overlay.empty());
}

TEST(Overlay, ADeletionIsAStateToo) {
  Overlay overlay;
  Txn gone = writes(1, {"/a"}, false);
  overlay.add(gone);
  ASSERT_NE(overlay.node("/a"), nullptr);
  EXPECT_EQ(overlay.node("/a")->state, nullptr);
}

TEST(Overlay, TheOrderFollowsWhatComesAndGoesBehindTheFirstQuestion) {
  Overlay overlay;
  Txn first = writes(1, {"/b", "/c"});
  Txn second = writes(2, {"/a", "/c"});
  overlay.add(first);
  EXPECT_EQ(order(overlay), (std::vector<std::string>{"/b", "/c"}));
  overlay.add(second);
  EXPECT_EQ(order(overlay), (std::vector<std::string>{"/a", "/b", "/c"}));
  overlay.retire(first);
  EXPECT_EQ(order(overlay), (std::vector<std::string>{"/a", "/c"}));
  overlay.retire(second);
  EXPECT_TRUE(order(overlay).empty());
  Txn third = writes(3, {"/d"});
  overlay.add(third);
  EXPECT_EQ(order(overlay), (std::vector<std::string>{"/d"}));
}

}  // namespace
}  // namespace odradek::coordinator::tree
