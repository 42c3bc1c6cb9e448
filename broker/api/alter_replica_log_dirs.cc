#include "broker/api/alter_replica_log_dirs.h"

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "broker/api/error_map.h"
#include "broker/replica/partition_manager.h"
#include "proto/kafka/alter_replica_log_dirs.h"

namespace odradek::broker::api {

namespace {

std::optional<size_t> directory_at(const std::vector<log::DirectoryState>& directories,
                                   std::string path) {
  while (path.size() > 1 && path.ends_with('/')) path.pop_back();
  for (size_t i = 0; i < directories.size(); ++i) {
    if (directories[i].path == path) return i;
  }
  return std::nullopt;
}

// Kafka's answers: a replica that is not here yet is REPLICA_NOT_AVAILABLE, and will be made there.
boost::asio::awaitable<int16_t> move(Services& services, TopicPartition id, size_t directory) {
  auto moved = co_await services.partitions->move_log(id, directory);
  if (moved) co_return int16_t{0};
  const Errc code = moved.error().code();
  if (code == Errc::unknown_topic_or_partition || code == Errc::not_leader_or_follower) {
    co_return wire(ErrorCode::replica_not_available);
  }
  co_return error_number(moved.error(), "AlterReplicaLogDirs");
}

}  // namespace

boost::asio::awaitable<Answer> handle_alter_replica_log_dirs(Services& services,
                                                             RequestContext context,
                                                             ByteView body) {
  auto request = decode_request<kafka::AlterReplicaLogDirsRequest>(context, body);
  if (!request) co_return bad_request(context, request.error());
  const auto directories = services.partitions->logs().directories();
  std::map<std::string, std::vector<std::pair<int32_t, int16_t>>> results;
  for (const auto& dir : request->dirs) {
    const std::optional<size_t> directory = directory_at(directories, dir.path);
    for (const auto& topic : dir.topics) {
      for (int32_t partition : topic.partitions) {
        int16_t error = wire(ErrorCode::log_dir_not_found);
        if (directory) {
          error = co_await move(services, {topic.name, PartitionId(partition)}, *directory);
        }
        results[topic.name].emplace_back(partition, error);
      }
    }
  }
  kafka::AlterReplicaLogDirsResponse response;
  for (const auto& [name, partitions] : results) {
    auto& topic = response.results.emplace_back();
    topic.topic_name = name;
    for (const auto& [index, error] : partitions) {
      auto& partition = topic.partitions.emplace_back();
      partition.partition_index = index;
      partition.error_code = error;
    }
  }
  co_return respond(context, response);
}

}  // namespace odradek::broker::api
