#include "coordinator/controller/registration.h"

#include <algorithm>

#include "common/format.h"
#include "common/log/log.h"
#include "coordinator/controller/cluster.h"

namespace odradek::coordinator::controller {

namespace {

constexpr size_t kMaxEndpoints = 100;
constexpr size_t kMaxDirectories = 1'000;

std::string shown(const std::string& chroot) { return chroot.empty() ? "/" : chroot; }

Result<void> check_request(const RegistrationRequest& request) {
  auto invalid = [](std::string why) { return Error(Errc::invalid_request, std::move(why)); };
  if (request.broker_id.value() < -1) return invalid("a broker id is 0 or above, or -1");
  if (request.endpoints.empty() || request.endpoints.size() > kMaxEndpoints) {
    return invalid("a broker registers with 1 to 100 endpoints");
  }
  for (const metadata::Endpoint& endpoint : request.endpoints) {
    if (endpoint.listener.empty() || endpoint.port < 0 || endpoint.port > 65535) {
      return invalid("an endpoint has a listener name and a port of 0 to 65535");
    }
  }
  if (request.directories.empty() || request.directories.size() > kMaxDirectories) {
    return invalid("a broker registers with the ids of its data directories");
  }
  return {};
}

class RegisterCall final : public ItemsCall {
 public:
  RegisterCall(RegistrationRequest request, int64_t deadline_ms, RegistrationDone done)
      : ItemsCall(std::nullopt, 1, deadline_ms),
        request_(std::move(request)),
        done_(std::move(done)) {}

 private:
  std::string subject(size_t) const override { return "/registration"; }
  bool needs_lead() const override { return false; }
  Result<Plan> plan(size_t item, Cluster& cluster, const World& world) override;
  void applied(size_t item, Zxid zxid) override { registration_.broker_epoch = zxid.value(); }
  void answer(Cluster& cluster, std::optional<Error> error) override;

  Result<void> settle_cluster_id(const ClusterFacts& facts, const World& world,
                                 Operations& operations);
  Result<void> settle_broker_id(const ClusterFacts& facts, const World& world,
                                Operations& operations);
  Result<void> supersede(const ClusterFacts& facts, const World& world, Operations& operations);

  RegistrationRequest request_;
  RegistrationDone done_;
  Registration registration_;
};

void add_missing(const World& world, const std::string& path, std::optional<std::string> data,
                 bool own, Operations& operations) {
  if (world.tree.stat(path)) return;
  if (own)
    operations.push_back(own_create(path, data.value_or("")));
  else
    operations.push_back(tree::CreateOp(path, std::move(data)));
}

void add_bootstrap(const ClusterFacts& facts, const World& world, Operations& operations) {
  const metadata::ClusterPaths& paths = facts.paths();
  const std::string& chroot = paths.chroot();
  for (size_t slash = chroot.find('/', 1); !chroot.empty(); slash = chroot.find('/', slash + 1)) {
    add_missing(world, chroot.substr(0, slash), std::nullopt, false, operations);
    if (slash == std::string::npos) break;
  }
  for (const auto& [path, data] : metadata::persistent_znodes()) {
    add_missing(world, paths.at(path), data, false, operations);
  }
  add_missing(world, paths.own_root(), std::nullopt, true, operations);
  add_missing(world, paths.own_clusters(), std::nullopt, true, operations);
  add_missing(world, paths.own(), metadata::encode_own({chroot, SessionId()}), true, operations);
  for (const std::string& path : {paths.own_brokers(), paths.own_topics(), paths.own_deleted()}) {
    add_missing(world, path, std::nullopt, true, operations);
  }
}

Result<ItemsCall::Plan> RegisterCall::plan(size_t, Cluster& cluster, const World& world) {
  const ClusterFacts& facts = cluster.facts();
  const metadata::ClusterPaths& paths = facts.paths();
  if (auto ok = check_request(request_); !ok) return ok.error();
  std::string foreign = facts.foreign();
  if (!foreign.empty()) {
    return Error(
        Errc::foreign_controller,
        odradek::format(
            "The cluster at {} is led by Kafka's own brokers: {}. Stop them, or give this broker "
            "another chroot in zookeeper.connect.",
            shown(paths.chroot()), foreign));
  }
  Plan plan;
  Operations& operations = plan.operations;
  add_lead_check(facts, operations);
  add_bootstrap(facts, world, operations);
  registration_ = Registration();
  if (auto ok = settle_cluster_id(facts, world, operations); !ok) return ok.error();
  if (auto ok = settle_broker_id(facts, world, operations); !ok) return ok.error();
  if (auto ok = supersede(facts, world, operations); !ok) return ok.error();

  registration_.session = world.environment.new_session(request_.session_timeout_ms, false);
  plan.session = registration_.session.session;
  operations.push_back(tree::CreateSessionOp(registration_.session.session,
                                             registration_.session.timeout_ms,
                                             registration_.session.password));
  metadata::Broker broker;
  broker.id = registration_.broker_id;
  broker.rack = request_.rack;
  broker.endpoints = request_.endpoints;
  operations.push_back(tree::CreateOp(
      paths.broker(broker.id), metadata::encode_broker(broker, request_.jmx_port, world.wall_ms),
      tree::NodeKind::ephemeral));
  metadata::BrokerIdentity identity;
  identity.directories = request_.directories;
  identity.incarnation = request_.incarnation;
  identity.session = registration_.session.session;
  identity.delete_topic_enable = request_.delete_topic_enable;
  identity.unclean_leader_election_enable = request_.unclean_leader_election_enable;
  std::string data = metadata::encode_identity(identity);
  if (world.tree.stat(paths.own_broker(broker.id))) {
    operations.push_back(tree::SetDataOp(paths.own_broker(broker.id), std::move(data)));
  } else {
    operations.push_back(own_create(paths.own_broker(broker.id), std::move(data)));
  }
  return plan;
}

Result<void> RegisterCall::settle_cluster_id(const ClusterFacts& facts, const World& world,
                                             Operations& operations) {
  auto node = world.tree.get(facts.paths().cluster_id());
  if (node) {
    auto id = metadata::decode_cluster_id(node->bytes());
    if (!id) {
      return Error(
          Errc::cluster_id_mismatch,
          odradek::format("{} does not hold a cluster id. Delete that znode if the cluster is "
                          "new, or restore it.",
                          facts.paths().cluster_id()));
    }
    if (!request_.cluster_id.empty() && request_.cluster_id != *id) {
      return Error(
          Errc::cluster_id_mismatch,
          odradek::format(
              "The Cluster ID {} doesn't match stored clusterId Some({}) in meta.properties. The "
              "broker "
              "is trying to join the wrong cluster. Configured zookeeper.connect may be wrong.",
              *id, request_.cluster_id));
    }
    registration_.cluster_id = *id;
    return {};
  }
  if (!request_.cluster_id.empty()) {
    return Error(
        Errc::cluster_id_mismatch,
        odradek::format("There is no cluster at {} of this coordinator, but meta.properties "
                        "of the broker belong to "
                        "cluster {}. Check zookeeper.connect and the coordinator's dataDir; "
                        "if the old cluster is "
                        "gone for good, remove meta.properties from log.dirs.",
                        shown(facts.paths().chroot()), request_.cluster_id));
  }
  registration_.cluster_id = world.environment.new_uuid().to_string();
  operations.push_back(tree::CreateOp(facts.paths().cluster_id(),
                                      metadata::encode_cluster_id(registration_.cluster_id)));
  return {};
}

Result<void> RegisterCall::settle_broker_id(const ClusterFacts& facts, const World& world,
                                            Operations& operations) {
  registration_.broker_id = request_.broker_id;
  if (request_.broker_id != BrokerId(-1)) return {};
  if (!request_.broker_id_generation_enable) {
    return Error(Errc::invalid_request,
                 "broker.id is -1 and broker.id.generation.enable is false. Set broker.id.");
  }
  // As Kafka: the data version of /brokers/seqid counts, and reserved.broker.max.id is added. A
  // znode that is made in this same transaction has version 0.
  auto stat = world.tree.stat(facts.paths().seqid());
  int32_t version = stat ? stat->version : 0;
  int64_t id = static_cast<int64_t>(version) + 1 + request_.reserved_broker_max_id;
  if (id > INT32_MAX)
    return Error(Errc::invalid_request, "no broker id is left above reserved.broker.max.id");
  operations.push_back(tree::SetDataOp(facts.paths().seqid(), std::string(), version));
  registration_.broker_id = BrokerId(static_cast<int32_t>(id));
  return {};
}

// The former registration under this id: ended where it was the same broker, respected where it was
// another.
Result<void> RegisterCall::supersede(const ClusterFacts& facts, const World& world,
                                     Operations& operations) {
  auto identity = facts.identities.find(registration_.broker_id);
  if (identity == facts.identities.end()) return {};
  const metadata::BrokerIdentity& known = identity->second;
  if (!world.tree.session(known.session)) return {};
  auto is_ours = [&](const Uuid& id) {
    return std::find(request_.directories.begin(), request_.directories.end(), id) !=
           request_.directories.end();
  };
  auto broker = facts.brokers.find(registration_.broker_id);
  if (broker != facts.brokers.end() &&
      !std::any_of(known.directories.begin(), known.directories.end(), is_ours)) {
    const std::vector<metadata::Endpoint>& endpoints = broker->second.broker.endpoints;
    std::string where =
        endpoints.empty() ? "" : odradek::format(" at {}:{}", endpoints[0].host, endpoints[0].port);
    return Error(Errc::duplicate_broker_id,
                 odradek::format("Broker id {} is in use: a broker with other data directories is "
                                 "registered with it{}. Give "
                                 "this broker another broker.id in server.properties.",
                                 registration_.broker_id.value(), where));
  }
  registration_.superseded = known.session;
  operations.push_back(tree::CloseSessionOp(known.session));
  return {};
}

void RegisterCall::answer(Cluster& cluster, std::optional<Error> error) {
  if (!error) error = error_of(0);
  if (error) {
    done_(*error);
    return;
  }
  const metadata::Endpoint& endpoint = request_.endpoints.front();
  LOG_INFO("controller", "Broker {} registered at {} with epoch {}, session 0x{:x}, {}://{}:{}{}",
           registration_.broker_id.value(), shown(cluster.chroot()), registration_.broker_epoch,
           static_cast<uint64_t>(registration_.session.session.value()), endpoint.listener,
           endpoint.host, endpoint.port,
           registration_.superseded == SessionId() ? "" : ", in place of its former session");
  done_(registration_);
}

}  // namespace

std::shared_ptr<Call> make_registration(RegistrationRequest request, int64_t deadline_ms,
                                        RegistrationDone done) {
  return std::make_shared<RegisterCall>(std::move(request), deadline_ms, std::move(done));
}

Result<void> check_chroot(const std::string& chroot) {
  auto invalid = [&] {
    return Error(Errc::invalid_request, "zookeeper.connect names no possible chroot: " + chroot);
  };
  if (chroot.empty()) return {};
  if (chroot.front() != '/' || chroot.size() > 1'000) return invalid();
  size_t start = 1;
  while (start <= chroot.size()) {
    size_t slash = std::min(chroot.find('/', start), chroot.size());
    std::string_view part = std::string_view(chroot).substr(start, slash - start);
    if (part.empty() || part == "." || part == "..") return invalid();
    if (std::any_of(part.begin(), part.end(),
                    [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; })) {
      return invalid();
    }
    start = slash + 1;
  }
  if (chroot == "/zookeeper" || chroot.starts_with("/zookeeper/")) return invalid();
  return {};
}

}  // namespace odradek::coordinator::controller
