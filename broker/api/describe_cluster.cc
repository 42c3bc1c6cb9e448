#include "broker/api/describe_cluster.h"

#include "broker/api/topics.h"
#include "proto/kafka/describe_cluster.h"

namespace odradek::broker::api {

namespace {
constexpr int8_t kBrokers = 1;
}

boost::asio::awaitable<Answer> handle_describe_cluster(Services& services, RequestContext context,
                                                       ByteView body) {
  auto request = decode_request<kafka::DescribeClusterRequest>(context, body);
  if (!request) co_return bad_request(context, request.error());
  kafka::DescribeClusterResponse response;
  response.cluster_id = context.image->cluster_id;
  response.endpoint_type = request->endpoint_type;
  if (request->endpoint_type != kBrokers) {
    // KIP-919: controllers are asked at a controller's own listener, which there is none of here
    bool known = request->endpoint_type == 2;
    response.endpoint_type = kBrokers;
    response.error_code =
        wire(known ? ErrorCode::mismatched_endpoint_type : ErrorCode::unsupported_endpoint_type);
    response.error_message =
        known ? "The request was sent to an endpoint of type BROKER, but we wanted an endpoint of "
                "type CONTROLLER"
              : "Unsupported endpoint type " + std::to_string(request->endpoint_type);
    co_return respond(context, response);
  }
  response.controller_id = context.image->controller.value();
  for (const metadata::Broker* broker : context.image->brokers_with(context.listener)) {
    const metadata::Endpoint* endpoint = broker->endpoint(context.listener);
    kafka::DescribeClusterResponse::DescribeClusterBroker row;
    row.broker_id = broker->id.value();
    row.host = endpoint->host;
    row.port = endpoint->port;
    row.rack = broker->rack;
    response.brokers.push_back(std::move(row));
  }
  if (request->include_cluster_authorized_operations)
    response.cluster_authorized_operations = kAllClusterOperations;
  co_return respond(context, response);
}

}  // namespace odradek::broker::api
