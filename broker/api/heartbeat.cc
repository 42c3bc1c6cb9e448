#include "broker/api/heartbeat.h"

#include <utility>

#include "broker/api/group_support.h"
#include "proto/kafka/heartbeat.h"

namespace odradek::broker::api {

boost::asio::awaitable<Answer> handle_heartbeat(Services& services, RequestContext context,
                                                ByteView body) {
  auto request = decode_request<kafka::HeartbeatRequest>(context, body);
  if (!request) co_return bad_request(context, request.error());
  group::HeartbeatRequest beat;
  beat.group_id = std::move(request->group_id);
  beat.member_id = std::move(request->member_id);
  beat.instance_id = std::move(request->group_instance_id);
  beat.generation = request->generation_id;
  auto error = co_await groups_for(services, context).heartbeat(std::move(beat));
  kafka::HeartbeatResponse response;
  response.error_code = error_number(error);
  co_return respond(context, response);
}

}  // namespace odradek::broker::api
