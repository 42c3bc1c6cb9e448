// AdminClient: the records of partitions, and the directories that they lie in.

#include "broker/cli/admin_calls.h"
#include "proto/kafka/delete_records.h"

namespace odradek::broker::cli {

std::map<TopicPartition, AdminClient::DeletedRecords> AdminClient::delete_records(
    const std::map<TopicPartition, int64_t>& offsets) {
  int64_t until = deadline();
  std::map<TopicPartition, DeletedRecords> answers;
  std::map<TopicPartition, int64_t> open_questions = offsets;
  while (!open_questions.empty()) {
    std::vector<Node> nodes;
    auto leaders = leaders_of(open_questions, "deleteRecords", until, nodes);
    std::map<int32_t, kafka::DeleteRecordsRequest> requests;
    for (const auto& [partition, offset] : open_questions) {
      auto leader = leaders.find(partition);
      if (leader == leaders.end() || leader->second < 0) {
        answers[partition].error =
            leader == leaders.end() ? kUnknownTopicOrPartition : kLeaderNotAvailable;
        continue;
      }
      auto& request = requests[leader->second];
      request.timeout_ms = static_cast<int32_t>(request_timeout_ms_);
      auto& wanted = topic_row(request.topics, partition.topic).partitions.emplace_back();
      wanted.partition_index = partition.partition.value();
      wanted.offset = offset;
    }
    for (const Node& node : nodes) {
      auto request = requests.find(node.id);
      if (request == requests.end()) continue;
      auto answer = send<kafka::DeleteRecordsResponse>({Target::Kind::node, node, {}},
                                                       request->second, "deleteRecords", until);
      for (const auto& topic : answer.topics) {
        for (const auto& partition : topic.partitions) {
          answers[{topic.name, PartitionId(partition.partition_index)}] = {
              partition.low_watermark, partition.error_code};
        }
      }
    }
    forget_answered(open_questions, answers);
    if (open_questions.empty() || odradek::cli::now_ms() >= until) break;
    pause(until);
  }
  return answers;
}

std::vector<AdminClient::LogDirectory> AdminClient::describe_log_dirs(
    const Node& node, const std::vector<std::string>& topics) {
  int64_t until = deadline();
  kafka::DescribeLogDirsRequest request;
  request.topics.reset();  // every topic: by name it wants the partitions, too
  auto answer = send<kafka::DescribeLogDirsResponse>({Target::Kind::node, node, {}}, request,
                                                     "describeLogDirs", until);
  throw_if(answer.error_code);
  if (!topics.empty()) {
    const std::set<std::string> wanted(topics.begin(), topics.end());
    for (LogDirectory& directory : answer.results) {
      std::erase_if(directory.topics,
                    [&](const auto& topic) { return !wanted.contains(topic.name); });
    }
  }
  return std::move(answer.results);
}

}  // namespace odradek::broker::cli
