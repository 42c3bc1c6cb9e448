// AdminClient: consumer groups.

#include <algorithm>

#include "broker/cli/admin_calls.h"
#include "proto/kafka/delete_groups.h"
#include "proto/kafka/offset_commit.h"
#include "proto/kafka/offset_delete.h"
#include "proto/kafka/offset_fetch.h"

namespace odradek::broker::cli {
namespace {

// Topics of a request, made as they are first seen.
template <typename Topic>
Topic& topic_of(std::vector<Topic>& topics, const std::string& name) {
  for (auto& topic : topics) {
    if (topic.name == name) return topic;
  }
  auto& topic = topics.emplace_back();
  topic.name = name;
  return topic;
}

template <typename Topics>
std::map<TopicPartition, CommittedOffset> collect_offsets(const Topics& topics) {
  std::map<TopicPartition, CommittedOffset> found;
  for (const auto& topic : topics) {
    for (const auto& partition : topic.partitions) {
      throw_if(partition.error_code);
      if (partition.committed_offset < 0) continue;
      found[{topic.name, PartitionId(partition.partition_index)}] = {
          partition.committed_offset, partition.committed_leader_epoch,
          partition.metadata.value_or("")};
    }
  }
  return found;
}

}  // namespace

std::vector<ListedGroup> AdminClient::list_groups(const std::vector<std::string>& states) {
  int64_t until = deadline();
  std::vector<ListedGroup> found;
  Cluster cluster = metadata(std::vector<std::string>(), "listConsumerGroups", until);
  for (const auto& node : cluster.nodes) {
    auto answer = with_retries(until, [&] {
      kafka::ListGroupsRequest request;
      request.states_filter = states;
      auto listed = send<kafka::ListGroupsResponse>(
          {Target::Kind::node, node, {}}, request, "listConsumerGroups", until,
          kafka::ListGroupsRequest::kMaxVersion, states.empty() ? 0 : 4);
      throw_if(listed.error_code);
      return listed;
    });
    for (const auto& group : answer.groups) {
      if (!group.protocol_type.empty() && group.protocol_type != "consumer") continue;
      found.push_back({group.group_id, group.group_state});
    }
  }
  return found;
}

DescribedGroup AdminClient::describe_group(const std::string& group) {
  int64_t until = deadline();
  return with_retries(until, [&] {
    kafka::DescribeGroupsRequest request;
    request.groups = {group};
    auto answer = send<kafka::DescribeGroupsResponse>({Target::Kind::group, {}, group}, request,
                                                      "describeConsumerGroups", until, 5);
    if (answer.groups.empty()) throw KafkaError(kGroupIdNotFound);
    throw_if(answer.groups[0].error_code, answer.groups[0].error_message.value_or(""));
    return DescribedGroup{std::move(answer.groups[0]), find_coordinator(group, until)};
  });
}

std::map<TopicPartition, CommittedOffset> AdminClient::committed_offsets(const std::string& group) {
  int64_t until = deadline();
  return with_retries(until, [&] {
    kafka::OffsetFetchRequest request;
    request.group_id = group;
    request.topics.reset();  // all
    auto& wanted = request.groups.emplace_back();
    wanted.group_id = group;
    wanted.topics.reset();
    auto answer = send<kafka::OffsetFetchResponse>({Target::Kind::group, {}, group}, request,
                                                   "listConsumerGroupOffsets", until, 8, 2);
    if (answer.groups.empty()) {
      throw_if(answer.error_code);
      return collect_offsets(answer.topics);
    }
    throw_if(answer.groups[0].error_code);
    return collect_offsets(answer.groups[0].topics);
  });
}

void AdminClient::alter_offsets(const std::string& group,
                                const std::map<TopicPartition, CommittedOffset>& offsets) {
  if (offsets.empty()) return;
  int64_t until = deadline();
  with_retries(until, [&] {
    kafka::OffsetCommitRequest request;
    request.group_id = group;
    for (const auto& [partition, offset] : offsets) {
      auto& entry = topic_of(request.topics, partition.topic).partitions.emplace_back();
      entry.partition_index = partition.partition.value();
      entry.committed_offset = offset.offset;
      entry.committed_leader_epoch = offset.leader_epoch;
      entry.committed_metadata = offset.metadata;
    }
    auto answer = send<kafka::OffsetCommitResponse>({Target::Kind::group, {}, group}, request,
                                                    "alterConsumerGroupOffsets", until, 8);
    for (const auto& topic : answer.topics) {
      for (const auto& partition : topic.partitions) {
        if (partition.error_code == kUnknownTopicOrPartition) {
          throw KafkaError(
              "org.apache.kafka.common.errors.UnknownTopicOrPartitionException",
              "Failed altering consumer group offsets for the following partitions: [" +
                  topic.name + "-" + std::to_string(partition.partition_index) + "]");
        }
        throw_if(partition.error_code);
      }
    }
  });
}

void AdminClient::delete_group(const std::string& group) {
  int64_t until = deadline();
  with_retries(until, [&] {
    kafka::DeleteGroupsRequest request;
    request.groups_names = {group};
    auto answer = send<kafka::DeleteGroupsResponse>({Target::Kind::group, {}, group}, request,
                                                    "deleteConsumerGroups", until, 2);
    for (const auto& result : answer.results)
      throw_if(result.error_code, result.error_message.value_or(""));
  });
}

AdminClient::OffsetDeletion AdminClient::delete_offsets(
    const std::string& group, const std::vector<TopicPartition>& partitions) {
  int64_t until = deadline();
  return with_retries(until, [&] {
    kafka::OffsetDeleteRequest request;
    request.group_id = group;
    for (const auto& partition : partitions) {
      topic_of(request.topics, partition.topic).partitions.emplace_back().partition_index =
          partition.partition.value();
    }
    auto answer = send<kafka::OffsetDeleteResponse>({Target::Kind::group, {}, group}, request,
                                                    "deleteConsumerGroupOffsets", until);
    if (answer.error_code != 0 && KafkaError(answer.error_code).retriable())
      throw KafkaError(answer.error_code);
    OffsetDeletion deletion;
    deletion.error = answer.error_code;
    for (const auto& topic : answer.topics) {
      for (const auto& partition : topic.partitions) {
        deletion.partitions[{topic.name, PartitionId(partition.partition_index)}] =
            partition.error_code;
      }
    }
    return deletion;
  });
}

}  // namespace odradek::broker::cli
