#include "broker/api/leave_group.h"

#include <utility>

#include "broker/api/group_support.h"
#include "proto/kafka/leave_group.h"

namespace odradek::broker::api {

boost::asio::awaitable<Answer> handle_leave_group(Services& services, RequestContext context,
                                                  ByteView body) {
  auto request = decode_request<kafka::LeaveGroupRequest>(context, body);
  if (!request) co_return bad_request(context, request.error());
  bool several = context.version >= 3;
  group::LeaveRequest leave;
  leave.group_id = std::move(request->group_id);
  if (several) {
    for (const auto& row : request->members) {
      leave.members.push_back({row.member_id, row.group_instance_id, row.reason.value_or("")});
    }
  } else {
    leave.members.push_back({std::move(request->member_id), std::nullopt, ""});
  }
  auto left = co_await groups_for(services, context).leave(std::move(leave));

  kafka::LeaveGroupResponse response;
  response.error_code = error_number(left.error);
  if (!several) {
    if (!left.error && !left.members.empty())
      response.error_code = error_number(left.members.front());
    co_return respond(context, response);
  }
  for (size_t i = 0; !left.error && i < left.members.size(); ++i) {
    kafka::LeaveGroupResponse::MemberResponse row;
    row.member_id = std::move(request->members[i].member_id);
    row.group_instance_id = std::move(request->members[i].group_instance_id);
    row.error_code = error_number(left.members[i]);
    response.members.push_back(std::move(row));
  }
  co_return respond(context, response);
}

}  // namespace odradek::broker::api
