// Brokers, people with shells and crashes in random order; then everything comes to rest, and what
// must hold is checked. A seed gives the same walk each time.
#include <map>
#include <random>
#include <set>

#include "tests/unit/coordinator/controller/bench.h"

namespace odradek::coordinator::controller {
namespace {

class Walk {
 public:
  explicit Walk(uint32_t seed) : random_(seed), bench_(Settings(), seed) {}

  void run(int steps) {
    for (int i = 0; i < steps; ++i) {
      act();
      // Sometimes the disk is slow and things overlap.
      for (int n = below(4); n > 0; --n) bench_.step();
      if (below(25) == 0) crash();
      note_epochs();
      if (testing::Test::HasFatalFailure()) return;
    }
    finish();
  }

 private:
  uint32_t below(uint32_t bound) { return static_cast<uint32_t>(random_() % bound); }
  std::string any_topic() { return std::string(1, static_cast<char>('a' + below(4))); }
  // Brokers that think they are registered.
  Registration* any_broker() {
    if (brokers_.empty()) return nullptr;
    auto it = brokers_.begin();
    std::advance(it, below(static_cast<uint32_t>(brokers_.size())));
    return &it->second;
  }

  void act() {
    switch (below(14)) {
      case 0:
      case 1: {
        int32_t id = static_cast<int32_t>(below(3));
        auto registered = bench_.try_register(Bench::request(id));
        if (registered) brokers_[id] = *registered;
        break;
      }
      case 2:
        if (Registration* broker = any_broker()) {
          bench_.pipeline->close_session(broker->session.session, [](pipeline::WriteReply) {});
          brokers_.erase(broker->broker_id.value());
        }
        break;
      case 3:
      case 4:
        if (Registration* broker = any_broker()) {
          auto reply = bench_.create_topics(
              *broker, {Bench::topic(any_topic(), 1 + static_cast<int32_t>(below(4)))});
          if (!reply.error && !reply.items.empty() && !reply.items[0].error)
            made_.insert(reply.items[0].id);
        }
        break;
      case 5:
        if (Registration* broker = any_broker()) bench_.delete_topic(*broker, any_topic());
        break;
      case 6:  // by hand, as a tool of 2.5
        bench_.create(
            "/brokers/topics/" + any_topic(),
            R"({"version":2,"partitions":{"0":[0],"1":[)" + std::to_string(below(3)) + "]}}");
        break;
      case 7:
        bench_.create("/admin/delete_topics/" + any_topic());
        break;
      case 8: {  // deleteall, other things may happen in between
        if (deleting_.empty()) deleting_ = bench_.bottom_up("/brokers/topics/" + any_topic());
        break;
      }
      case 9:
        bench_.set("/brokers/topics/" + any_topic(),
                   R"({"version":2,"partitions":{"0":[0],"1":[1],"2":[2]}})");
        break;
      case 10:
        bench_.remove("/brokers/topics/" + any_topic() + "/partitions/0/state");
        break;
      case 11:
        bench_.wait(below(7'000));
        break;
      case 12:
        if (below(3) == 0) bench_.remove("/controller");
        if (below(3) == 0) bench_.remove("/brokers/ids/" + std::to_string(below(3)));
        break;
      default:
        bench_.set("/config/topics/" + any_topic(),
                   R"({"version":1,"config":{"retention.ms":"5"}})");
    }
    for (int n = below(3); n > 0 && !deleting_.empty(); --n) {
      bench_.remove(deleting_.front());
      deleting_.erase(deleting_.begin());
    }
  }

  void crash() {
    bench_.crash();
    deleting_.clear();
  }

  // A topic's leader epochs never go back, whoever wrote or deleted what.
  void note_epochs() {
    for (const auto& [chroot, cluster] : bench_.runner->controller().clusters()) {
      for (const auto& [name, topic] : cluster->image()->topics) {
        for (size_t i = 0; i < topic->partitions.size(); ++i) {
          const metadata::Partition& partition = topic->partitions[i];
          auto& known = epochs_.try_emplace({topic->id, i}, -1, -1).first->second;
          ASSERT_GE(partition.leader_epoch.value(), known.first) << name << i;
          bool new_leader = partition.leader_epoch.value() == known.first && known.second != -1 &&
                            partition.leader.value() != -1 &&
                            partition.leader.value() != known.second;
          ASSERT_FALSE(new_leader) << name << i << ": two leaders in epoch " << known.first;
          if (partition.leader_epoch.value() > known.first) known.second = -1;
          known.first = partition.leader_epoch.value();
          if (partition.leader.value() != -1) known.second = partition.leader.value();
        }
      }
    }
  }

  void finish() {
    for (int32_t id = 0; id < 3; ++id) {
      auto registered = bench_.try_register(Bench::request(id));
      ASSERT_TRUE(registered) << registered.error().what();
    }
    bench_.settle();
    bench_.wait(20'000);
    bench_.wait(20'000);
    bench_.check_image();
    note_epochs();
    auto image = bench_.image();
    EXPECT_EQ(image->brokers.size(), 3u);
    EXPECT_NE(image->controller, BrokerId(-1));
    std::set<Uuid> ids, deleted;
    for (const auto& record : image->deleted_topics) EXPECT_TRUE(deleted.insert(record.id).second);
    for (const std::string& name : bench_.children("/brokers/topics")) {
      ASSERT_TRUE(image->topics.contains(name)) << name;
      const metadata::Topic& topic = *image->topics.at(name);
      EXPECT_TRUE(ids.insert(topic.id).second) << name;
      EXPECT_FALSE(deleted.contains(topic.id)) << name;
      for (size_t i = 0; i < topic.partitions.size(); ++i) {
        EXPECT_EQ(topic.partitions[i].leader, topic.partitions[i].replicas.front()) << name << i;
      }
      EXPECT_NE(bench_.data("/brokers/topics/" + name).find(topic.id.to_string()),
                std::string::npos);
    }
    EXPECT_EQ(ids.size(), image->topics.size());
    // A topic that was acknowledged is there, or its deletion is recorded.
    for (const Uuid& id : made_)
      EXPECT_TRUE(ids.contains(id) || deleted.contains(id)) << id.to_string();
    EXPECT_TRUE(bench_.children("/admin/delete_topics").empty());
    // Nothing of ours is left behind: the brokers' sessions, the controller's, the shells'.
    EXPECT_EQ(bench_.pipeline->sessions().size(), 4u + bench_.shells);
    EXPECT_TRUE(bench_.runner->controller().quiet());
  }

  std::mt19937 random_;
  Bench bench_;
  std::map<int32_t, Registration> brokers_;
  std::vector<std::string> deleting_;
  std::set<Uuid> made_;
  std::map<std::pair<Uuid, size_t>, std::pair<int32_t, int32_t>> epochs_;  // epoch and its leader
};

TEST(RandomWalk, ComesToRest) {
  for (uint32_t seed = 1; seed <= 200; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Walk walk(seed);
    walk.run(60);
    if (testing::Test::HasFailure()) return;
  }
}

}  // namespace
}  // namespace odradek::coordinator::controller
