#include "broker/api/served_versions.h"

namespace odradek::broker::api {

namespace {
using kafka::ApiKey;
constexpr ServedVersions kServed[] = {
    {ApiKey::kProduce, 0, 13},
    {ApiKey::kFetch, 0, 18},
    {ApiKey::kListOffsets, 0, 11},
    {ApiKey::kMetadata, 0, 13},
    {ApiKey::kOffsetCommit, 2, 10},
    {ApiKey::kOffsetFetch, 1, 10},
    {ApiKey::kFindCoordinator, 0, 6},
    {ApiKey::kJoinGroup, 0, 9},
    {ApiKey::kHeartbeat, 0, 4},
    {ApiKey::kLeaveGroup, 0, 5},
    {ApiKey::kSyncGroup, 0, 5},
    {ApiKey::kDescribeGroups, 0, 6},
    {ApiKey::kListGroups, 0, 5},
    {ApiKey::kApiVersions, 0, 4},
    {ApiKey::kCreateTopics, 2, 7},
    {ApiKey::kDeleteTopics, 1, 6},
    {ApiKey::kDeleteRecords, 0, 2},
    {ApiKey::kInitProducerId, 0, 5},
    {ApiKey::kOffsetForLeaderEpoch, 2, 4},
    {ApiKey::kDescribeConfigs, 1, 4},
    {ApiKey::kAlterConfigs, 0, 2},
    {ApiKey::kAlterReplicaLogDirs, 0, 2},
    {ApiKey::kDescribeLogDirs, 1, 5},
    {ApiKey::kCreatePartitions, 0, 3},
    {ApiKey::kDeleteGroups, 0, 2},
    {ApiKey::kIncrementalAlterConfigs, 0, 1},
    {ApiKey::kOffsetDelete, 0, 0},
    {ApiKey::kDescribeCluster, 0, 2},
    {ApiKey::kDescribeTopicPartitions, 0, 0},
};
}  // namespace

std::span<const ServedVersions> served_versions() { return kServed; }

}  // namespace odradek::broker::api
