#include "coordinator/metadata/delta.h"

#include <gtest/gtest.h>

#include <random>

namespace odradek::coordinator::metadata {
namespace {

std::shared_ptr<const Topic> topic(std::string name, uint8_t id, int partitions, int epoch = 0) {
  auto made = std::make_shared<Topic>();
  made->name = std::move(name);
  made->id.bytes[0] = id;
  made->partitions.resize(static_cast<size_t>(partitions));
  for (Partition& partition : made->partitions) partition.leader_epoch = LeaderEpoch(epoch);
  return made;
}

TEST(Delta, OnlyWhatChanged) {
  ClusterImage before;
  before.zxid = Zxid(5);
  before.topics["a"] = topic("a", 1, 3);
  before.topics["b"] = topic("b", 2, 1);
  ClusterImage after = before;
  after.zxid = Zxid(9);
  auto changed = std::make_shared<Topic>(*before.topics["a"]);
  changed->partitions[1].leader = BrokerId(4);
  after.topics["a"] = changed;
  Delta delta = difference(before, after);
  ASSERT_EQ(delta.topics.size(), 1u);
  EXPECT_FALSE(delta.topics[0].whole);
  ASSERT_EQ(delta.topics[0].partitions.size(), 1u);
  EXPECT_EQ(delta.topics[0].partitions[0].first, PartitionId(1));
  EXPECT_FALSE(delta.topics[0].configs);
  EXPECT_TRUE(apply(before, delta).same_content(after));
  EXPECT_TRUE(difference(after, after).empty());
}

// A walk through random images: every delta leads from one to the next.
TEST(Delta, LeadsFromAnyImageToAny) {
  std::mt19937 random(1);
  auto below = [&](uint32_t n) { return static_cast<int>(random() % n); };
  ClusterImage image;
  image.zxid = Zxid(1);
  for (int round = 0; round < 500; ++round) {
    ClusterImage next = image;
    next.zxid = image.zxid + 1;
    std::string name = "t" + std::to_string(below(6));
    switch (below(7)) {
      case 0:
        next.topics[name] = topic(name, static_cast<uint8_t>(below(3)), below(5), below(3));
        break;
      case 1:
        next.topics.erase(name);
        break;
      case 2: {
        auto changed = std::make_shared<Topic>(*topic(name, 1, 2));
        changed->configs["k" + std::to_string(below(2))] = std::to_string(below(3));
        next.topics[name] = changed;
        break;
      }
      case 3:
        next.brokers[BrokerId(2)].id = BrokerId(2);
        next.brokers[BrokerId(2)].epoch = below(4);
        break;
      case 4:
        next.brokers.erase(BrokerId(2));
        next.controller = BrokerId(below(3));
        break;
      case 5:
        next.broker_configs[BrokerId(below(2))]["x"] = std::to_string(below(3));
        if (below(2)) next.broker_configs.erase(BrokerId(below(2)));
        next.default_broker_config["y"] = std::to_string(below(2));
        break;
      default:
        next.deleted_topics.push_back({name, Uuid(), Zxid(1), next.zxid});
        if (next.deleted_topics.size() > 3) next.deleted_topics.erase(next.deleted_topics.begin());
        if (below(5) == 0) next.deleted_topics.clear();
    }
    Delta delta = difference(image, next);
    ClusterImage reached = apply(image, delta);
    ASSERT_TRUE(reached.same_content(next)) << round;
    ASSERT_EQ(reached.zxid, next.zxid);
    image = std::move(next);
  }
}

TEST(History, KnowsWhereToGoOnOrSaysThatItDoesNot) {
  History history(3, 1 << 20);
  auto add = [&](int64_t before, int64_t zxid) {
    auto delta = std::make_shared<Delta>();
    delta->before_zxid = Zxid(before);
    delta->zxid = Zxid(zxid);
    history.add(delta);
  };
  EXPECT_TRUE(history.since(Zxid(1), Zxid(1))->empty());
  EXPECT_FALSE(history.since(Zxid(1), Zxid(5)));
  add(1, 5);
  add(5, 6);
  add(6, 20);
  EXPECT_EQ(history.since(Zxid(1), Zxid(20))->size(), 3u);
  EXPECT_EQ(history.since(Zxid(6), Zxid(20))->size(), 1u);
  EXPECT_TRUE(history.since(Zxid(20), Zxid(20))->empty());
  EXPECT_FALSE(history.since(Zxid(7), Zxid(20)));   // never an image
  EXPECT_FALSE(history.since(Zxid(30), Zxid(20)));  // from a tree that is not this one
  add(20, 21);
  EXPECT_FALSE(history.since(Zxid(1), Zxid(21)));  // forgotten
  EXPECT_EQ(history.size(), 3u);
}

}  // namespace
}  // namespace odradek::coordinator::metadata
