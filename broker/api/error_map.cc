#include "broker/api/error_map.h"

#include "common/log/log.h"

namespace odradek::broker::api {

ErrorCode to_kafka(Errc code) {
  switch (code) {
    case Errc::invalid_argument:
    case Errc::malformed:
    case Errc::invalid_request:
      return ErrorCode::invalid_request;
    case Errc::timed_out:
      return ErrorCode::request_timed_out;
    case Errc::unavailable:
      return ErrorCode::coordinator_not_available;
    case Errc::cancelled:
      return ErrorCode::not_leader_or_follower;
    case Errc::unsupported_version:
      return ErrorCode::unsupported_version;

    // the disk
    case Errc::io_error:
    case Errc::disk_full:
    case Errc::permission_denied:
    case Errc::log_dir_offline:
      return ErrorCode::kafka_storage_error;

    // settings and the controller's answers
    case Errc::bad_setting:
    case Errc::invalid_config:
      return ErrorCode::invalid_config;
    case Errc::invalid_topic_name:
      return ErrorCode::invalid_topic_exception;
    case Errc::topic_exists:
    case Errc::already_exists:
      return ErrorCode::topic_already_exists;
    case Errc::invalid_partitions:
      return ErrorCode::invalid_partitions;
    case Errc::invalid_replication_factor:
      return ErrorCode::invalid_replication_factor;
    case Errc::invalid_replica_assignment:
      return ErrorCode::invalid_replica_assignment;
    case Errc::topic_deletion_disabled:
      return ErrorCode::topic_deletion_disabled;
    case Errc::stale_broker_epoch:
      return ErrorCode::stale_broker_epoch;
    case Errc::invalid_update_version:
      return ErrorCode::invalid_update_version;
    case Errc::ineligible_replica:
      return ErrorCode::ineligible_replica;
    case Errc::broker_not_available:
      return ErrorCode::broker_not_available;
    case Errc::duplicate_broker_id:
      return ErrorCode::duplicate_broker_registration;
    case Errc::cluster_id_mismatch:
      return ErrorCode::inconsistent_cluster_id;

    // records
    case Errc::corrupt_record:
    case Errc::bad_compression:
      return ErrorCode::corrupt_message;
    case Errc::invalid_record:
      return ErrorCode::invalid_record;
    case Errc::record_too_large:
      return ErrorCode::message_too_large;
    case Errc::record_list_too_large:
      return ErrorCode::record_list_too_large;
    case Errc::offset_out_of_range:
      return ErrorCode::offset_out_of_range;
    case Errc::out_of_order_sequence:
      return ErrorCode::out_of_order_sequence_number;
    case Errc::duplicate_sequence:
      return ErrorCode::duplicate_sequence_number;
    case Errc::invalid_producer_epoch:
      return ErrorCode::invalid_producer_epoch;
    case Errc::unknown_producer_id:
      return ErrorCode::unknown_producer_id;
    case Errc::unsupported_for_message_format:
      return ErrorCode::unsupported_for_message_format;
    case Errc::unsupported_compression_type:
      return ErrorCode::unsupported_compression_type;
    case Errc::invalid_timestamp:
      return ErrorCode::invalid_timestamp;

    // partitions
    case Errc::unknown_topic_or_partition:
      return ErrorCode::unknown_topic_or_partition;
    case Errc::unknown_topic_id:
      return ErrorCode::unknown_topic_id;
    case Errc::inconsistent_topic_id:
      return ErrorCode::inconsistent_topic_id;
    case Errc::not_leader_or_follower:
      return ErrorCode::not_leader_or_follower;
    case Errc::fenced_leader_epoch:
      return ErrorCode::fenced_leader_epoch;
    case Errc::unknown_leader_epoch:
      return ErrorCode::unknown_leader_epoch;
    case Errc::not_enough_replicas:
      return ErrorCode::not_enough_replicas;
    case Errc::invalid_required_acks:
      return ErrorCode::invalid_required_acks;
    case Errc::transactional_id_refused:
      return ErrorCode::transactional_id_authorization_failed;

    // groups
    case Errc::coordinator_load_in_progress:
      return ErrorCode::coordinator_load_in_progress;
    case Errc::coordinator_not_available:
      return ErrorCode::coordinator_not_available;
    case Errc::not_coordinator:
      return ErrorCode::not_coordinator;
    case Errc::illegal_generation:
      return ErrorCode::illegal_generation;
    case Errc::inconsistent_group_protocol:
      return ErrorCode::inconsistent_group_protocol;
    case Errc::invalid_group_id:
      return ErrorCode::invalid_group_id;
    case Errc::unknown_member_id:
      return ErrorCode::unknown_member_id;
    case Errc::invalid_session_timeout:
      return ErrorCode::invalid_session_timeout;
    case Errc::rebalance_in_progress:
      return ErrorCode::rebalance_in_progress;
    case Errc::invalid_commit_offset_size:
      return ErrorCode::invalid_commit_offset_size;
    case Errc::offset_metadata_too_large:
      return ErrorCode::offset_metadata_too_large;
    case Errc::non_empty_group:
      return ErrorCode::non_empty_group;
    case Errc::group_id_not_found:
      return ErrorCode::group_id_not_found;
    case Errc::member_id_required:
      return ErrorCode::member_id_required;
    case Errc::group_max_size_reached:
      return ErrorCode::group_max_size_reached;
    case Errc::fenced_instance_id:
      return ErrorCode::fenced_instance_id;
    case Errc::group_subscribed_to_topic:
      return ErrorCode::group_subscribed_to_topic;
    case Errc::unstable_offset_commit:
      return ErrorCode::unstable_offset_commit;

    // what no client can do anything about
    case Errc::not_found:
    case Errc::limit_exceeded:
    case Errc::internal:
    case Errc::locked:
    case Errc::no_node:
    case Errc::node_exists:
    case Errc::not_empty:
    case Errc::bad_version:
    case Errc::no_children_for_ephemerals:
    case Errc::no_auth:
    case Errc::invalid_acl:
    case Errc::bad_path:
    case Errc::session_expired:
    case Errc::session_moved:
    case Errc::auth_failed:
    case Errc::no_watcher:
    case Errc::quota_exceeded:
    case Errc::reconfig_disabled:
    case Errc::unimplemented:
    case Errc::runtime_inconsistency:
    case Errc::store_damaged:
    case Errc::store_fenced:
    case Errc::foreign_controller:
      return ErrorCode::unknown_server_error;
  }
  return ErrorCode::unknown_server_error;
}

int16_t error_number(const Error& error, const char* where) {
  ErrorCode code = to_kafka(error.code());
  if (code == ErrorCode::unknown_server_error) {
    LOG_ERROR("server", "{} failed: {} ({})", where, error.what(), odradek::name_of(error.code()));
  }
  return wire(code);
}

}  // namespace odradek::broker::api
