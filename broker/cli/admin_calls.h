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

template <typename Value>
std::map<TopicPartition, int32_t> AdminClient::leaders_of(
    const std::map<TopicPartition, Value>& partitions, std::string_view call, int64_t deadline_ms,
    std::vector<Node>& nodes) {
  std::set<std::string> names;
  for (const auto& [partition, value] : partitions) names.insert(partition.topic);
  Cluster cluster =
      metadata(std::vector<std::string>(names.begin(), names.end()), call, deadline_ms);
  std::map<TopicPartition, int32_t> leaders;
  for (const auto& topic : cluster.topics) {
    for (const auto& partition : topic.partitions) {
      leaders[{topic.name.value_or(""), PartitionId(partition.partition_index)}] =
          partition.leader_id;
    }
  }
  nodes = std::move(cluster.nodes);
  return leaders;
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

// Leaves the questions that a later try may answer: a leader that is only moving.
template <typename Questions, typename Answers>
void forget_answered(Questions& questions, const Answers& answers) {
  std::erase_if(questions, [&](const auto& question) {
    auto answer = answers.find(question.first);
    return answer != answers.end() &&
           !(answer->second.error != 0 && KafkaError(answer->second.error).retriable() &&
             answer->second.error != kUnknownTopicOrPartition);
  });
}

}  // namespace odradek::broker::cli
