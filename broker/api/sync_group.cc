#include "broker/api/sync_group.h"

#include <utility>

#include "broker/api/group_support.h"
#include "proto/kafka/sync_group.h"

namespace odradek::broker::api {

namespace {

boost::asio::awaitable<Answer> sync_and_answer(Services& services, RequestContext context,
                                               group::SyncRequest sync) {
  auto synced = co_await groups_for(services, context).sync(std::move(sync));
  kafka::SyncGroupResponse response;
  response.error_code = error_number(synced.error);
  response.protocol_type = std::move(synced.protocol_type);
  response.protocol_name = std::move(synced.protocol_name);
  response.assignment = std::move(synced.assignment);
  co_return respond(context, response);
}

}  // namespace

boost::asio::awaitable<Answer> handle_sync_group(Services& services, RequestContext context,
                                                 ByteView body) {
  auto request = decode_request<kafka::SyncGroupRequest>(context, body);
  if (!request) co_return bad_request(context, request.error());
  if (context.version >= 5 && (!request->protocol_type || !request->protocol_name)) {
    // KIP-559: both are asked for from version 5 on
    kafka::SyncGroupResponse response;
    response.error_code = wire(ErrorCode::inconsistent_group_protocol);
    co_return respond(context, response);
  }
  group::SyncRequest sync;
  sync.group_id = std::move(request->group_id);
  sync.member_id = std::move(request->member_id);
  sync.instance_id = std::move(request->group_instance_id);
  sync.generation = request->generation_id;
  sync.protocol_type = std::move(request->protocol_type);
  sync.protocol_name = std::move(request->protocol_name);
  for (auto& row : request->assignments) {
    sync.assignments.insert_or_assign(std::move(row.member_id), std::move(row.assignment));
  }
  co_return Answer::later_unless_gone(
      sync_and_answer(services, std::move(context), std::move(sync)));
}

}  // namespace odradek::broker::api
