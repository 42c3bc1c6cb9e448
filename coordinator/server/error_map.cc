#include "coordinator/server/error_map.h"

namespace odradek::coordinator::server {

using zookeeper::ErrorCode;

// No default: a new code without a number here is a warning of the compiler.
ErrorCode zookeeper_error(Errc code) {
  switch (code) {
    case Errc::invalid_argument:
    case Errc::bad_path:
      return ErrorCode::kBadArguments;
    case Errc::not_found:
    case Errc::no_node:
      return ErrorCode::kNoNode;
    case Errc::already_exists:
    case Errc::node_exists:
      return ErrorCode::kNodeExists;
    case Errc::unavailable:
      return ErrorCode::kConnectionLoss;
    case Errc::timed_out:
      return ErrorCode::kOperationTimeout;
    case Errc::limit_exceeded:
      return ErrorCode::kThrottledOp;
    case Errc::malformed:
      return ErrorCode::kMarshallingError;
    case Errc::unsupported_version:
    case Errc::unimplemented:
      return ErrorCode::kUnimplemented;
    case Errc::not_empty:
      return ErrorCode::kNotEmpty;
    case Errc::bad_version:
      return ErrorCode::kBadVersion;
    case Errc::no_children_for_ephemerals:
      return ErrorCode::kNoChildrenForEphemerals;
    case Errc::no_auth:
      return ErrorCode::kNoAuth;
    case Errc::invalid_acl:
      return ErrorCode::kInvalidAcl;
    case Errc::session_expired:
      return ErrorCode::kSessionExpired;
    case Errc::session_moved:
      return ErrorCode::kSessionMoved;
    case Errc::auth_failed:
      return ErrorCode::kAuthFailed;
    case Errc::no_watcher:
      return ErrorCode::kNoWatcher;
    case Errc::quota_exceeded:
      return ErrorCode::kQuotaExceeded;
    case Errc::reconfig_disabled:
      return ErrorCode::kReconfigDisabled;
    case Errc::runtime_inconsistency:
      return ErrorCode::kRuntimeInconsistency;
    case Errc::store_damaged:
      return ErrorCode::kDataInconsistency;
    // none of these comes from the tree
    case Errc::cancelled:
    case Errc::internal:
    case Errc::io_error:
    case Errc::disk_full:
    case Errc::permission_denied:
    case Errc::locked:
    case Errc::bad_setting:
    case Errc::bad_compression:
    case Errc::store_fenced:
    case Errc::invalid_topic_name:
    case Errc::topic_exists:
    case Errc::invalid_partitions:
    case Errc::invalid_replication_factor:
    case Errc::invalid_replica_assignment:
    case Errc::invalid_config:
    case Errc::invalid_request:
    case Errc::topic_deletion_disabled:
    case Errc::stale_broker_epoch:
    case Errc::invalid_update_version:
    case Errc::ineligible_replica:
    case Errc::broker_not_available:
    case Errc::duplicate_broker_id:
    case Errc::foreign_controller:
    case Errc::cluster_id_mismatch:
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
    case Errc::unknown_topic_or_partition:
    case Errc::unknown_topic_id:
    case Errc::inconsistent_topic_id:
    case Errc::not_leader_or_follower:
    case Errc::fenced_leader_epoch:
    case Errc::unknown_leader_epoch:
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
      return ErrorCode::kSystemError;
  }
  return ErrorCode::kSystemError;
}

}  // namespace odradek::coordinator::server
