#include "broker/api/join_group.h"

#include <utility>

#include "broker/api/group_support.h"
#include "proto/kafka/join_group.h"

namespace odradek::broker::api {

namespace {

boost::asio::awaitable<Answer> join_and_answer(Services& services, RequestContext context,
                                               group::JoinRequest join) {
  auto joined = co_await groups_for(services, context).join(std::move(join));
  kafka::JoinGroupResponse response;
  response.error_code = error_number(joined.error);
  response.generation_id = joined.generation;
  response.protocol_type = std::move(joined.protocol_type);
  response.protocol_name = std::move(joined.protocol_name);
  if (context.version < 7 && !response.protocol_name) response.protocol_name = "";
  response.leader = std::move(joined.leader);
  response.skip_assignment = joined.skip_assignment;
  response.member_id = std::move(joined.member_id);
  for (auto& member : joined.members) {
    kafka::JoinGroupResponse::Member row;
    row.member_id = std::move(member.member_id);
    row.group_instance_id = std::move(member.instance_id);
    row.metadata = std::move(member.metadata);
    response.members.push_back(std::move(row));
  }
  co_return respond(context, response);
}

}  // namespace

boost::asio::awaitable<Answer> handle_join_group(Services& services, RequestContext context,
                                                 ByteView body) {
  auto request = decode_request<kafka::JoinGroupRequest>(context, body);
  if (!request) co_return bad_request(context, request.error());
  group::JoinRequest join;
  join.group_id = std::move(request->group_id);
  join.member_id = std::move(request->member_id);
  join.instance_id = std::move(request->group_instance_id);
  join.client_id = context.client_id;
  join.client_host = "/" + context.peer_host;
  join.session_timeout_ms = request->session_timeout_ms;
  // before version 1 there was one time-out for both
  join.rebalance_timeout_ms = request->rebalance_timeout_ms >= 0 ? request->rebalance_timeout_ms
                                                                 : request->session_timeout_ms;
  join.protocol_type = std::move(request->protocol_type);
  for (auto& row : request->protocols)
    join.protocols.push_back({std::move(row.name), std::move(row.metadata)});
  join.require_known_member_id = context.version >= 4 && !join.instance_id;
  join.supports_skip_assignment = context.version >= 9;
  join.reason = request->reason.value_or("");
  // the answer may be minutes away, and the client may leave or go before
  co_return Answer::later_unless_gone(
      join_and_answer(services, std::move(context), std::move(join)));
}

}  // namespace odradek::broker::api
