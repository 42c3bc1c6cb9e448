#pragma once
// The one list of error codes, and Error: a code with a sentence for a person.
// Each folder adds its codes in its own block. The edges map them to what their wire knows
// (broker/api/error_map.cc, coordinator/server/error_map.cc) by switches without a default.

#include <string>
#include <string_view>
#include <utility>

namespace odradek {

enum class Errc {
  // anywhere
  invalid_argument,
  not_found,
  already_exists,
  unavailable,
  timed_out,
  cancelled,
  limit_exceeded,
  internal,
  // common/bytes, proto: a frame or a stored record that does not decode
  malformed,
  unsupported_version,
  // common/fs
  io_error,
  disk_full,
  permission_denied,
  locked,
  // common/config
  bad_setting,
  // common/compress
  bad_compression,
  // coordinator/tree
  no_node,
  node_exists,
  not_empty,
  bad_version,
  no_children_for_ephemerals,
  no_auth,
  invalid_acl,
  bad_path,
  session_expired,
  session_moved,
  auth_failed,
  no_watcher,
  quota_exceeded,
  reconfig_disabled,
  unimplemented,
  runtime_inconsistency,  // an operation of a multi behind the one that failed
  // coordinator/store
  store_damaged,
  store_fenced,
  // coordinator/controller: what an admin call or a registration may be answered
  invalid_topic_name,
  topic_exists,
  invalid_partitions,
  invalid_replication_factor,
  invalid_replica_assignment,
  invalid_config,
  invalid_request,
  topic_deletion_disabled,
  stale_broker_epoch,
  invalid_update_version,
  ineligible_replica,
  broker_not_available,
  duplicate_broker_id,
  foreign_controller,
  cluster_id_mismatch,
  // broker/log
  corrupt_record,
  invalid_record,
  record_too_large,
  record_list_too_large,  // a batch longer than segment.bytes
  offset_out_of_range,
  out_of_order_sequence,
  duplicate_sequence,
  invalid_producer_epoch,
  unknown_producer_id,
  unsupported_for_message_format,
  unsupported_compression_type,
  log_dir_offline,
  // broker/replica
  unknown_topic_or_partition,
  unknown_topic_id,
  inconsistent_topic_id,
  not_leader_or_follower,
  fenced_leader_epoch,
  unknown_leader_epoch,
  not_enough_replicas,
  invalid_required_acks,
  invalid_timestamp,
  transactional_id_refused,
  // broker/group
  coordinator_load_in_progress,
  coordinator_not_available,
  not_coordinator,
  illegal_generation,
  inconsistent_group_protocol,
  invalid_group_id,
  unknown_member_id,
  invalid_session_timeout,
  rebalance_in_progress,
  invalid_commit_offset_size,
  offset_metadata_too_large,
  non_empty_group,
  group_id_not_found,
  member_id_required,
  group_max_size_reached,
  fenced_instance_id,
  group_subscribed_to_topic,
  unstable_offset_commit,
};

class [[nodiscard]] Error {
 public:
  Error(Errc code, std::string what) : code_(code), what_(std::move(what)) {}
  Errc code() const { return code_; }
  const std::string& what() const { return what_; }

 private:
  Errc code_;
  std::string what_;
};

// The name of a code, for logs.
std::string_view name_of(Errc code);

}  // namespace odradek
