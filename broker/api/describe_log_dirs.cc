#include "broker/api/describe_log_dirs.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <vector>

#include "broker/api/error_map.h"
#include "broker/replica/log_mover.h"
#include "broker/replica/partition_manager.h"
#include "common/runtime/background.h"
#include "proto/kafka/describe_log_dirs.h"

namespace odradek::broker::api {

namespace {

struct Replica {
  int64_t size = 0;
  int64_t lag = 0;
  int64_t end = 0;
  bool is_future = false;
  std::string why_kept;
};
using ByTopic = std::map<std::string, std::map<int32_t, Replica>>;
using Response = kafka::DescribeLogDirsResponse;

// Partitions that are not here are passed over, as Kafka does.
std::optional<std::set<TopicPartition>> wanted_of(const kafka::DescribeLogDirsRequest& request) {
  if (!request.topics) return std::nullopt;
  std::set<TopicPartition> wanted;
  for (const auto& topic : *request.topics) {
    for (int32_t partition : topic.partitions) wanted.emplace(topic.topic, PartitionId(partition));
  }
  return wanted;
}

// The copies of logs that move: how far they are behind the log itself. One that has taken its
// place meanwhile is no copy any more.
void add_copies(const std::vector<replica::LogMover::Copy>& copies, std::vector<ByTopic>& found) {
  for (const auto& copy : copies) {
    for (size_t i = 0; i < found.size(); ++i) {
      if (i == copy.directory) continue;
      auto topic = found[i].find(copy.id.topic);
      if (topic == found[i].end()) continue;
      auto replica = topic->second.find(copy.id.partition.value());
      if (replica == topic->second.end() || replica->second.is_future) continue;
      Replica& future = found[copy.directory][copy.id.topic][copy.id.partition.value()];
      future.size = copy.size;
      future.lag = std::max<int64_t>(replica->second.end - copy.end.value(), 0);
      future.is_future = true;
    }
  }
}

void fill(Response::DescribeLogDirsResult& row, const ByTopic& topics) {
  for (const auto& [name, partitions] : topics) {
    auto& topic = row.topics.emplace_back();
    topic.name = name;
    for (const auto& [index, replica] : partitions) {
      auto& partition = topic.partitions.emplace_back();
      partition.partition_index = index;
      partition.partition_size = replica.size;
      partition.offset_lag = replica.lag;
      partition.is_future_key = replica.is_future;
      partition.why_kept = replica.why_kept;
    }
  }
}

}  // namespace

boost::asio::awaitable<Answer> handle_describe_log_dirs(Services& services, RequestContext context,
                                                        ByteView body) {
  auto request = decode_request<kafka::DescribeLogDirsRequest>(context, body);
  if (!request) co_return bad_request(context, request.error());
  const auto wanted = wanted_of(*request);
  log::LogManager& logs = services.partitions->logs();
  std::vector<ByTopic> found(logs.directories().size());
  auto collect = [&](replica::PartitionTable::Shard& shard) {
    for (const auto& [id, partition] : shard.partitions) {
      if (wanted && !wanted->contains(id)) continue;
      Replica& replica = found[partition->directory()][id.topic][id.partition.value()];
      replica.size = partition->log().size_bytes();
      replica.lag = std::max<int64_t>(
          partition->high_watermark().value() - partition->log_end_offset().value(), 0);
      replica.end = partition->log_end_offset().value();
      if (request->explain_kept) {
        replica.why_kept = partition->log().why_kept(partition->high_watermark());
      }
    }
  };
  co_await services.partitions->table().on_every_shard(std::move(collect));
  add_copies(services.partitions->mover().copies(), found);
  Response response;
  const std::vector<log::DirectoryState> directories = logs.directories();
  for (size_t i = 0; i < directories.size(); ++i) {
    auto& row = response.results.emplace_back();
    row.log_dir = directories[i].path;
    if (!directories[i].online) {
      row.error_code = wire(ErrorCode::kafka_storage_error);
      continue;
    }
    fill(row, found[i]);
    const std::string path = directories[i].path;
    fs::FileSystem& files = *logs.context().files;
    auto look = [&files, path] { return files.space(path); };
    auto space = co_await services.background->run(std::move(look));
    if (space) {
      row.total_bytes = static_cast<int64_t>(space->total_bytes);
      row.usable_bytes = static_cast<int64_t>(space->free_bytes);
    }
  }
  co_return respond(context, response);
}

}  // namespace odradek::broker::api
