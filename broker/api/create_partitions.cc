#include "broker/api/create_partitions.h"

#include <map>

#include "broker/api/error_map.h"
#include "broker/api/topics.h"
#include "proto/kafka/create_partitions.h"

namespace odradek::broker::api {

namespace {
constexpr int64_t kShortestTimeoutMs = 1000;
}

boost::asio::awaitable<Answer> handle_create_partitions(Services& services, RequestContext context,
                                                        ByteView body) {
  auto request = decode_request<kafka::CreatePartitionsRequest>(context, body);
  if (!request) co_return bad_request(context, request.error());
  const int64_t timeout_ms = std::max<int64_t>(request->timeout_ms, kShortestTimeoutMs);

  std::map<std::string, int> times;
  for (const auto& asked : request->topics) ++times[asked.name];
  kafka::CreatePartitionsResponse response;
  std::map<std::string, size_t> rows;
  std::vector<metadata::NewPartitions> topics;
  for (const auto& asked : request->topics) {
    if (rows.contains(asked.name)) continue;
    rows[asked.name] = response.results.size();
    auto& row = response.results.emplace_back();
    row.name = asked.name;
    if (times[asked.name] > 1) {
      row.error_code = wire(ErrorCode::invalid_request);
      row.error_message = "Duplicate topic in request.";
      continue;
    }
    metadata::NewPartitions topic;
    topic.topic = asked.name;
    topic.total_count = asked.count;
    if (asked.assignments) {
      for (const auto& assignment : *asked.assignments) {
        auto& replicas = topic.assignments.emplace_back();
        for (int32_t id : assignment.broker_ids) replicas.push_back(BrokerId(id));
      }
    }
    topics.push_back(std::move(topic));
  }
  if (topics.empty()) co_return respond(context, response);

  auto done = co_await services.coordinator->create_partitions(
      std::move(topics), request->validate_only, std::chrono::milliseconds(timeout_ms));
  if (!done) {
    for (auto& row : response.results) {
      if (row.error_code != 0) continue;
      row.error_code = wire(admin_error(done.error()));
      row.error_message = done.error().what();
    }
    co_return respond(context, response);
  }
  std::vector<std::string> grown;
  for (const metadata::TopicResult& result : *done) {
    auto found = rows.find(result.name);
    if (found == rows.end()) continue;
    auto& row = response.results[found->second];
    if (result.error) {
      row.error_code = wire(to_kafka(result.error->code()));
      row.error_message = result.error->what();
    } else if (!request->validate_only) {
      grown.push_back(result.name);
    }
  }
  co_await wait_for_logs(services, std::move(grown), context.received_ms + timeout_ms);
  co_return respond(context, response);
}

}  // namespace odradek::broker::api
