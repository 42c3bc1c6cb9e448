#pragma once
// A PartitionManager on a disk in memory, with real shards and a real background pool.
#include "broker/replica/partition_manager.h"

#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_future.hpp>
#include <map>
#include <mutex>

#include "broker/log/record_batch_builder.h"
#include "broker/replica/housekeeping.h"
#include "common/runtime/background.h"
#include "common/runtime/owner.h"
#include "common/runtime/shards.h"
#include "tests/support/faulty_file_system.h"
#include "tests/support/held_file_system.h"

namespace odradek::broker::replica {

namespace asio = boost::asio;
inline const BrokerId kSelf(1);

struct Listener final : LeadershipListener {
  void on_leader(Partition& partition, LeaderEpoch epoch) override {
    std::lock_guard lock(mutex);
    leads[partition.id().partition] = epoch;
  }
  void on_not_leader(const TopicPartition& id) override {
    std::lock_guard lock(mutex);
    leads.erase(id.partition);
  }
  std::mutex mutex;  // every shard tells
  std::map<PartitionId, LeaderEpoch> leads;
};

class PartitionManagerTest : public testing::Test {
 protected:
  void SetUp() override { open(); }
  void TearDown() override { stop(); }

  void open() {
    begin_open();
    EXPECT_TRUE(run(manager_->wait_all_open(10'000)));
  }

  void begin_open() {
    log::LogManager::Options options;
    options.directories = log_dirs_;
    options.reserved_bytes = reserved_bytes_;
    auto logs = log::LogManager::open(held_, clock_, options);
    ASSERT_TRUE(logs) << logs.error().what();
    logs_ = std::move(*logs);
    background_ = std::make_unique<runtime::Background>("background", 2, 1000);
    shards_ = std::make_unique<runtime::Shards>("test", 2);
    auto settings = [this](const metadata::ConfigMap&, const metadata::Image&) {
      TopicSettings made;
      auto config = std::make_shared<log::LogConfig>(*config_);
      config->file_delete_delay_ms = 0;
      made.log = config;
      return made;
    };
    manager_ = std::make_unique<PartitionManager>(settings_, settings, *shards_,
                                                  *background_, clock_, *logs_);
    manager_->listen("t", &listener_);
    shards_->start();
    auto start = [this]() -> asio::awaitable<void> {
      manager_->begin_load();
      co_await manager_->start(kSelf, [this] { return image_; });
    };
    run(start());
  }

  void stop() {
    run(manager_->stop());
    lay_down();
    logs_.reset();
  }

  // As in the service, waiting coroutines hold pieces of manager and shards, and only the end of the
  // process frees them.
  void lay_down() {
    struct Ended {
      std::unique_ptr<runtime::Background> background;
      std::unique_ptr<runtime::Shards> shards;
      std::unique_ptr<PartitionManager> manager;
    };
    static auto* const ended = new std::vector<Ended>;
    background_->stop();  // what runs there still looks at logs and files
    shards_->stop();
    ended->push_back({std::move(background_), std::move(shards_), std::move(manager_)});
  }

  void run(asio::awaitable<void> work) {
    asio::co_spawn(shards_->executor(0), std::move(work), asio::use_future).get();
  }
  template <typename T>
  T run(asio::awaitable<T> work) {
    std::optional<T> result;
    auto keep = [](asio::awaitable<T> inner, std::optional<T>& into) -> asio::awaitable<void> {
      into.emplace(co_await std::move(inner));
    };
    run(keep(std::move(work), result));
    return *std::move(result);
  }

  // The next image: `change` edits a copy.
  void next_image(const std::function<void(metadata::Image&)>& change) {
    auto next = std::make_shared<metadata::Image>(*image_);
    next->zxid = next->zxid + 1;
    change(*next);
    auto difference = metadata::difference(image_.get(), *next, false);
    image_ = next;
    auto apply = [this, difference]() -> asio::awaitable<void> {
      manager_->apply(image_, difference);
      co_return;
    };
    run(apply());
    EXPECT_TRUE(run(manager_->wait_open("t", image_->zxid, 10'000)));
  }

  static void put_topic(metadata::Image& image, const std::string& name, Uuid id, int partitions,
                        BrokerId leader) {
    auto topic = std::make_shared<metadata::Topic>();
    topic->name = name;
    topic->id = id;
    for (int i = 0; i < partitions; ++i) {
      metadata::Partition partition;
      partition.leader = leader;
      partition.leader_epoch = LeaderEpoch(0);
      partition.partition_epoch = 0;
      partition.replicas = partition.isr = {leader};
      topic->partitions.push_back(partition);
    }
    image.topics[name] = topic;
    image.topic_names[id] = name;
  }

  static void drop_topic(metadata::Image& image, const std::string& name, bool with_record) {
    auto topic = image.topics[name];
    image.topics.erase(name);
    image.topic_names.erase(topic->id);
    if (!with_record) return;
    metadata::DeletedTopic record;
    record.name = name;
    record.id = topic->id;
    record.zxid = image.zxid;
    image.deleted_topics.push_back(record);
  }

  // The error code of find on the owner; nothing where it is there.
  std::optional<Errc> find(const TopicPartition& id) {
    auto look = [this, id]() -> std::optional<Errc> {
      auto found = manager_->find(id);
      if (found) return std::nullopt;
      return found.error().code();
    };
    return run(runtime::run_on(manager_->owner(id), look));
  }

  Result<AppendInfo> append(const TopicPartition& id) {
    auto work = [this, id]() -> Result<AppendInfo> {
      auto found = manager_->find(id);
      if (!found) return found.error();
      log::RecordBatchBuilder builder;
      builder.add(clock_.wall_ms(), "k", "v");
      return (*found)->append_as_leader(*builder.build(), 1, AppendOrigin::client);
    };
    return run(runtime::run_on(manager_->owner(id), work));
  }

  std::vector<std::string> directories(const std::string& parent = "/logs") {
    std::vector<std::string> names;
    auto listed = files_.list(parent);
    for (const auto& entry : *listed) {
      if (entry.is_directory) names.push_back(entry.name);
    }
    return names;
  }

  std::vector<std::string> log_dirs_{"/logs"};
  ReplicaSettings settings_;
  fs::FaultyFileSystem files_{1};
  fs::HeldFileSystem held_{files_};
  ManualClock clock_;
  uint64_t reserved_bytes_ = 0;
  std::shared_ptr<log::LogConfig> config_ = std::make_shared<log::LogConfig>();
  std::unique_ptr<log::LogManager> logs_;
  std::unique_ptr<runtime::Background> background_;
  std::unique_ptr<runtime::Shards> shards_;
  std::unique_ptr<PartitionManager> manager_;
  Listener listener_;
  metadata::ImagePtr image_ = std::make_shared<const metadata::Image>();
};

}  // namespace odradek::broker::replica
