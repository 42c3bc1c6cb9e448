#include "tests/sim/sim_cluster.h"

#include <algorithm>

#include "common/format.h"
#include "coordinator/controller/admin.h"
#include "coordinator/metadata/znodes.h"

namespace odradek::sim {

using coordinator::controller::Caller;
using coordinator::controller::Cluster;
using coordinator::controller::NewTopic;
using coordinator::controller::Registration;
using coordinator::controller::RegistrationRequest;
using coordinator::controller::Reply;
using coordinator::controller::TopicItem;
using coordinator::metadata::ClusterPaths;
using coordinator::pipeline::Pipeline;
using coordinator::pipeline::Randomness;
using coordinator::pipeline::Write;
using coordinator::pipeline::WriteReply;
using coordinator::tree::AuthInfo;
using coordinator::tree::Change;
using coordinator::tree::Commit;
using coordinator::tree::CreateOp;
using coordinator::tree::DeleteOp;
using coordinator::tree::Operation;
using coordinator::tree::SetDataOp;
using coordinator::tree::Znode;

namespace {

constexpr int kBrokers = 3;
constexpr int kTopicNames = 5;
constexpr int32_t kSessionTimeoutMs = 3000;

const ClusterPaths kPaths("");

Uuid seeded_uuid(World& world) {
  Uuid id;
  for (uint8_t& byte : id.bytes) byte = static_cast<uint8_t>(world.below(256));
  return id;
}

Randomness seeded(World& world) {
  Randomness randomness;
  randomness.uuid = [&world] { return seeded_uuid(world); };
  randomness.below = [&world](uint32_t bound) { return static_cast<uint32_t>(world.below(bound)); };
  return randomness;
}

}  // namespace

// --- the controller ---

ControllerPart::ControllerPart(SimCoordinator& coordinator, bool edge_triggered)
    : coordinator_(coordinator), runner_(coordinator.pipeline(), {}, seeded(coordinator.world())) {
  runner_.on_round([this] { arm(); });
  if (!edge_triggered) runner_.start();
  arm();
}

void ControllerPart::arm() {
  auto wake_ms = runner_.next_wake_ms();
  if (!wake_ms || *wake_ms == armed_for_ms_) return;
  armed_for_ms_ = *wake_ms;
  int64_t now_ms = coordinator_.world().now_ms();
  coordinator_.node().after(std::max<int64_t>(1, *wake_ms - now_ms), [this, armed = armed_for_ms_] {
    if (armed != armed_for_ms_) return;
    armed_for_ms_ = -1;
    runner_.tick();
    arm();
  });
}

// --- a broker ---

SimBroker::SimBroker(World& world, SimCoordinator& coordinator, int id)
    : world_(world),
      coordinator_(coordinator),
      node_(world, "broker" + std::to_string(id)),
      id_(id),
      directory_(seeded_uuid(world)) {}

void SimBroker::start() {
  node_.start();
  attached_ = false;
  joining_ = false;
  registration_.reset();
  beat();
}

void SimBroker::crash() {
  node_.stop();
  // sometimes the broken connection is seen, sometimes the session has to run out
  if (registration_ && coordinator_.up() && world_.chance(50)) {
    SessionId session = registration_->session.session;
    coordinator_.node().after(1000, [this, session] {
      if (!node_.up()) coordinator_.pipeline().close_session(session, [](const WriteReply&) {});
    });
  }
}

void SimBroker::beat() {
  if (coordinator_.up()) {
    if (registration_ && attached_) {
      if (!coordinator_.pipeline().touch(registration_->session.session)) {
        registration_.reset();
        attached_ = false;
      }
    } else if (registration_) {
      Pipeline::SessionRequest request;
      request.timeout_ms = kSessionTimeoutMs;
      attached_ = coordinator_.pipeline()
                      .attach_session(registration_->session.session, registration_->session.password, request)
                      .ok();
      if (!attached_) registration_.reset();
    } else if (!joining_) {
      join();
    }
  }
  node_.after(world_.between(300, 700), [this] { beat(); });
}

void SimBroker::join() {
  RegistrationRequest request;
  request.broker_id = id_;
  request.endpoints.emplace_back("PLAINTEXT", "127.0.0.1", 9092 + id_.value(), "PLAINTEXT");
  request.directories = {directory_};
  request.incarnation = seeded_uuid(world_);
  request.session_timeout_ms = kSessionTimeoutMs;
  joining_ = true;
  uint64_t life = node_.incarnation();
  uint64_t coordinator_life = coordinator_.node().incarnation();
  node_.after(4000, [this] { joining_ = false; });  // the answer may be lost
  auto& runner = coordinator_.part<ControllerPart>()->runner();
  auto accepted = runner.controller().register_broker(
      "", request, world_.now_ms() + 3000, [this, life, coordinator_life](Result<Registration> registration) {
        if (life != node_.incarnation() || coordinator_life != coordinator_.node().incarnation()) return;
        joining_ = false;
        if (!registration) return;
        registration_ = *registration;
        Pipeline::SessionRequest attach;
        attach.timeout_ms = kSessionTimeoutMs;
        attached_ = coordinator_.pipeline()
                        .attach_session(registration_->session.session, registration_->session.password, attach)
                        .ok();
      });
  if (accepted) runner.tick();
}

// --- a person ---

void Hand::next() {
  if (world_.now_ms() > until_ms_) return;
  if (coordinator_.up()) {
    std::string topic = "t" + std::to_string(world_.below(kTopicNames));
    auto stat = coordinator_.pipeline().applied().stat(kPaths.topic(topic));
    uint64_t choice = world_.below(100);
    if (!stat) {
      if (choice < 50) make_topic(topic);
      else call_create(topic);
    } else if (choice < 30) {
      add_partitions(topic);
    } else if (choice < 60) {
      delete_all(kPaths.topic(topic));
    } else if (choice < 75) {
      write({CreateOp(kPaths.delete_topic(topic))});
    }
  }
  world_.after(world_.between(50, 1200), [this] { next(); });
}

std::string Hand::topic_json(int partitions) {
  std::string text = "{\"version\":1,\"partitions\":{";
  for (int i = 0; i < partitions; ++i) {
    text += format("{}\"{}\":[{}]", i ? "," : "", i, world_.below(kBrokers) + 1);
  }
  return text + "}}";
}

void Hand::make_topic(const std::string& topic) {
  write({CreateOp(kPaths.topic(topic), topic_json(static_cast<int>(world_.between(1, 3))))});
}

void Hand::add_partitions(const std::string& topic) {
  auto znode = coordinator_.pipeline().applied().get(kPaths.topic(topic));
  auto now = coordinator::metadata::decode_topic(znode->bytes());
  if (!now) return;
  int32_t next_partition = static_cast<int32_t>(now->partitions.size());
  if (next_partition > 5) return;
  now->partitions[next_partition].replicas = {BrokerId(static_cast<int32_t>(world_.below(kBrokers)) + 1)};
  write({SetDataOp(kPaths.topic(topic), coordinator::metadata::encode_topic(*now), znode->stat.version)});
}

// As the shell does it: the children first, each by a write of its own.
void Hand::delete_all(const std::string& path) {
  auto children = coordinator_.pipeline().applied().children(path);
  if (!children) return;
  for (const std::string& child : *children) delete_all(path + "/" + child);
  world_.after(world_.between(0, 400), [this, path] {
    if (coordinator_.up()) write({DeleteOp(path)});
  });
}

void Hand::call_create(const std::string& topic) {
  auto* part = coordinator_.part<ControllerPart>();
  Cluster* cluster = part->runner().controller().cluster_for_call("");
  if (!cluster || cluster->image()->brokers.empty()) return;
  const auto& broker = cluster->image()->brokers.begin()->second;
  NewTopic wanted;
  wanted.name = topic;
  wanted.partitions = static_cast<int32_t>(world_.between(1, 3));
  wanted.replication_factor = 1;
  cluster->add(make_create_topics(Caller{broker.id, broker.epoch}, {wanted}, false, world_.now_ms() + 3000,
                                  [](Reply<TopicItem>) {}));
  part->runner().tick();
}

void Hand::write(std::vector<Operation> operations) {
  bool multi = operations.size() > 1;
  Pipeline::SessionRequest request;
  request.timeout_ms = 5000;
  // a session of its own each time: what is written does not depend on it
  uint64_t life = coordinator_.node().incarnation();
  coordinator_.pipeline().create_session(
      request, [this, life, multi, operations = std::move(operations)](Result<Pipeline::SessionGrant> grant) {
        if (!grant || life != coordinator_.node().incarnation()) return;
        coordinator_.pipeline().write(Write(grant->session, AuthInfo(), operations, multi), [](const WriteReply&) {});
      });
}

// --- invariants ---

void LeaderWatch::on_commit(const Commit& commit) {
  coordinator_.world().trace(format("zxid {} with {} changes", commit.zxid.value(), commit.changes.size()));
  const auto& tree = coordinator_.pipeline().applied();
  std::string prefix = kPaths.topics() + "/";
  for (const Change& change : commit.changes) {
    if (change.kind == Change::Kind::deleted || !change.path.starts_with(prefix) || !change.path.ends_with("/state")) {
      continue;
    }
    std::string rest = change.path.substr(prefix.size());
    std::string topic = rest.substr(0, rest.find('/'));
    std::string partition_path = change.path.substr(0, change.path.size() - 6);
    int32_t partition = std::stoi(partition_path.substr(partition_path.rfind('/') + 1));
    auto znode = tree.get(change.path);
    auto topic_stat = tree.stat(kPaths.topic(topic));
    if (!znode || !topic_stat) continue;
    auto state = coordinator::metadata::decode_state(znode->bytes());
    if (!state || state->leader.value() < 0) continue;
    auto key = std::make_tuple(topic, topic_stat->czxid.value(), partition, state->leader_epoch.value());
    auto [at, fresh] = seen_.emplace(key, state->leader.value());
    if (!fresh && at->second != state->leader.value()) {
      coordinator_.world().breach(format("{}-{}: leaders {} and {} in leader epoch {}", topic, partition, at->second,
                                         state->leader.value(), state->leader_epoch.value()));
    }
  }
}

std::vector<std::string> unconverged(SimCoordinator& coordinator) {
  std::vector<std::string> found;
  const auto& tree = coordinator.pipeline().applied();
  const Cluster* cluster = coordinator.part<ControllerPart>()->runner().controller().find("");
  if (!cluster) return {"the controller does not know the cluster"};
  auto topics = tree.children(kPaths.topics()).value_or(std::vector<std::string>());
  for (const std::string& topic : topics) {
    if (!cluster->image()->topics.contains(topic)) found.push_back("topic not in the image: " + topic);
    auto znode = tree.get(kPaths.topic(topic));
    auto decoded = coordinator::metadata::decode_topic(znode->bytes());
    if (!decoded || !decoded->id) {
      found.push_back("topic without an id: " + topic);
      continue;
    }
    for (const auto& [partition, assignment] : decoded->partitions) {
      auto state_znode = tree.get(kPaths.state(topic, PartitionId(partition)));
      auto state = state_znode ? coordinator::metadata::decode_state(state_znode->bytes()) : std::nullopt;
      if (!state) {
        found.push_back(format("partition without a state: {}-{}", topic, partition));
      } else if (!tree.stat(kPaths.broker(state->leader))) {
        found.push_back(format("partition without a living leader: {}-{}", topic, partition));
      }
    }
  }
  for (const auto& [topic, image] : cluster->image()->topics) {
    if (std::find(topics.begin(), topics.end(), topic) == topics.end()) {
      found.push_back("topic in the image only: " + topic);
    }
  }
  auto configs = tree.children(kPaths.topic_configs()).value_or(std::vector<std::string>());
  for (const std::string& topic : configs) {
    if (std::find(topics.begin(), topics.end(), topic) == topics.end()) {
      found.push_back("settings of a topic that is gone: " + topic);
    }
  }
  auto marks = tree.children(kPaths.delete_topics()).value_or(std::vector<std::string>());
  for (const std::string& topic : marks) found.push_back("marked for deletion and still there: " + topic);
  return found;
}

}  // namespace odradek::sim
