#pragma once
// A coordinator without threads, sockets or clocks: the pipeline on a store in memory, the
// controller beside it, and hands that act as brokers and as people with a ZooKeeper shell.

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "common/clock.h"
#include "coordinator/controller/admin.h"
#include "coordinator/metadata/znodes.h"
#include "coordinator/pipeline/controller_runner.h"
#include "coordinator/pipeline/pipeline.h"
#include "coordinator/store/memory_store.h"

namespace odradek::coordinator::controller {

class Bench {
 public:
  explicit Bench(Settings settings = {}, uint32_t seed = 1) : settings_(settings), random_(seed) {
    open();
  }
  ~Bench() { close(); }

  // ---- time and the process ----
  // One batch to the disk; false where nothing waits.
  bool step() { return committer->step(); }
  // Until nothing happens any more.
  void settle() {
    for (int i = 0; i < 10'000; ++i) {
      if (step()) continue;
      auto wake_ms = runner->next_wake_ms();
      if (!wake_ms || *wake_ms > clock.monotonic_ms()) return;
      runner->tick();
      if (!committer->waiting()) return;
    }
    FAIL() << "the controller does not come to rest";
  }
  void wait(int64_t ms) {
    clock.advance_ms(ms);
    runner->tick();
    settle();
  }
  // The process dies and starts again; what was not synced is lost.
  void crash() {
    close();
    store.crash();
    open();
  }

  // ---- hands with a shell ----
  using Op = tree::Operation;
  std::optional<Errc> zk(std::vector<Op> ops) {
    if (shell == SessionId()) {
      pipeline->create_session({30'000, false, {}},
                               [&](Result<pipeline::Pipeline::SessionGrant> grant) {
                                 shell = grant->session;
                                 ++shells;
                               });
      run();
    }
    tree::AuthInfo auth;
    auth.identities.emplace_back("ip", "127.0.0.1");
    std::optional<std::optional<Errc>> answer;
    bool multi = ops.size() > 1;
    pipeline->write(
        pipeline::Write(shell, auth, std::move(ops), multi), [&](pipeline::WriteReply reply) {
          answer.emplace(reply.failure ? std::optional<Errc>(reply.failure->error.code())
                                       : std::nullopt);
        });
    while (!answer) {
      if (!step()) {
        ADD_FAILURE() << "no answer";
        return Errc::internal;
      }
    }
    return *answer;
  }
  std::optional<Errc> create(const std::string& path,
                             std::optional<std::string> data = std::nullopt) {
    return zk({tree::CreateOp(path, std::move(data))});
  }
  std::optional<Errc> set(const std::string& path, std::string data) {
    return zk({tree::SetDataOp(path, data)});
  }
  std::optional<Errc> remove(const std::string& path) { return zk({tree::DeleteOp(path)}); }
  std::string data(const std::string& path) const {
    auto node = pipeline->applied().get(path);
    return node ? std::string(node->bytes()) : "(none)";
  }
  bool exists(const std::string& path) const { return pipeline->applied().stat(path).has_value(); }
  std::vector<std::string> children(const std::string& path) const {
    return pipeline->applied().children(path).value_or(std::vector<std::string>());
  }
  // A znode's subtree, children before their parents, as deleteall removes it.
  std::vector<std::string> bottom_up(const std::string& path) const {
    std::vector<std::string> paths;
    for (const std::string& name : children(path)) {
      for (std::string& below : bottom_up(path + "/" + name)) paths.push_back(std::move(below));
    }
    paths.push_back(path);
    return paths;
  }
  std::optional<metadata::StateZnode> state(const std::string& topic, int32_t partition,
                                            const std::string& chroot = "") const {
    auto node = pipeline->applied().get(
        metadata::ClusterPaths(chroot).state(topic, PartitionId(partition)));
    return node ? metadata::decode_state(node->bytes()) : std::nullopt;
  }

  // ---- hands as brokers ----
  static RegistrationRequest request(int32_t id) {
    RegistrationRequest request;
    request.broker_id = BrokerId(id);
    request.endpoints.emplace_back("PLAINTEXT", "host" + std::to_string(id), 9092, "PLAINTEXT");
    Uuid directory;
    directory.bytes[15] = static_cast<uint8_t>(id + 1);
    request.directories = {directory};
    request.incarnation.bytes[0] = 7;
    return request;
  }
  Result<Registration> try_register(RegistrationRequest wanted, const std::string& chroot = "") {
    std::optional<Result<Registration>> answer;
    auto ok = runner->controller().register_broker(
        chroot, std::move(wanted), clock.monotonic_ms() + 20'000,
        [&](Result<Registration> outcome) { answer.emplace(outcome); });
    if (!ok) return ok.error();
    runner->tick();
    for (int i = 0; i < 1000 && !answer; ++i) step();
    if (!answer) {
      ADD_FAILURE() << "no answer to the registration";
      return Error(Errc::internal, "no answer");
    }
    return *answer;
  }
  Registration broker(int32_t id, const std::string& chroot = "") {
    auto registered = try_register(request(id), chroot);
    if (!registered) {
      ADD_FAILURE() << registered.error().what();
      return {};
    }
    settle();
    return *registered;
  }
  void leave(const Registration& registration) {
    pipeline->close_session(registration.session.session, [](pipeline::WriteReply) {});
    settle();
  }
  template <typename Item, typename Make>
  Reply<Item> call(Make make, const std::string& chroot = "") {
    std::optional<Reply<Item>> answer;
    ReplyDone<Item> done = [&](Reply<Item> reply) { answer.emplace(std::move(reply)); };
    Cluster* cluster = runner->controller().cluster_for_call(chroot);
    if (cluster == nullptr) {
      ADD_FAILURE() << "no cluster at " << chroot;
      return {};
    }
    cluster->add(make(*cluster, clock.monotonic_ms() + 10'000, done));
    runner->tick();
    for (int i = 0; i < 1000 && !answer; ++i) step();
    if (!answer) {
      ADD_FAILURE() << "no answer";
      return {};
    }
    return *answer;
  }
  static Caller caller(const Registration& registration) {
    return {registration.broker_id, registration.broker_epoch};
  }
  static NewTopic topic(std::string name, int32_t partitions = 1, int32_t factor = 1) {
    NewTopic topic;
    topic.name = std::move(name);
    topic.partitions = partitions;
    topic.replication_factor = factor;
    return topic;
  }
  Reply<TopicItem> create_topics(const Registration& by, std::vector<NewTopic> topics,
                                 bool validate_only = false, const std::string& chroot = "") {
    return call<TopicItem>(
        [&](Cluster&, int64_t deadline_ms, auto done) {
          return make_create_topics(caller(by), std::move(topics), validate_only, deadline_ms,
                                    done);
        },
        chroot);
  }
  TopicItem create_topic(const Registration& by, NewTopic wanted) {
    auto reply = create_topics(by, {std::move(wanted)});
    if (reply.error || reply.items.size() != 1) {
      ADD_FAILURE() << (reply.error ? reply.error->what() : "no item");
      return {};
    }
    return reply.items[0];
  }
  Reply<TopicItem> delete_topic(const Registration& by, const std::string& name) {
    return call<TopicItem>([&](Cluster&, int64_t deadline_ms, auto done) {
      return make_delete_topics(caller(by), {{name, Uuid()}}, deadline_ms, done);
    });
  }

  const Cluster& cluster(const std::string& chroot = "") {
    return *runner->controller().find(chroot);
  }
  metadata::ImagePtr image(const std::string& chroot = "") { return cluster(chroot).image(); }
  // The image of a broker that was sent every delta: the same as the coordinator's own.
  const metadata::ClusterImage& followed() const { return *followed_; }

  // Whatever happened: reading the tree anew gives the same image, and brokers that followed the
  // deltas have it too.
  void check_image(const std::string& chroot = "") {
    settle();
    if (runner->controller().find(chroot) == nullptr) return;
    const Cluster& now = cluster(chroot);
    ClusterFacts fresh((metadata::ClusterPaths(chroot)));
    fresh.refresh(pipeline->applied_store(), Dirty());
    EXPECT_EQ(fresh.brokers.size(), now.facts().brokers.size());
    EXPECT_EQ(fresh.topics.size(), now.facts().topics.size());
    for (const auto& [name, topic] : fresh.topics) {
      const TopicFacts* kept = now.facts().topic(name);
      ASSERT_NE(kept, nullptr) << name;
      EXPECT_EQ(kept->exists, topic.exists) << name;
      EXPECT_EQ(kept->id, topic.id) << name;
      ASSERT_EQ(kept->partitions.size(), topic.partitions.size()) << name;
      for (size_t i = 0; i < topic.partitions.size(); ++i) {
        ASSERT_EQ(kept->partitions[i].state.has_value(), topic.partitions[i].state.has_value())
            << name << i;
        if (!topic.partitions[i].state) continue;
        EXPECT_EQ(kept->partitions[i].state->version, topic.partitions[i].state->version)
            << name << i;
        EXPECT_EQ(kept->partitions[i].state->mzxid, topic.partitions[i].state->mzxid) << name << i;
      }
    }
    if (chroot.empty() && followed_ && now.image()->zxid != Zxid()) {
      EXPECT_EQ(followed_->zxid, now.image()->zxid);
      EXPECT_TRUE(followed_->same_content(*now.image()));
    }
    for (const auto& [name, topic] : now.image()->topics) {
      for (const metadata::Partition& partition : topic->partitions) {
        if (partition.leader != BrokerId(-1))
          EXPECT_TRUE(now.image()->brokers.contains(partition.leader)) << name;
      }
    }
  }

  ManualClock clock;
  store::MemoryStore store;
  std::unique_ptr<pipeline::ManualCommitter> committer;
  std::unique_ptr<pipeline::Pipeline> pipeline;
  std::unique_ptr<pipeline::ControllerRunner> runner;
  SessionId shell;
  size_t shells = 0;  // sessions of them; nothing here lets them expire

 private:
  void run() { committer->run(); }
  void close() {
    runner.reset();
    pipeline.reset();
    committer.reset();
  }
  void open() {
    shell = SessionId();
    committer = std::make_unique<pipeline::ManualCommitter>();
    pipeline::PipelineOptions options;
    options.new_password = [] { return tree::Password{7}; };
    auto opened = pipeline::Pipeline::open(options, clock, store, *committer);
    ASSERT_TRUE(opened) << opened.error().what();
    pipeline = std::move(*opened);
    runner = std::make_unique<pipeline::ControllerRunner>(*pipeline, settings_, randomness());
    followed_.reset();
    runner->controller().on_image([this](const Cluster& cluster) { follow(cluster); });
    runner->start();
    settle();
  }
  pipeline::Randomness randomness() {
    pipeline::Randomness randomness;
    randomness.uuid = [this] {
      Uuid id;
      for (uint8_t& byte : id.bytes) byte = static_cast<uint8_t>(random_());
      return id;
    };
    randomness.below = [this](uint32_t bound) { return static_cast<uint32_t>(random_() % bound); };
    return randomness;
  }
  void follow(const Cluster& cluster) {
    if (!cluster.chroot().empty()) return;
    if (followed_) {
      auto deltas = cluster.history().since(followed_->zxid, cluster.image()->zxid);
      if (deltas) {
        for (const auto& delta : *deltas) followed_ = metadata::apply(*followed_, *delta);
        return;
      }
    }
    followed_ = *cluster.image();
  }

  const Settings settings_;
  std::mt19937 random_;  // a test does the same each time
  std::optional<metadata::ClusterImage> followed_;
};

}  // namespace odradek::coordinator::controller
