#include "coordinator/server/broker_codec.h"

#include "proto/coordinator/ids.h"

namespace odradek::coordinator::server {

namespace {

using contract::add_all;
using contract::brokers_of;
using contract::bytes_of;
using contract::uuid_of;

constexpr int kPartitionsInPart = 2'000;
constexpr int kTopicsInPart = 500;
constexpr int kMaxItems = 100'000;

Error malformed(const char* what) { return Error(Errc::invalid_request, what); }

void encode_broker(const metadata::Broker& broker, wire::Broker& message) {
  message.set_id(broker.id.value());
  message.set_has_rack(broker.rack.has_value());
  if (broker.rack) message.set_rack(*broker.rack);
  message.set_epoch(broker.epoch);
  for (const metadata::Endpoint& endpoint : broker.endpoints) {
    wire::Endpoint& to = *message.add_endpoints();
    to.set_listener(endpoint.listener);
    to.set_host(endpoint.host);
    to.set_port(endpoint.port);
    to.set_security_protocol(endpoint.security_protocol);
  }
}

void encode_partition(PartitionId id, const metadata::Partition& partition,
                      wire::Partition& message) {
  message.set_index(id.value());
  message.set_leader(partition.leader.value());
  message.set_leader_epoch(partition.leader_epoch.value());
  message.set_partition_epoch(partition.partition_epoch);
  add_all(partition.replicas, *message.mutable_replicas());
  add_all(partition.isr, *message.mutable_isr());
  add_all(partition.adding_replicas, *message.mutable_adding_replicas());
  add_all(partition.removing_replicas, *message.mutable_removing_replicas());
}

void encode_configs(const metadata::ConfigMap& configs, wire::Configs& message) {
  for (const auto& [key, value] : configs) (*message.mutable_entries())[key] = value;
}

void encode_broker_configs(BrokerId id, const metadata::ConfigMap& configs,
                           wire::BrokerConfigs& message) {
  message.set_broker_id(id.value());
  encode_configs(configs, *message.mutable_configs());
}

void encode_deleted(const metadata::DeletedTopic& record, wire::DeletedTopic& message) {
  message.set_name(record.name);
  message.set_id(bytes_of(record.id));
  message.set_czxid(record.czxid.value());
  message.set_zxid(record.zxid.value());
}

template <typename Item>
bool set_status(const controller::Reply<Item>& reply, wire::Status& status) {
  status.set_zxid(reply.zxid.value());
  if (!reply.error) return true;
  set_error(*reply.error, status);
  return false;
}

template <typename Message>
void set_item_error(const std::optional<Error>& error, Message& message) {
  if (!error) return;
  message.set_code(wire_code(error->code()));
  message.set_message(error->what());
}

}  // namespace

// No default: a new code without a number here is a warning of the compiler.
wire::Code wire_code(Errc code) {
  switch (code) {
    case Errc::invalid_argument:
    case Errc::invalid_request:
    case Errc::malformed:
      return wire::INVALID_REQUEST;
    case Errc::unavailable:
    case Errc::store_fenced:
    case Errc::limit_exceeded:
    case Errc::cancelled:
      return wire::UNAVAILABLE;
    case Errc::timed_out:
      return wire::TIMED_OUT;
    case Errc::no_auth:
    case Errc::auth_failed:
      return wire::NO_AUTH;
    case Errc::invalid_topic_name:
      return wire::INVALID_TOPIC_NAME;
    case Errc::topic_exists:
      return wire::TOPIC_EXISTS;
    case Errc::invalid_partitions:
      return wire::INVALID_PARTITIONS;
    case Errc::invalid_replication_factor:
      return wire::INVALID_REPLICATION_FACTOR;
    case Errc::invalid_replica_assignment:
      return wire::INVALID_REPLICA_ASSIGNMENT;
    case Errc::invalid_config:
      return wire::INVALID_CONFIG;
    case Errc::topic_deletion_disabled:
      return wire::TOPIC_DELETION_DISABLED;
    case Errc::stale_broker_epoch:
      return wire::STALE_BROKER_EPOCH;
    case Errc::invalid_update_version:
      return wire::INVALID_UPDATE_VERSION;
    case Errc::ineligible_replica:
      return wire::INELIGIBLE_REPLICA;
    case Errc::broker_not_available:
      return wire::BROKER_NOT_AVAILABLE;
    case Errc::duplicate_broker_id:
      return wire::DUPLICATE_BROKER_ID;
    case Errc::foreign_controller:
      return wire::FOREIGN_CONTROLLER;
    case Errc::cluster_id_mismatch:
      return wire::CLUSTER_ID_MISMATCH;
    case Errc::unknown_topic_or_partition:
      return wire::UNKNOWN_TOPIC;
    case Errc::unknown_topic_id:
    case Errc::inconsistent_topic_id:
      return wire::UNKNOWN_TOPIC_ID;
    case Errc::not_leader_or_follower:
      return wire::NOT_LEADER;
    case Errc::fenced_leader_epoch:
    case Errc::unknown_leader_epoch:
      return wire::FENCED_LEADER_EPOCH;
    // the rest is nobody's fault out there
    case Errc::not_found:
    case Errc::already_exists:
    case Errc::internal:
    case Errc::unsupported_version:
    case Errc::io_error:
    case Errc::disk_full:
    case Errc::permission_denied:
    case Errc::locked:
    case Errc::bad_setting:
    case Errc::bad_compression:
    case Errc::no_node:
    case Errc::node_exists:
    case Errc::not_empty:
    case Errc::bad_version:
    case Errc::no_children_for_ephemerals:
    case Errc::invalid_acl:
    case Errc::bad_path:
    case Errc::session_expired:
    case Errc::session_moved:
    case Errc::no_watcher:
    case Errc::quota_exceeded:
    case Errc::reconfig_disabled:
    case Errc::unimplemented:
    case Errc::runtime_inconsistency:
    case Errc::store_damaged:
    case Errc::corrupt_record:
    case Errc::invalid_record:
    case Errc::record_too_large:
    case Errc::record_list_too_large:
    case Errc::offset_out_of_range:
    case Errc::out_of_order_sequence:
    case Errc::duplicate_sequence:
    case Errc::invalid_producer_epoch:
    case Errc::unknown_producer_id:
    case Errc::unsupported_for_message_format:
    case Errc::unsupported_compression_type:
    case Errc::log_dir_offline:
    case Errc::not_enough_replicas:
    case Errc::invalid_required_acks:
    case Errc::invalid_timestamp:
    case Errc::transactional_id_refused:
    case Errc::coordinator_load_in_progress:
    case Errc::coordinator_not_available:
    case Errc::not_coordinator:
    case Errc::illegal_generation:
    case Errc::inconsistent_group_protocol:
    case Errc::invalid_group_id:
    case Errc::unknown_member_id:
    case Errc::invalid_session_timeout:
    case Errc::rebalance_in_progress:
    case Errc::invalid_commit_offset_size:
    case Errc::offset_metadata_too_large:
    case Errc::non_empty_group:
    case Errc::group_id_not_found:
    case Errc::member_id_required:
    case Errc::group_max_size_reached:
    case Errc::fenced_instance_id:
    case Errc::group_subscribed_to_topic:
    case Errc::unstable_offset_commit:
      return wire::INTERNAL;
  }
  return wire::INTERNAL;
}

void set_error(const Error& error, wire::Status& status) {
  status.set_code(wire_code(error.code()));
  status.set_message(error.what());
}

// ---- what brokers send ----

controller::Caller decode(const wire::Caller& caller) {
  return {BrokerId(caller.broker_id()), caller.broker_epoch()};
}

Result<controller::RegistrationRequest> decode(const wire::Register& message) {
  controller::RegistrationRequest request;
  request.broker_id = BrokerId(message.broker_id());
  request.reserved_broker_max_id = message.reserved_broker_max_id();
  request.broker_id_generation_enable = message.broker_id_generation_enable();
  for (const wire::Endpoint& endpoint : message.endpoints()) {
    request.endpoints.emplace_back(endpoint.listener(), endpoint.host(), endpoint.port(),
                                   endpoint.security_protocol());
  }
  if (message.has_rack()) request.rack = message.rack();
  for (const std::string& bytes : message.directory_ids()) {
    auto id = uuid_of(bytes);
    if (!id) return malformed("a directory id has 16 bytes");
    request.directories.push_back(*id);
  }
  auto incarnation = uuid_of(message.incarnation());
  if (!incarnation) return malformed("an incarnation has 16 bytes");
  request.incarnation = *incarnation;
  request.cluster_id = message.cluster_id();
  request.session_timeout_ms = message.session_timeout_ms();
  request.jmx_port = message.jmx_port();
  request.delete_topic_enable = message.delete_topic_enable();
  request.unclean_leader_election_enable = message.unclean_leader_election_enable();
  if (request.reserved_broker_max_id < 0) return malformed("reserved.broker.max.id is 0 or above");
  return request;
}

Result<std::vector<controller::NewTopic>> decode(const wire::CreateTopicsRequest& message) {
  if (message.topics_size() > kMaxItems) return malformed("too many topics in one request");
  std::vector<controller::NewTopic> topics;
  for (const wire::NewTopic& from : message.topics()) {
    controller::NewTopic& topic = topics.emplace_back();
    topic.name = from.name();
    topic.partitions = from.partitions();
    topic.replication_factor = from.replication_factor();
    for (const auto& [index, replicas] : from.assignments()) {
      topic.assignments[index] = brokers_of(replicas.broker_ids());
    }
    topic.configs.insert(from.configs().begin(), from.configs().end());
  }
  return topics;
}

Result<std::vector<controller::TopicToDelete>> decode(const wire::DeleteTopicsRequest& message) {
  if (message.topics_size() > kMaxItems) return malformed("too many topics in one request");
  std::vector<controller::TopicToDelete> topics;
  for (const auto& from : message.topics()) {
    auto id = from.id().empty() ? Uuid() : uuid_of(from.id());
    if (!id) return malformed("a topic id has 16 bytes");
    topics.push_back({from.name(), *id});
  }
  return topics;
}

Result<std::vector<controller::MorePartitions>> decode(
    const wire::CreatePartitionsRequest& message) {
  if (message.topics_size() > kMaxItems) return malformed("too many topics in one request");
  std::vector<controller::MorePartitions> topics;
  for (const auto& from : message.topics()) {
    controller::MorePartitions& topic = topics.emplace_back();
    topic.name = from.name();
    topic.total = from.total_count();
    for (const wire::Replicas& replicas : from.assignments()) {
      topic.assignments.push_back(brokers_of(replicas.broker_ids()));
    }
  }
  return topics;
}

Result<std::vector<controller::ConfigChange>> decode(const wire::AlterConfigsRequest& message) {
  if (message.resources_size() > kMaxItems) return malformed("too many resources in one request");
  std::vector<controller::ConfigChange> changes;
  for (const auto& from : message.resources()) {
    if (from.entity() != wire::AlterConfigsRequest::TOPIC &&
        from.entity() != wire::AlterConfigsRequest::BROKER) {
      return malformed("settings of topics and brokers can be altered");
    }
    controller::ConfigChange& change = changes.emplace_back();
    change.broker = from.entity() == wire::AlterConfigsRequest::BROKER;
    change.name = from.name();
    change.incremental = from.incremental();
    for (const auto& entry : from.changes()) {
      if (entry.remove())
        change.changes.emplace_back(entry.key(), std::nullopt);
      else
        change.changes.emplace_back(entry.key(), entry.value());
    }
  }
  return changes;
}

Result<std::vector<controller::IsrChange>> decode(const wire::AlterPartitionRequest& message) {
  if (message.items_size() > kMaxItems) return malformed("too many partitions in one request");
  std::vector<controller::IsrChange> changes;
  for (const auto& from : message.items()) {
    auto id = from.topic_id().empty() ? Uuid() : uuid_of(from.topic_id());
    if (!id) return malformed("a topic id has 16 bytes");
    controller::IsrChange& change = changes.emplace_back();
    change.topic = from.topic();
    change.topic_id = *id;
    change.partition = PartitionId(from.partition());
    change.leader_epoch = LeaderEpoch(from.leader_epoch());
    change.partition_epoch = from.partition_epoch();
    change.isr = brokers_of(from.isr());
  }
  return changes;
}

// ---- what they get ----

void encode(const controller::Registration& registration, bool resumed, wire::Registered& message) {
  message.set_broker_id(registration.broker_id.value());
  message.set_cluster_id(registration.cluster_id);
  message.set_broker_epoch(registration.broker_epoch);
  message.set_session_id(registration.session.session.value());
  message.set_session_password(registration.session.password.data(),
                               registration.session.password.size());
  message.set_session_timeout_ms(registration.session.timeout_ms);
  message.set_resumed(resumed);
}

std::vector<wire::ToBroker> encode_snapshot(const metadata::ClusterImage& image) {
  std::vector<wire::ToBroker> parts(1);
  auto start_part = [&]() -> wire::SnapshotPart& {
    wire::SnapshotPart& part = *parts.back().mutable_snapshot();
    part.set_zxid(image.zxid.value());
    return part;
  };
  wire::SnapshotPart* part = &start_part();
  part->set_cluster_id(image.cluster_id);
  part->set_controller(image.controller.value());
  for (const auto& [id, broker] : image.brokers) encode_broker(broker, *part->add_brokers());
  for (const auto& [id, configs] : image.broker_configs) {
    encode_broker_configs(id, configs, *part->add_broker_configs());
  }
  if (!image.default_broker_config.empty()) {
    encode_broker_configs(BrokerId(-1), image.default_broker_config, *part->add_broker_configs());
  }
  for (const metadata::DeletedTopic& record : image.deleted_topics) {
    encode_deleted(record, *part->add_deleted_topics());
  }
  int partitions = 0;
  for (const auto& [name, topic] : image.topics) {
    if (partitions > kPartitionsInPart || part->topics_size() >= kTopicsInPart) {
      parts.emplace_back();
      part = &start_part();
      partitions = 0;
    }
    wire::Topic& to = *part->add_topics();
    to.set_name(name);
    to.set_id(bytes_of(topic->id));
    to.set_whole(true);
    int32_t index = 0;
    for (const metadata::Partition& partition : topic->partitions) {
      encode_partition(PartitionId(index++), partition, *to.add_partitions());
    }
    encode_configs(topic->configs, *to.mutable_configs());
    partitions += index;
  }
  part->set_last(true);
  return parts;
}

wire::ToBroker encode(const metadata::Delta& delta) {
  wire::ToBroker message;
  wire::Delta& to = *message.mutable_delta();
  to.set_before_zxid(delta.before_zxid.value());
  to.set_zxid(delta.zxid.value());
  to.set_has_controller(delta.controller.has_value());
  if (delta.controller) to.set_controller(delta.controller->value());
  for (const metadata::Broker& broker : delta.brokers) encode_broker(broker, *to.add_brokers());
  for (BrokerId id : delta.brokers_gone) to.add_brokers_gone(id.value());
  for (const std::string& name : delta.topics_gone) to.add_topics_gone(name);
  for (const metadata::TopicDelta& topic : delta.topics) {
    wire::Topic& changed = *to.add_topics();
    changed.set_name(topic.name);
    changed.set_id(bytes_of(topic.id));
    changed.set_whole(topic.whole);
    for (const auto& [id, partition] : topic.partitions)
      encode_partition(id, partition, *changed.add_partitions());
    if (topic.configs) encode_configs(*topic.configs, *changed.mutable_configs());
  }
  for (const auto& [id, configs] : delta.broker_configs) {
    encode_broker_configs(id, configs, *to.add_broker_configs());
  }
  for (const metadata::DeletedTopic& record : delta.deleted_topics)
    encode_deleted(record, *to.add_deleted_topics());
  to.set_deleted_topics_kept_from(delta.deleted_kept_from.value());
  return message;
}

void encode(const controller::Reply<controller::TopicItem>& reply, wire::TopicsReply& message) {
  if (!set_status(reply, *message.mutable_status())) return;
  for (const controller::TopicItem& item : reply.items) {
    wire::TopicResult& to = *message.add_topics();
    to.set_name(item.name);
    set_item_error(item.error, to);
    to.set_id(bytes_of(item.id));
    to.set_partitions(item.partitions);
    to.set_replication_factor(item.replication_factor);
  }
}

void encode(const controller::Reply<controller::ConfigItem>& reply,
            wire::AlterConfigsReply& message) {
  if (!set_status(reply, *message.mutable_status())) return;
  for (const controller::ConfigItem& item : reply.items) {
    auto& to = *message.add_resources();
    to.set_entity(item.broker ? wire::AlterConfigsRequest::BROKER
                              : wire::AlterConfigsRequest::TOPIC);
    to.set_name(item.name);
    set_item_error(item.error, to);
  }
}

void encode(const controller::Reply<controller::ProducerIdBlock>& reply,
            wire::AllocateProducerIdsReply& message) {
  if (!set_status(reply, *message.mutable_status()) || reply.items.empty()) return;
  message.set_first(reply.items.front().first);
  message.set_size(reply.items.front().size);
}

void encode(const controller::Reply<controller::IsrItem>& reply,
            wire::AlterPartitionReply& message) {
  if (!set_status(reply, *message.mutable_status())) return;
  for (const controller::IsrItem& item : reply.items) {
    auto& to = *message.add_items();
    to.set_topic(item.topic);
    to.set_partition(item.partition.value());
    set_item_error(item.error, to);
    encode_partition(item.partition, item.now, *to.mutable_now());
  }
}

void encode(const controller::Reply<TopicPartition>& reply,
            wire::ControlledShutdownReply& message) {
  if (!set_status(reply, *message.mutable_status())) return;
  for (const TopicPartition& partition : reply.items) {
    auto& to = *message.add_still_led();
    to.set_topic(partition.topic);
    to.set_partition(partition.partition.value());
  }
}

}  // namespace odradek::coordinator::server
