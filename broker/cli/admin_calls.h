#pragma once
// The templates behind AdminClient's calls, for its own .cc files.

#include <string>

#include "broker/cli/admin_client.h"

namespace odradek::broker::cli {

template <typename Response, typename Request>
Response AdminClient::send(const Target& target, const Request& request, std::string_view call,
                           int64_t deadline_ms, int16_t max_version, int16_t min_version) {
  Answer answer = exchange(
      target, Request::kApiKey, Versions{min_version, max_version},
      [&request](ByteWriter& out, int16_t version) { request.encode(out, version); }, call,
      deadline_ms);
  ByteReader in(answer.body);
  auto decoded = Response::decode(in, answer.version);
  if (!decoded) {
    throw KafkaError(
        "org.apache.kafka.common.protocol.types.SchemaException",
        "The answer to " + std::string(call) + " is not understood: " + decoded.error().what());
  }
  return std::move(*decoded);
}

template <typename Fn>
auto AdminClient::with_retries(int64_t deadline_ms, Fn attempt) {
  while (true) {
    try {
      return attempt();
    } catch (const KafkaError& error) {
      if (!error.retriable() || odradek::cli::now_ms() >= deadline_ms) throw;
      if (error.code() == kNotController) controller_.reset();
      if (error.code() == kNotCoordinator || error.code() == kCoordinatorNotAvailable)
        coordinators_.clear();
    }
    pause(deadline_ms);
  }
}

// The topic's row in a request that lists partitions by topic; made where it is missing.
template <typename Topics>
auto& topic_row(Topics& topics, const std::string& name) {
  for (auto& known : topics) {
    if (known.name == name) return known;
  }
  topics.emplace_back().name = name;
  return topics.back();
}

template <typename Request, typename Response, typename Answered, typename Fill, typename Read>
std::map<TopicPartition, Answered> AdminClient::ask_leaders(
    std::map<TopicPartition, int64_t> questions, std::string_view call, Fill fill, Read read,
    int16_t max_version, const int16_t& min_version) {
  int64_t until = deadline();
  std::map<TopicPartition, Answered> answers;
  while (!questions.empty()) {
    std::vector<Node> nodes;
    auto leaders = leaders_of(questions, call, until, nodes);
    std::map<int32_t, Request> requests;
    for (const auto& [partition, value] : questions) {
      auto leader = leaders.find(partition);
      if (leader == leaders.end() || leader->second < 0) {
        answers[partition].error =
            leader == leaders.end() ? kUnknownTopicOrPartition : kLeaderNotAvailable;
        continue;
      }
      Request& request = requests[leader->second];
      auto& row = topic_row(request.topics, partition.topic).partitions.emplace_back();
      row.partition_index = partition.partition.value();
      fill(request, row, value);
    }
    for (const Node& node : nodes) {
      auto request = requests.find(node.id);
      if (request == requests.end()) continue;
      auto answer = send<Response>({Target::Kind::node, node, {}}, request->second, call, until,
                                   max_version, min_version);
      for (const auto& topic : answer.topics) {
        for (const auto& row : topic.partitions) {
          answers[{topic.name, PartitionId(row.partition_index)}] = read(row);
        }
      }
    }
    std::erase_if(questions, [&](const auto& question) {
      auto answer = answers.find(question.first);
      return answer != answers.end() &&
             !(answer->second.error != 0 && KafkaError(answer->second.error).retriable() &&
               answer->second.error != kUnknownTopicOrPartition);
    });
    if (questions.empty() || odradek::cli::now_ms() >= until) break;
    pause(until);
  }
  return answers;
}

}  // namespace odradek::broker::cli
