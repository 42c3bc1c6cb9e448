#include "broker/server/dispatch.h"

#include <vector>

#include "broker/api/alter_configs.h"
#include "broker/api/alter_replica_log_dirs.h"
#include "broker/api/api_versions.h"
#include "broker/api/create_partitions.h"
#include "broker/api/create_topics.h"
#include "broker/api/delete_groups.h"
#include "broker/api/delete_records.h"
#include "broker/api/delete_topics.h"
#include "broker/api/describe_cluster.h"
#include "broker/api/describe_configs.h"
#include "broker/api/describe_groups.h"
#include "broker/api/describe_log_dirs.h"
#include "broker/api/describe_topic_partitions.h"
#include "broker/api/fetch.h"
#include "broker/api/find_coordinator.h"
#include "broker/api/heartbeat.h"
#include "broker/api/incremental_alter_configs.h"
#include "broker/api/init_producer_id.h"
#include "broker/api/join_group.h"
#include "broker/api/leave_group.h"
#include "broker/api/list_groups.h"
#include "broker/api/list_offsets.h"
#include "broker/api/metadata.h"
#include "broker/api/offset_commit.h"
#include "broker/api/offset_delete.h"
#include "broker/api/offset_fetch.h"
#include "broker/api/offset_for_leader_epoch.h"
#include "broker/api/produce.h"
#include "broker/api/served_versions.h"
#include "broker/api/sync_group.h"
#include "common/check.h"

namespace odradek::broker::server {

namespace {

api::Handler handler_of(kafka::ApiKey key) {
  using kafka::ApiKey;
  switch (key) {
    case ApiKey::kProduce:
      return api::handle_produce;
    case ApiKey::kFetch:
      return api::handle_fetch;
    case ApiKey::kListOffsets:
      return api::handle_list_offsets;
    case ApiKey::kMetadata:
      return api::handle_metadata;
    case ApiKey::kOffsetCommit:
      return api::handle_offset_commit;
    case ApiKey::kOffsetFetch:
      return api::handle_offset_fetch;
    case ApiKey::kFindCoordinator:
      return api::handle_find_coordinator;
    case ApiKey::kJoinGroup:
      return api::handle_join_group;
    case ApiKey::kHeartbeat:
      return api::handle_heartbeat;
    case ApiKey::kLeaveGroup:
      return api::handle_leave_group;
    case ApiKey::kSyncGroup:
      return api::handle_sync_group;
    case ApiKey::kDescribeGroups:
      return api::handle_describe_groups;
    case ApiKey::kListGroups:
      return api::handle_list_groups;
    case ApiKey::kApiVersions:
      return api::handle_api_versions;
    case ApiKey::kCreateTopics:
      return api::handle_create_topics;
    case ApiKey::kDeleteTopics:
      return api::handle_delete_topics;
    case ApiKey::kDeleteRecords:
      return api::handle_delete_records;
    case ApiKey::kInitProducerId:
      return api::handle_init_producer_id;
    case ApiKey::kOffsetForLeaderEpoch:
      return api::handle_offset_for_leader_epoch;
    case ApiKey::kDescribeConfigs:
      return api::handle_describe_configs;
    case ApiKey::kAlterConfigs:
      return api::handle_alter_configs;
    case ApiKey::kAlterReplicaLogDirs:
      return api::handle_alter_replica_log_dirs;
    case ApiKey::kDescribeLogDirs:
      return api::handle_describe_log_dirs;
    case ApiKey::kCreatePartitions:
      return api::handle_create_partitions;
    case ApiKey::kDeleteGroups:
      return api::handle_delete_groups;
    case ApiKey::kIncrementalAlterConfigs:
      return api::handle_incremental_alter_configs;
    case ApiKey::kOffsetDelete:
      return api::handle_offset_delete;
    case ApiKey::kDescribeCluster:
      return api::handle_describe_cluster;
    case ApiKey::kDescribeTopicPartitions:
      return api::handle_describe_topic_partitions;
    default:
      return nullptr;
  }
}

const std::vector<ApiRow>& rows() {
  static const std::vector<ApiRow> table = [] {
    std::vector<ApiRow> made;
    for (const api::ServedVersions& served : api::served_versions()) {
      api::Handler handler = handler_of(served.key);
      CHECK(handler != nullptr);  // what is told to clients is served
      made.push_back({served.key, served.min, served.max, handler});
    }
    return made;
  }();
  return table;
}

}  // namespace

std::span<const ApiRow> served_apis() { return rows(); }

const ApiRow* find_api(int16_t api_key) {
  for (const ApiRow& row : rows()) {
    if (static_cast<int16_t>(row.key) == api_key) return &row;
  }
  return nullptr;
}

}  // namespace odradek::broker::server
