#include "broker/metadata/wire_codec.h"

#include "proto/coordinator/ids.h"

namespace odradek::broker::metadata {

namespace {

using contract::add_all;
using contract::brokers_of;
using contract::bytes_of;
using contract::uuid_of;

// No topic has more; a larger index is not from a coordinator of ours.
constexpr int32_t kMaxPartitions = 100'000;

Error malformed(const char* what) {
  return Error(Errc::malformed, std::string("from the coordinator: ") + what);
}

Partition decode_partition(const wire::Partition& from) {
  Partition partition;
  partition.leader = BrokerId(from.leader());
  partition.leader_epoch = LeaderEpoch(from.leader_epoch());
  partition.partition_epoch = from.partition_epoch();
  partition.replicas = brokers_of(from.replicas());
  partition.isr = brokers_of(from.isr());
  partition.adding_replicas = brokers_of(from.adding_replicas());
  partition.removing_replicas = brokers_of(from.removing_replicas());
  return partition;
}

Broker decode_broker(const wire::Broker& from) {
  Broker broker;
  broker.id = BrokerId(from.id());
  if (from.has_rack()) broker.rack = from.rack();
  broker.epoch = from.epoch();
  for (const wire::Endpoint& endpoint : from.endpoints()) {
    broker.endpoints.push_back(
        {endpoint.listener(), endpoint.host(), endpoint.port(), endpoint.security_protocol()});
  }
  return broker;
}

ConfigMap decode_configs(const wire::Configs& from) {
  return ConfigMap(from.entries().begin(), from.entries().end());
}

void put_broker_configs(const wire::BrokerConfigs& from, Image& image) {
  ConfigMap configs = decode_configs(from.configs());
  if (from.broker_id() == -1) {
    image.default_broker_config = std::move(configs);
  } else if (configs.empty()) {
    image.broker_configs.erase(BrokerId(from.broker_id()));
  } else {
    image.broker_configs[BrokerId(from.broker_id())] = std::move(configs);
  }
}

Result<void> put_deleted(const wire::DeletedTopic& from, Image& image) {
  auto id = uuid_of(from.id());
  if (!id) return malformed("a topic id without 16 bytes");
  image.deleted_topics.push_back({from.name(), *id, Zxid(from.czxid()), Zxid(from.zxid())});
  return {};
}

void remove_topic(const std::string& name, Image& image) {
  auto found = image.topics.find(name);
  if (found == image.topics.end()) return;
  image.topic_names.erase(found->second->id);
  image.topics.erase(found);
}

Result<void> put_topic(const wire::Topic& from, Image& image) {
  auto id = uuid_of(from.id());
  if (!id) return malformed("a topic id without 16 bytes");
  auto topic = std::make_shared<Topic>();
  auto was = image.topics.find(from.name());
  if (!from.whole()) {
    if (was == image.topics.end()) return malformed("a change of a topic that is not in the image");
    *topic = *was->second;
  }
  topic->name = from.name();
  topic->id = *id;
  for (const wire::Partition& partition : from.partitions()) {
    if (partition.index() < 0 || partition.index() >= kMaxPartitions)
      return malformed("a partition number");
    size_t index = static_cast<size_t>(partition.index());
    if (topic->partitions.size() <= index) topic->partitions.resize(index + 1);
    topic->partitions[index] = decode_partition(partition);
  }
  if (from.has_configs()) topic->configs = decode_configs(from.configs());
  remove_topic(from.name(), image);
  image.topic_names[*id] = from.name();
  image.topics[from.name()] = std::move(topic);
  return {};
}

}  // namespace

// No default: a new code without a meaning here is a warning of the compiler.
std::optional<Error> error_of(wire::Code code, const std::string& message) {
  auto error = [&](Errc errc) { return Error(errc, message); };
  switch (code) {
    case wire::OK:
      return std::nullopt;
    case wire::INVALID_REQUEST:
      return error(Errc::invalid_request);
    case wire::INVALID_TOPIC_NAME:
      return error(Errc::invalid_topic_name);
    case wire::TOPIC_EXISTS:
      return error(Errc::topic_exists);
    case wire::UNKNOWN_TOPIC:
      return error(Errc::unknown_topic_or_partition);
    case wire::UNKNOWN_TOPIC_ID:
      return error(Errc::unknown_topic_id);
    case wire::INVALID_PARTITIONS:
      return error(Errc::invalid_partitions);
    case wire::INVALID_REPLICATION_FACTOR:
      return error(Errc::invalid_replication_factor);
    case wire::INVALID_REPLICA_ASSIGNMENT:
      return error(Errc::invalid_replica_assignment);
    case wire::INVALID_CONFIG:
      return error(Errc::invalid_config);
    case wire::TOPIC_DELETION_DISABLED:
      return error(Errc::topic_deletion_disabled);
    case wire::STALE_BROKER_EPOCH:
      return error(Errc::stale_broker_epoch);
    case wire::INVALID_UPDATE_VERSION:
      return error(Errc::invalid_update_version);
    case wire::FENCED_LEADER_EPOCH:
      return error(Errc::fenced_leader_epoch);
    case wire::NOT_LEADER:
      return error(Errc::not_leader_or_follower);
    case wire::INELIGIBLE_REPLICA:
      return error(Errc::ineligible_replica);
    case wire::BROKER_NOT_AVAILABLE:
      return error(Errc::broker_not_available);
    case wire::DUPLICATE_BROKER_ID:
      return error(Errc::duplicate_broker_id);
    case wire::FOREIGN_CONTROLLER:
      return error(Errc::foreign_controller);
    case wire::CLUSTER_ID_MISMATCH:
      return error(Errc::cluster_id_mismatch);
    case wire::TIMED_OUT:
      return error(Errc::timed_out);
    case wire::UNAVAILABLE:
      return error(Errc::unavailable);
    case wire::NO_AUTH:
      return error(Errc::no_auth);
    case wire::INTERNAL:
    case wire::Code_INT_MIN_SENTINEL_DO_NOT_USE_:
    case wire::Code_INT_MAX_SENTINEL_DO_NOT_USE_:
      return error(Errc::internal);
  }
  return error(Errc::internal);  // of a later release
}

// ---- what is sent ----

wire::Register encode(const Registration& registration, const std::string& chroot) {
  wire::Register message;
  message.set_chroot(chroot);
  message.set_broker_id(registration.broker_id.value());
  message.set_reserved_broker_max_id(registration.reserved_broker_max_id);
  message.set_broker_id_generation_enable(registration.broker_id_generation_enable);
  for (const Endpoint& endpoint : registration.endpoints) {
    wire::Endpoint& to = *message.add_endpoints();
    to.set_listener(endpoint.listener);
    to.set_host(endpoint.host);
    to.set_port(endpoint.port);
    to.set_security_protocol(endpoint.security_protocol);
  }
  message.set_has_rack(registration.rack.has_value());
  if (registration.rack) message.set_rack(*registration.rack);
  for (const Uuid& id : registration.directory_ids) message.add_directory_ids(bytes_of(id));
  message.set_incarnation(bytes_of(registration.incarnation));
  message.set_cluster_id(registration.cluster_id);
  message.set_session_timeout_ms(registration.session_timeout_ms);
  message.set_jmx_port(registration.jmx_port);
  message.set_delete_topic_enable(registration.delete_topic_enable);
  message.set_unclean_leader_election_enable(registration.unclean_leader_election_enable);
  return message;
}

wire::CreateTopicsRequest encode(const std::vector<NewTopic>& topics) {
  wire::CreateTopicsRequest message;
  for (const NewTopic& topic : topics) {
    wire::NewTopic& to = *message.add_topics();
    to.set_name(topic.name);
    to.set_partitions(topic.partitions);
    to.set_replication_factor(topic.replication_factor);
    for (const auto& [index, replicas] : topic.assignments) {
      add_all(replicas, *(*to.mutable_assignments())[index.value()].mutable_broker_ids());
    }
    for (const auto& [key, value] : topic.configs) (*to.mutable_configs())[key] = value;
  }
  return message;
}

wire::DeleteTopicsRequest encode(const std::vector<TopicToDelete>& topics) {
  wire::DeleteTopicsRequest message;
  for (const TopicToDelete& topic : topics) {
    auto& to = *message.add_topics();
    to.set_name(topic.name);
    if (!topic.id.is_zero()) to.set_id(bytes_of(topic.id));
  }
  return message;
}

wire::CreatePartitionsRequest encode(const std::vector<NewPartitions>& topics) {
  wire::CreatePartitionsRequest message;
  for (const NewPartitions& topic : topics) {
    auto& to = *message.add_topics();
    to.set_name(topic.topic);
    to.set_total_count(topic.total_count);
    for (const auto& replicas : topic.assignments)
      add_all(replicas, *to.add_assignments()->mutable_broker_ids());
  }
  return message;
}

wire::AlterConfigsRequest encode(const std::vector<ConfigChange>& changes) {
  wire::AlterConfigsRequest message;
  for (const ConfigChange& change : changes) {
    auto& to = *message.add_resources();
    to.set_entity(change.entity == ConfigEntity::broker ? wire::AlterConfigsRequest::BROKER
                                                        : wire::AlterConfigsRequest::TOPIC);
    to.set_name(change.name);
    to.set_incremental(change.incremental);
    for (const auto& [key, op, value] : change.changes) {
      auto& entry = *to.add_changes();
      entry.set_key(key);
      entry.set_remove(op == ConfigOp::remove);
      entry.set_value(value);
    }
  }
  return message;
}

wire::AlterPartitionRequest encode(const std::vector<IsrChange>& changes) {
  wire::AlterPartitionRequest message;
  for (const IsrChange& change : changes) {
    auto& to = *message.add_items();
    to.set_topic(change.partition.topic);
    if (!change.topic_id.is_zero()) to.set_topic_id(bytes_of(change.topic_id));
    to.set_partition(change.partition.partition.value());
    to.set_leader_epoch(change.leader_epoch.value());
    to.set_partition_epoch(change.partition_epoch);
    add_all(change.isr, *to.mutable_isr());
  }
  return message;
}

// ---- what comes back ----

std::vector<TopicResult> decode(const wire::TopicsReply& reply) {
  std::vector<TopicResult> results;
  for (const wire::TopicResult& from : reply.topics()) {
    TopicResult& result = results.emplace_back();
    result.name = from.name();
    result.error = error_of(from.code(), from.message());
    result.id = uuid_of(from.id()).value_or(Uuid());
    result.partitions = from.partitions();
    result.replication_factor = static_cast<int16_t>(from.replication_factor());
  }
  return results;
}

std::vector<ConfigResult> decode(const wire::AlterConfigsReply& reply) {
  std::vector<ConfigResult> results;
  for (const auto& from : reply.resources()) {
    ConfigResult& result = results.emplace_back();
    result.entity = from.entity() == wire::AlterConfigsRequest::BROKER ? ConfigEntity::broker
                                                                       : ConfigEntity::topic;
    result.name = from.name();
    result.error = error_of(from.code(), from.message());
  }
  return results;
}

std::vector<IsrResult> decode(const wire::AlterPartitionReply& reply) {
  std::vector<IsrResult> results;
  for (const auto& from : reply.items()) {
    IsrResult& result = results.emplace_back();
    result.partition = {from.topic(), PartitionId(from.partition())};
    result.error = error_of(from.code(), from.message());
    result.now = decode_partition(from.now());
  }
  return results;
}

std::vector<TopicPartition> decode(const wire::ControlledShutdownReply& reply) {
  std::vector<TopicPartition> partitions;
  for (const auto& from : reply.still_led())
    partitions.push_back({from.topic(), PartitionId(from.partition())});
  return partitions;
}

Result<void> SnapshotBuilder::add(const wire::SnapshotPart& part) {
  Image& image = *image_;
  if (image.zxid == Zxid()) {
    image.zxid = Zxid(part.zxid());
    image.cluster_id = part.cluster_id();
    image.controller = BrokerId(part.controller());
  }
  if (image.zxid != Zxid(part.zxid())) return malformed("parts of two snapshots");
  for (const wire::Broker& broker : part.brokers())
    image.brokers[BrokerId(broker.id())] = decode_broker(broker);
  for (const wire::BrokerConfigs& configs : part.broker_configs())
    put_broker_configs(configs, image);
  for (const wire::DeletedTopic& record : part.deleted_topics()) {
    if (auto ok = put_deleted(record, image); !ok) return ok.error();
  }
  for (const wire::Topic& topic : part.topics()) {
    if (auto ok = put_topic(topic, image); !ok) return ok.error();
  }
  return {};
}

std::shared_ptr<Image> SnapshotBuilder::take() {
  return std::exchange(image_, std::make_shared<Image>());
}

Result<std::shared_ptr<Image>> apply(const Image& before, const wire::Delta& delta) {
  if (Zxid(delta.before_zxid()) != before.zxid)
    return malformed("a delta that does not start at this image");
  auto image = std::make_shared<Image>(before);
  image->zxid = Zxid(delta.zxid());
  if (delta.has_controller()) image->controller = BrokerId(delta.controller());
  for (const wire::Broker& broker : delta.brokers())
    image->brokers[BrokerId(broker.id())] = decode_broker(broker);
  for (int32_t id : delta.brokers_gone()) image->brokers.erase(BrokerId(id));
  for (const std::string& name : delta.topics_gone()) remove_topic(name, *image);
  for (const wire::Topic& topic : delta.topics()) {
    if (auto ok = put_topic(topic, *image); !ok) return ok.error();
  }
  for (const wire::BrokerConfigs& configs : delta.broker_configs())
    put_broker_configs(configs, *image);
  std::erase_if(image->deleted_topics, [&](const DeletedTopic& record) {
    return record.zxid < Zxid(delta.deleted_topics_kept_from());
  });
  for (const wire::DeletedTopic& record : delta.deleted_topics()) {
    if (auto ok = put_deleted(record, *image); !ok) return ok.error();
  }
  return image;
}

}  // namespace odradek::broker::metadata
