// AlterConfigs (whole and incremental) and producer id blocks.
#include <charconv>

#include "coordinator/controller/admin.h"
#include "coordinator/controller/cluster.h"

namespace odradek::coordinator::controller {

namespace {

std::optional<BrokerId> broker_of(const std::string& name) {
  if (name.empty()) return BrokerId(-1);
  int32_t id = 0;
  auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), id);
  if (error != std::errc() || end != name.data() + name.size() || id < 0) return std::nullopt;
  return BrokerId(id);
}

class AlterConfigsCall final : public ItemsCall {
 public:
  AlterConfigsCall(Caller caller, std::vector<ConfigChange> changes, bool validate_only,
                   int64_t deadline_ms, ReplyDone<ConfigItem> done)
      : ItemsCall(caller, changes.size(), deadline_ms),
        changes_(std::move(changes)),
        validate_only_(validate_only),
        done_(std::move(done)) {}

 private:
  std::string subject(size_t item) const override {
    return changes_[item].broker ? "/brokers/" + changes_[item].name : changes_[item].name;
  }
  Result<Plan> plan(size_t item, Cluster& cluster, const World& world) override;
  void answer(Cluster& cluster, std::optional<Error> error) override;

  static metadata::ConfigMap changed(metadata::ConfigMap now, const ConfigChange& change) {
    if (!change.incremental) now.clear();
    for (const auto& [key, value] : change.changes) {
      if (value)
        now[key] = *value;
      else
        now.erase(key);
    }
    return now;
  }

  std::vector<ConfigChange> changes_;
  bool validate_only_;
  ReplyDone<ConfigItem> done_;
};

Result<ItemsCall::Plan> AlterConfigsCall::plan(size_t item, Cluster& cluster, const World& world) {
  const ConfigChange& change = changes_[item];
  const metadata::ClusterPaths& paths = cluster.facts().paths();
  Plan plan;
  std::string path, entity;
  if (change.broker) {
    auto id = broker_of(change.name);
    if (!id) {
      return Error(Errc::invalid_request, "Node id must be an integer, but it is: " + change.name);
    }
    path = paths.broker_config(*id);
    entity = "brokers/" + (change.name.empty() ? "<default>" : change.name);
  } else {
    const TopicFacts* topic = cluster.facts().topic(change.name);
    if (topic == nullptr || !topic->exists) {
      return Error(Errc::unknown_topic_or_partition,
                   "The topic '" + change.name + "' does not exist.");
    }
    path = paths.topic_config(change.name);
    entity = "topics/" + change.name;
    plan.operations.push_back(
        tree::CheckOp(paths.topic(change.name), tree::kAnyVersion, topic->czxid));
  }
  auto node = world.tree.get(path);
  auto now = node ? metadata::decode_configs(node->bytes()) : metadata::ConfigMap();
  if (!now && change.incremental) {
    return Error(Errc::invalid_config,
                 path + " does not hold a configuration; replace it as a whole");
  }
  if (validate_only_) return Plan();
  std::string data = metadata::encode_configs(changed(now.value_or(metadata::ConfigMap()), change));
  if (node)
    plan.operations.push_back(tree::SetDataOp(path, std::move(data), node->stat.version));
  else
    plan.operations.push_back(tree::CreateOp(path, std::move(data)));
  add_config_change(cluster.facts(), entity, plan.operations);
  return plan;
}

void AlterConfigsCall::answer(Cluster& cluster, std::optional<Error> error) {
  Reply<ConfigItem> reply;
  reply.zxid = cluster.image()->zxid;
  reply.error = std::move(error);
  for (size_t i = 0; !reply.error && i < changes_.size(); ++i) {
    reply.items.push_back({changes_[i].broker, changes_[i].name, error_of(i)});
  }
  done_(std::move(reply));
}

class ProducerIdsCall final : public ItemsCall {
 public:
  ProducerIdsCall(Caller caller, int64_t deadline_ms, ReplyDone<ProducerIdBlock> done)
      : ItemsCall(caller, 1, deadline_ms), broker_(caller.broker), done_(std::move(done)) {}

 private:
  std::string subject(size_t) const override { return "/producer_ids"; }

  Result<Plan> plan(size_t, Cluster& cluster, const World& world) override {
    std::string path = cluster.facts().paths().producer_ids();
    int32_t size = cluster.settings().producer_id_block;
    auto node = world.tree.get(path);
    int64_t first = 0;
    if (node && !node->bytes().empty()) {
      auto last = metadata::decode_producer_ids(node->bytes());
      // Going on from anything but the last block would give an id twice.
      if (!last) return Error(Errc::internal, path + " does not hold a block of producer ids");
      if (last->last > INT64_MAX - 1 - size)
        return Error(Errc::limit_exceeded, "all producer ids are given out");
      first = last->last + 1;
    }
    block_ = ProducerIdBlock{std::nullopt, first, size};
    std::string data = metadata::encode_producer_ids({broker_, first, first + size - 1});
    Plan plan;
    if (node)
      plan.operations.push_back(tree::SetDataOp(path, std::move(data), node->stat.version));
    else
      plan.operations.push_back(tree::CreateOp(path, std::move(data)));
    return plan;
  }

  void answer(Cluster& cluster, std::optional<Error> error) override {
    Reply<ProducerIdBlock> reply;
    reply.zxid = cluster.image()->zxid;
    reply.error = error ? std::move(error) : error_of(0);
    if (!reply.error) reply.items.push_back(block_);
    done_(std::move(reply));
  }

  BrokerId broker_;
  ProducerIdBlock block_;
  ReplyDone<ProducerIdBlock> done_;
};

}  // namespace

std::shared_ptr<Call> make_alter_configs(Caller caller, std::vector<ConfigChange> changes,
                                         bool validate_only, int64_t deadline_ms,
                                         ReplyDone<ConfigItem> done) {
  return std::make_shared<AlterConfigsCall>(caller, std::move(changes), validate_only, deadline_ms,
                                            std::move(done));
}

std::shared_ptr<Call> make_allocate_producer_ids(Caller caller, int64_t deadline_ms,
                                                 ReplyDone<ProducerIdBlock> done) {
  return std::make_shared<ProducerIdsCall>(caller, deadline_ms, std::move(done));
}

}  // namespace odradek::coordinator::controller
