#include "broker/api/delete_topics.h"

#include <map>

#include "broker/api/broker_settings.h"
#include "broker/api/error_map.h"
#include "broker/api/topics.h"
#include "common/log/log.h"
#include "proto/kafka/delete_topics.h"

namespace odradek::broker::api {

namespace {

constexpr int64_t kShortestTimeoutMs = 1000;
constexpr int16_t kFirstByIdVersion = 6;

using Row = kafka::DeleteTopicsResponse::DeletableTopicResult;

void refuse(Row& row, ErrorCode code, std::optional<std::string> message = std::nullopt) {
  row.error_code = wire(code);
  row.error_message = std::move(message);
}

std::vector<kafka::DeleteTopicsRequest::DeleteTopicState> asked_for(
    const kafka::DeleteTopicsRequest& request, int16_t version) {
  if (version >= kFirstByIdVersion) return request.topics;
  std::vector<kafka::DeleteTopicsRequest::DeleteTopicState> asked;
  for (const std::string& name : request.topic_names) asked.push_back({name, Uuid{}});
  return asked;
}

}  // namespace

boost::asio::awaitable<Answer> handle_delete_topics(Services& services, RequestContext context,
                                                    ByteView body) {
  auto request = decode_request<kafka::DeleteTopicsRequest>(context, body);
  if (!request) co_return bad_request(context, request.error());
  const int64_t timeout_ms = std::max<int64_t>(request->timeout_ms, kShortestTimeoutMs);
  const metadata::Image& image = *context.image;

  kafka::DeleteTopicsResponse response;
  auto asked = asked_for(*request, context.version);
  std::map<std::string, size_t> rows;  // of those that go to the coordinator, by name
  std::vector<metadata::TopicToDelete> topics;
  for (auto& topic : asked) {
    auto& row = response.responses.emplace_back();
    row.name = topic.name;
    row.topic_id = topic.topic_id;
    if (!services.settings->delete_topics) {
      refuse(row,
             context.version < 3 ? ErrorCode::invalid_request : ErrorCode::topic_deletion_disabled,
             "Topic deletion is disabled.");
      continue;
    }
    if (topic.name && !topic.topic_id.is_zero()) {
      refuse(row, ErrorCode::invalid_request, "Topic name and topic ID can not both be specified.");
      continue;
    }
    const metadata::Topic* known =
        topic.name ? image.topic(*topic.name) : image.topic(topic.topic_id);
    if (known == nullptr && !topic.name) {
      refuse(row, ErrorCode::unknown_topic_id);
      continue;
    }
    // a name that this image does not have may be there already: the coordinator knows
    const std::string name = known ? known->name : *topic.name;
    row.name = name;
    if (known) row.topic_id = known->id;
    if (!rows.emplace(name, response.responses.size() - 1).second) {
      refuse(row, ErrorCode::invalid_request, "Duplicate topic name.");
      continue;
    }
    topics.push_back({name, topic.topic_id});
  }
  if (topics.empty()) co_return respond(context, response);

  auto deleted = co_await services.coordinator->delete_topics(
      std::move(topics), std::chrono::milliseconds(timeout_ms));
  if (!deleted) {
    for (const auto& [name, at] : rows)
      refuse(response.responses[at], admin_error(deleted.error()), deleted.error().what());
    co_return respond(context, response);
  }
  std::vector<std::string> gone;
  for (const metadata::TopicResult& result : *deleted) {
    auto found = rows.find(result.name);
    if (found == rows.end()) continue;
    auto& row = response.responses[found->second];
    if (result.error) {
      refuse(row, to_kafka(result.error->code()), result.error->what());
      continue;
    }
    if (!result.id.is_zero()) row.topic_id = result.id;
    gone.push_back(result.name);
    LOG_INFO("server", "Topic {} is deleted", result.name);
  }
  co_await wait_for_logs(services, std::move(gone), context.received_ms + timeout_ms);
  co_return respond(context, response);
}

}  // namespace odradek::broker::api
