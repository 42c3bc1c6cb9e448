#include "broker/api/list_groups.h"

#include <algorithm>
#include <utility>

#include "broker/api/group_support.h"
#include "proto/kafka/list_groups.h"

namespace odradek::broker::api {

namespace {

constexpr std::string_view kClassic = "Classic";

bool same_word(std::string_view a, std::string_view b) {
  auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; };
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [&](char x, char y) { return lower(x) == lower(y); });
}

// An empty filter lets everything through.
bool passes(const std::vector<std::string>& filter, std::string_view word) {
  return filter.empty() ||
         std::any_of(filter.begin(), filter.end(),
                     [&](const std::string& wanted) { return same_word(wanted, word); });
}

}  // namespace

boost::asio::awaitable<Answer> handle_list_groups(Services& services, RequestContext context,
                                                  ByteView body) {
  auto request = decode_request<kafka::ListGroupsRequest>(context, body);
  if (!request) co_return bad_request(context, request.error());
  auto [groups, loading] = co_await groups_for(services, context).list();
  kafka::ListGroupsResponse response;
  if (loading) response.error_code = wire(ErrorCode::coordinator_load_in_progress);
  std::sort(groups.begin(), groups.end(),
            [](const auto& a, const auto& b) { return a.group_id < b.group_id; });
  for (auto& group : groups) {
    if (!passes(request->states_filter, group.state) || !passes(request->types_filter, kClassic))
      continue;
    kafka::ListGroupsResponse::ListedGroup row;
    row.group_id = std::move(group.group_id);
    row.protocol_type = std::move(group.protocol_type);
    row.group_state = std::move(group.state);
    row.group_type = kClassic;
    response.groups.push_back(std::move(row));
  }
  co_return respond(context, response);
}

}  // namespace odradek::broker::api
