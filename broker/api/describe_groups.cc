#include "broker/api/describe_groups.h"

#include <utility>

#include "broker/api/group_support.h"
#include "proto/kafka/describe_groups.h"

namespace odradek::broker::api {

namespace {
// Bits of KIP-430 that a group has, all of them allowed: Read (3), Delete (6), Describe (8).
constexpr int32_t kAllGroupOperations = 1 << 3 | 1 << 6 | 1 << 8;
}  // namespace

boost::asio::awaitable<Answer> handle_describe_groups(Services& services, RequestContext context,
                                                      ByteView body) {
  auto request = decode_request<kafka::DescribeGroupsRequest>(context, body);
  if (!request) co_return bad_request(context, request.error());
  kafka::DescribeGroupsResponse response;
  for (const std::string& group_id : request->groups) {
    std::string id = group_id;
    auto described = co_await groups_for(services, context).describe(std::move(id));
    kafka::DescribeGroupsResponse::DescribedGroup row;
    if (described.error == Errc::group_id_not_found) {
      // until version 6 (KIP-1043) an unknown group was a dead one
      if (context.version >= 6) {
        row.error_code = wire(ErrorCode::group_id_not_found);
        row.error_message = group_not_found(group_id);
      }
    } else {
      row.error_code = error_number(described.error);
    }
    row.group_id = std::move(described.group_id);
    row.group_state = std::move(described.state);
    row.protocol_type = std::move(described.protocol_type);
    row.protocol_data = std::move(described.protocol);
    for (auto& member : described.members) {
      kafka::DescribeGroupsResponse::DescribedGroupMember out;
      out.member_id = std::move(member.member_id);
      out.group_instance_id = std::move(member.instance_id);
      out.client_id = std::move(member.client_id);
      out.client_host = std::move(member.client_host);
      out.member_metadata = std::move(member.metadata);
      out.member_assignment = std::move(member.assignment);
      row.members.push_back(std::move(out));
    }
    if (request->include_authorized_operations) row.authorized_operations = kAllGroupOperations;
    response.groups.push_back(std::move(row));
  }
  co_return respond(context, response);
}

}  // namespace odradek::broker::api
