#include "broker/api/init_producer_id.h"

#include "broker/api/error_map.h"
#include "broker/api/producer_ids.h"
#include "proto/kafka/init_producer_id.h"

namespace odradek::broker::api {

boost::asio::awaitable<Answer> handle_init_producer_id(Services& services, RequestContext context,
                                                       ByteView body) {
  auto request = decode_request<kafka::InitProducerIdRequest>(context, body);
  if (!request) co_return bad_request(context, request.error());
  kafka::InitProducerIdResponse response;
  response.producer_epoch = -1;
  if (request->transactional_id) {
    // an error that clients do not repeat: nobody waits for what does not come
    response.error_code =
        wire(request->transactional_id->empty() ? ErrorCode::invalid_request
                                                : ErrorCode::transactional_id_authorization_failed);
    co_return respond(context, response);
  }
  // An idempotent producer that names its old id (v3, KIP-360) gets a new one, as in Kafka.
  auto id = co_await services.producer_ids->next();
  if (!id) {
    // the one that idempotent producers repeat without asking for a transaction coordinator
    response.error_code = wire(ErrorCode::coordinator_load_in_progress);
    co_return respond(context, response);
  }
  response.producer_id = id->value();
  response.producer_epoch = 0;
  co_return respond(context, response);
}

}  // namespace odradek::broker::api
