#include "broker/api/delete_groups.h"

#include <set>
#include <utility>

#include "broker/api/group_support.h"
#include "proto/kafka/delete_groups.h"

namespace odradek::broker::api {

boost::asio::awaitable<Answer> handle_delete_groups(Services& services, RequestContext context,
                                                    ByteView body) {
  auto request = decode_request<kafka::DeleteGroupsRequest>(context, body);
  if (!request) co_return bad_request(context, request.error());
  kafka::DeleteGroupsResponse response;
  std::set<std::string> named;  // each group has one answer
  for (const std::string& group_id : request->groups_names) {
    if (!named.insert(group_id).second) continue;
    std::string id = group_id;
    auto deleted = co_await groups_for(services, context).remove(std::move(id));
    kafka::DeleteGroupsResponse::DeletableGroupResult row;
    row.group_id = group_id;
    row.error_code = error_number(deleted.error);
    if (deleted.error == Errc::group_id_not_found) row.error_message = group_not_found(group_id);
    response.results.push_back(std::move(row));
  }
  co_return respond(context, response);
}

}  // namespace odradek::broker::api
