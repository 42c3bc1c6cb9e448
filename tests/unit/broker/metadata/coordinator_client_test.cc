// CoordinatorClient against a real coordinator in this process, over real sockets: registration,
// images, admin calls, restarts of either side. What is waited for is an event, never a time.
#include "broker/metadata/coordinator_client.h"

#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/steady_timer.hpp>
#include <condition_variable>
#include <filesystem>
#include <future>
#include <mutex>

#include "common/runtime/shards.h"
#include "coordinator/server/service.h"
#include "proto/coordinator/coordinator.grpc.pb.h"

namespace odradek::broker::metadata {
namespace {

namespace wire = odradek::coordinator::v1;
using coordinator::server::Service;
using coordinator::server::ServiceOptions;
using std::chrono_literals::operator""s;

class Folder {
 public:
  Folder() {
    std::string name = (std::filesystem::temp_directory_path() / "odradek-client-XXXXXX").string();
    path_ = mkdtemp(name.data());
  }
  ~Folder() { std::filesystem::remove_all(path_); }
  std::string path() const { return path_; }

 private:
  std::string path_;
};

class Coordinator {
 public:
  Coordinator() { start(0); }
  void start(uint16_t port) {
    ServiceOptions options;
    options.settings.data_dir = options.settings.data_log_dir = folder_.path();
    options.settings.client_port_address = "127.0.0.1";
    options.settings.client_port = port;
    options.settings.tick_ms = 200;
    options.settings.min_session_timeout_ms = 400;
    options.settings.max_session_timeout_ms = 60'000;
    options.settings.broker_grace_ms = 100;
    auto started = Service::start(std::move(options));
    ASSERT_TRUE(started) << started.error().what();
    service_ = std::move(*started);
    port_ = service_->port();
  }
  void stop() { service_.reset(); }
  void restart() {
    stop();
    start(port_);
  }
  uint16_t port() const { return port_; }
  std::string connect(const std::string& chroot = "") const {
    return "127.0.0.1:" + std::to_string(port_) + chroot;
  }

 private:
  Folder folder_;
  std::unique_ptr<Service> service_;
  uint16_t port_ = 0;
};

// One broker's client with a thread of its own, and what it was told.
class Broker {
 public:
  explicit Broker(int32_t id, const std::string& connect)
      : shards_("broker", 1), client_(shards_.executor(0)) {
    registration_.broker_id = BrokerId(id);
    registration_.endpoints = {{"PLAINTEXT", "localhost", 9092 + id, "PLAINTEXT"}};
    registration_.directory_ids = {Uuid::random()};
    registration_.incarnation = Uuid::random();
    registration_.zookeeper_connect = connect;
    client_.on_image(shards_.executor(0),
                     [this](ImagePtr, ImagePtr after, const ImageChange& change) {
                       std::lock_guard lock(mutex_);
                       image_ = after;
                       changes_.push_back(change);
                       changed_.notify_all();
                     });
    client_.on_refused([this](Error error) {
      std::lock_guard lock(mutex_);
      refused_ = std::move(error);
      changed_.notify_all();
    });
  }
  ~Broker() { stop(); }

  Registration& wanted() { return registration_; }
  CoordinatorClient& client() { return client_; }
  void start() {
    shards_.start();
    running_ = true;
    auto started = client_.start(registration_);
    ASSERT_TRUE(started) << started.error().what();
  }
  Result<Registered> registered() { return run(client_.registered()); }
  Registered up() {
    start();
    auto result = registered();
    if (!result) ADD_FAILURE() << result.error().what();
    return result ? *result : Registered();
  }
  void stop() {
    if (!running_) return;
    run(client_.stop());
    shards_.stop();
    running_ = false;
  }
  template <typename T>
  T run(boost::asio::awaitable<T> awaitable) {
    std::promise<T> result;
    auto body = [](boost::asio::awaitable<T> inner,
                   std::promise<T>& into) -> boost::asio::awaitable<void> {
      if constexpr (std::is_void_v<T>) {
        co_await std::move(inner);
        into.set_value();
      } else {
        into.set_value(co_await std::move(inner));
      }
    };
    boost::asio::co_spawn(shards_.executor(0), body(std::move(awaitable), result),
                          boost::asio::detached);
    return result.get_future().get();
  }
  // Until an image that was handed over has it.
  bool sees(std::function<bool(const Image&)> what) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, 30s, [&] { return image_ && what(*image_); });
  }
  bool saw_change(std::function<bool(const ImageChange&)> what) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, 30s,
                             [&] { return std::any_of(changes_.begin(), changes_.end(), what); });
  }
  bool connects() {
    for (int i = 0; i < 3'000 && !client_.connected(); ++i) {
      std::promise<void> turn;
      auto timer = std::make_shared<boost::asio::steady_timer>(shards_.context(0),
                                                               std::chrono::milliseconds(10));
      timer->async_wait([&turn, timer](boost::system::error_code) { turn.set_value(); });
      turn.get_future().wait();
    }
    return client_.connected();
  }
  TopicResult create(const std::string& name, int32_t partitions = 1) {
    std::vector<NewTopic> topics;
    topics.emplace_back(name, partitions, int16_t{1});
    auto made = run(client_.create_topics(std::move(topics), false, 10s));
    if (!made || made->size() != 1) {
      ADD_FAILURE() << (made ? "no item" : made.error().what());
      return {};
    }
    return made->front();
  }

 private:
  runtime::Shards shards_;
  CoordinatorClient client_;
  Registration registration_;
  bool running_ = false;
  std::mutex mutex_;
  std::condition_variable changed_;
  ImagePtr image_;
  std::vector<ImageChange> changes_;
  std::optional<Error> refused_;
};

TEST(CoordinatorClient, RegistersMakesAndDeletes) {
  Coordinator coordinator;
  Broker broker(0, coordinator.connect("/kafka/one"));
  EXPECT_EQ(broker.client().image()->zxid, Zxid(0));
  Registered registered = broker.up();
  EXPECT_EQ(registered.broker_id, BrokerId(0));
  EXPECT_EQ(registered.cluster_id.size(), 22u);
  EXPECT_GT(registered.broker_epoch, 0);
  auto image = broker.client().image();
  ASSERT_TRUE(image->is_alive(BrokerId(0)));
  EXPECT_EQ(image->broker(BrokerId(0))->endpoint("PLAINTEXT")->port, 9092);
  EXPECT_EQ(image->cluster_id, registered.cluster_id);

  TopicResult made = broker.create("t", 3);
  ASSERT_FALSE(made.error) << made.error->what();
  // The image has it when the call returns.
  const Topic* topic = broker.client().image()->topic("t");
  ASSERT_NE(topic, nullptr);
  EXPECT_EQ(topic->id, made.id);
  EXPECT_EQ(topic->partitions.size(), 3u);
  EXPECT_EQ(topic->partitions[2].leader, BrokerId(0));
  EXPECT_TRUE(broker.saw_change(
      [](const ImageChange& change) { return change.made == std::vector<std::string>{"t"}; }));
  TopicResult twice = broker.create("t");
  ASSERT_TRUE(twice.error);
  EXPECT_EQ(twice.error->code(), Errc::topic_exists);
  EXPECT_EQ(twice.error->what(), "Topic 't' already exists.");

  std::vector<NewPartitions> more(1);
  more[0].topic = "t";
  more[0].total_count = 5;
  auto grown = broker.run(broker.client().create_partitions(more, false, 10s));
  ASSERT_TRUE(grown && !grown->front().error);
  EXPECT_EQ(broker.client().image()->topic("t")->partitions.size(), 5u);

  std::vector<ConfigChange> changes(1);
  changes[0].name = "t";
  changes[0].incremental = true;
  changes[0].changes.emplace_back("retention.ms", ConfigOp::set, "7");
  auto altered = broker.run(broker.client().alter_configs(changes, false, 10s));
  ASSERT_TRUE(altered && !altered->front().error);
  EXPECT_EQ(broker.client().image()->topic("t")->configs.at("retention.ms"), "7");

  auto block = broker.run(broker.client().allocate_producer_ids(10s));
  ASSERT_TRUE(block);
  EXPECT_EQ(block->first, ProducerId(0));
  EXPECT_EQ(broker.run(broker.client().allocate_producer_ids(10s))->first, ProducerId(block->size));
  EXPECT_TRUE(broker.run(broker.client().controlled_shutdown(10s))->empty());

  std::vector<TopicToDelete> gone(1);
  gone[0].name = "t";
  auto deleted = broker.run(broker.client().delete_topics(gone, 10s));
  ASSERT_TRUE(deleted && !deleted->front().error);
  EXPECT_EQ(broker.client().image()->topic("t"), nullptr);
  EXPECT_NE(broker.client().image()->deleted(made.id), nullptr);
  EXPECT_TRUE(broker.saw_change([&](const ImageChange& change) {
    return !change.deleted.empty() && change.deleted[0].id == made.id && change.vanished.empty();
  }));
}

TEST(CoordinatorClient, WaitsForTheCoordinatorAndOutlivesIt) {
  Coordinator coordinator;
  coordinator.stop();
  Broker broker(0, coordinator.connect());
  broker.start();
  coordinator.start(coordinator.port());
  auto registered = broker.registered();
  ASSERT_TRUE(registered) << registered.error().what();
  ASSERT_FALSE(broker.create("t").error);
  for (int round = 0; round < 2; ++round) {
    coordinator.stop();
    EXPECT_NE(broker.client().image()->topic("t"), nullptr);  // the last image stays
    coordinator.start(coordinator.port());
    ASSERT_TRUE(broker.connects());
    EXPECT_EQ(broker.client().registration().broker_epoch,
              registered->broker_epoch);  // the same session
    EXPECT_NE(broker.client().image()->topic("t"), nullptr);
  }
  ASSERT_FALSE(broker.create("u").error);
}

TEST(CoordinatorClient, TwoBrokersSeeEachOtherComeAndGo) {
  Coordinator coordinator;
  Broker zero(0, coordinator.connect());
  Broker one(1, coordinator.connect());
  Registered a = zero.up();
  Registered b = one.up();
  EXPECT_EQ(a.cluster_id, b.cluster_id);
  ASSERT_FALSE(zero.create("t", 4).error);
  EXPECT_TRUE(one.sees([](const Image& image) {
    const Topic* topic = image.topic("t");
    if (topic == nullptr) return false;
    int led = 0;
    for (const Partition& partition : topic->partitions) led += partition.leader == BrokerId(1);
    return led == 2;
  }));
  one.stop();
  EXPECT_TRUE(zero.sees([](const Image& image) {
    const Topic* topic = image.topic("t");
    int headless = 0;
    for (const Partition& partition : topic->partitions)
      headless += partition.leader == BrokerId(-1);
    return !image.is_alive(BrokerId(1)) && headless == 2 &&
           image.offline_replicas(topic->partitions[0]).size() +
                   image.offline_replicas(topic->partitions[1]).size() ==
               1;
  }));
}

TEST(CoordinatorClient, ASecondBrokerWithTheIdIsRefused) {
  Coordinator coordinator;
  Broker first(0, coordinator.connect());
  first.up();
  Broker second(0, coordinator.connect());
  second.start();
  auto refused = second.registered();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code(), Errc::duplicate_broker_id);
  EXPECT_NE(refused.error().what().find("broker.id"), std::string::npos);
  second.stop();
  Broker lost(3, coordinator.connect());
  lost.wanted().cluster_id = "DFDswXJ1Q4q3yslhKpcg9Q";
  lost.start();
  auto mismatch = lost.registered();
  ASSERT_FALSE(mismatch);
  EXPECT_EQ(mismatch.error().code(), Errc::cluster_id_mismatch);
  EXPECT_TRUE(first.client().connected());
}

// The same data directories, a new process: it takes over although the former session lives.
TEST(CoordinatorClient, ARestartedBrokerTakesOver) {
  Coordinator coordinator;
  Broker first(0, coordinator.connect());
  Registered before = first.up();
  ASSERT_FALSE(first.create("t").error);
  Broker second(0, coordinator.connect());
  second.wanted().directory_ids = first.wanted().directory_ids;
  Registered after = second.up();
  EXPECT_GT(after.broker_epoch, before.broker_epoch);
  EXPECT_TRUE(second.sees([](const Image& image) {
    const Topic* topic = image.topic("t");
    return topic != nullptr && topic->partitions[0].leader == BrokerId(0) &&
           topic->partitions[0].leader_epoch >= LeaderEpoch(1);
  }));
}

TEST(CoordinatorClient, GivesIdsAboveTheReserved) {
  Coordinator coordinator;
  Broker broker(-1, coordinator.connect());
  EXPECT_EQ(broker.up().broker_id, BrokerId(1001));
}

TEST(CoordinatorClient, StopsWhileTheCoordinatorIsAway) {
  Coordinator coordinator;
  coordinator.stop();
  Broker broker(0, coordinator.connect());
  broker.start();
  auto waiting = std::async(std::launch::async, [&] { return broker.registered(); });
  auto refused = broker.run(broker.client().allocate_producer_ids(1s));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code(), Errc::unavailable);
  broker.run(broker.client().stop());
  auto outcome = waiting.get();
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().code(), Errc::cancelled);
}

TEST(CoordinatorClient, WrongConnectString) {
  runtime::Shards shards("broker", 1);
  CoordinatorClient client(shards.executor(0));
  Registration registration;
  registration.zookeeper_connect = "localhost:99999";
  auto started = client.start(registration);
  ASSERT_FALSE(started);
  EXPECT_EQ(started.error().code(), Errc::bad_setting);
}

// ---- the stream itself ----

class RawStream {
 public:
  explicit RawStream(uint16_t port)
      : stub_(wire::Coordinator::NewStub(grpc::CreateChannel("127.0.0.1:" + std::to_string(port),
                                                             grpc::InsecureChannelCredentials()))),
        stream_(stub_->Session(&context_)) {}
  ~RawStream() { context_.TryCancel(); }
  void say(const wire::ToCoordinator& message) { stream_->Write(message); }
  std::optional<wire::ToBroker> hear() {
    wire::ToBroker message;
    if (!stream_->Read(&message)) return std::nullopt;
    return message;
  }

 private:
  grpc::ClientContext context_;
  std::unique_ptr<wire::Coordinator::Stub> stub_;
  std::unique_ptr<grpc::ClientReaderWriter<wire::ToCoordinator, wire::ToBroker>> stream_;
};

wire::ToCoordinator registration(int32_t id) {
  wire::ToCoordinator message;
  wire::Register& to = *message.mutable_registration();
  to.set_broker_id(id);
  wire::Endpoint& endpoint = *to.add_endpoints();
  endpoint.set_listener("PLAINTEXT");
  endpoint.set_host("h");
  endpoint.set_port(1);
  endpoint.set_security_protocol("PLAINTEXT");
  to.add_directory_ids(std::string(16, static_cast<char>('a' + id)));
  to.set_incarnation(std::string(16, 'i'));
  to.set_session_timeout_ms(30'000);
  return message;
}

TEST(SessionStream, WhatIsNotARegistrationIsRefused) {
  Coordinator coordinator;
  {
    RawStream stream(coordinator.port());
    wire::ToCoordinator message;
    message.mutable_heartbeat();
    stream.say(message);
    auto answer = stream.hear();
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->refused().code(), wire::INVALID_REQUEST);
    EXPECT_FALSE(stream.hear());
  }
  for (int damage = 0; damage < 4; ++damage) {
    RawStream stream(coordinator.port());
    wire::ToCoordinator message = registration(0);
    if (damage == 0) message.mutable_registration()->clear_endpoints();
    if (damage == 1) message.mutable_registration()->set_incarnation("short");
    if (damage == 2) message.mutable_registration()->set_chroot("no/slash");
    if (damage == 3) message.mutable_registration()->set_chroot("/zookeeper/x");
    stream.say(message);
    auto answer = stream.hear();
    ASSERT_TRUE(answer) << damage;
    EXPECT_EQ(answer->refused().code(), wire::INVALID_REQUEST) << damage;
  }
}

// A connection that breaks ends the session after the grace; one that is resumed in time keeps
// session and epoch.
TEST(SessionStream, GraceAndResumption) {
  Coordinator coordinator;
  Broker watcher(9, coordinator.connect());
  watcher.up();
  wire::Registered registered;
  int64_t zxid = 0;
  {
    RawStream stream(coordinator.port());
    stream.say(registration(0));
    auto answer = stream.hear();
    ASSERT_TRUE(answer && answer->has_registered());
    registered = answer->registered();
    EXPECT_FALSE(registered.resumed());
    auto snapshot = stream.hear();
    ASSERT_TRUE(snapshot && snapshot->has_snapshot());
    EXPECT_TRUE(snapshot->snapshot().last());
    zxid = snapshot->snapshot().zxid();
  }
  wire::ToCoordinator again = registration(0);
  wire::Resume& resume = *again.mutable_registration()->mutable_resume();
  resume.set_session_id(registered.session_id());
  resume.set_session_password(registered.session_password());
  resume.set_broker_epoch(registered.broker_epoch());
  resume.set_image_zxid(zxid);
  {
    RawStream stream(coordinator.port());
    stream.say(again);
    auto answer = stream.hear();
    ASSERT_TRUE(answer && answer->has_registered());
    EXPECT_TRUE(answer->registered().resumed());
    EXPECT_EQ(answer->registered().broker_epoch(), registered.broker_epoch());
    wire::ToCoordinator heartbeat;
    heartbeat.mutable_heartbeat()->set_sequence(5);
    stream.say(heartbeat);
    // Deltas since that image may come before; no snapshot does.
    for (auto message = stream.hear();; message = stream.hear()) {
      ASSERT_TRUE(message);
      EXPECT_FALSE(message->has_snapshot());
      if (message->has_heartbeat()) break;
    }
  }
  // The grace of 100 ms, not the time-out of 30 s.
  EXPECT_TRUE(watcher.sees([](const Image& image) { return !image.is_alive(BrokerId(0)); }));
  RawStream late(coordinator.port());
  late.say(again);
  auto answer = late.hear();
  ASSERT_TRUE(answer);
  EXPECT_TRUE(answer->has_expired());
}

TEST(SessionStream, AWrongPasswordResumesNothing) {
  Coordinator coordinator;
  RawStream stream(coordinator.port());
  stream.say(registration(0));
  auto registered = stream.hear();
  ASSERT_TRUE(registered && registered->has_registered());
  wire::ToCoordinator again = registration(0);
  wire::Resume& resume = *again.mutable_registration()->mutable_resume();
  resume.set_session_id(registered->registered().session_id());
  resume.set_session_password(std::string(16, 'x'));
  resume.set_broker_epoch(registered->registered().broker_epoch());
  RawStream thief(coordinator.port());
  thief.say(again);
  auto answer = thief.hear();
  ASSERT_TRUE(answer);
  EXPECT_TRUE(answer->has_expired());
  wire::ToCoordinator heartbeat;
  heartbeat.mutable_heartbeat();
  stream.say(heartbeat);
  for (auto message = stream.hear();; message = stream.hear()) {
    ASSERT_TRUE(message);
    if (message->has_heartbeat()) break;
  }
}

}  // namespace
}  // namespace odradek::broker::metadata
