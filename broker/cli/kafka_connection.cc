#include "broker/cli/kafka_connection.h"

#include "proto/kafka/api_keys.h"
#include "proto/kafka/api_versions.h"
#include "proto/kafka/headers.h"

namespace odradek::broker::cli {
namespace {

constexpr size_t kMaxAnswerBytes = 256 << 20;
constexpr int16_t kUnsupported = 35;

}  // namespace

Result<KafkaConnection> KafkaConnection::open(const std::string& host, int port,
                                              std::string client_id, int64_t deadline_ms) {
  auto socket = odradek::cli::Socket::connect(host, port, deadline_ms);
  if (!socket) return socket.error();
  return KafkaConnection(std::move(*socket), std::move(client_id));
}

Result<Bytes> KafkaConnection::exchange(int16_t api_key, int16_t version, const Bytes& body,
                                        int64_t deadline_ms) {
  auto api = static_cast<kafka::ApiKey>(api_key);
  kafka::RequestHeader header;
  header.request_api_key = api_key;
  header.request_api_version = version;
  header.correlation_id = ++correlation_id_;
  header.client_id = client_id_;
  ByteWriter out;
  out.i32(0);
  header.encode(out, kafka::request_header_version(api, version));
  out.bytes(body);
  out.patch_i32(0, static_cast<int32_t>(out.buffer_size() - 4));
  if (auto sent = socket_.send(out.buffer(), deadline_ms); !sent) return sent.error();
  auto frame = socket_.receive_frame(kMaxAnswerBytes, deadline_ms);
  if (!frame) return frame.error();
  ByteReader in(*frame);
  auto answered = kafka::ResponseHeader::decode(in, kafka::response_header_version(api, version));
  if (!answered) return answered.error();
  if (answered->correlation_id != correlation_id_)
    return Error(Errc::malformed, "an answer out of order");
  return Bytes(in.rest());
}

Result<void> KafkaConnection::negotiate(int64_t deadline_ms) {
  kafka::ApiVersionsRequest request;
  request.client_software_name = "odradek-tools";
  request.client_software_version = "0.1.0";
  // Version 3 is the highest that every broker from 2.4 on knows; an older one answers with version
  // 0 (KIP-511).
  for (int16_t version : {int16_t{3}, int16_t{0}}) {
    ByteWriter body;
    request.encode(body, version);
    auto answer = exchange(kafka::ApiVersionsRequest::kApiKey, version, body.buffer(), deadline_ms);
    if (!answer) return answer.error();
    ByteReader probe(*answer);
    if (version > 0 && probe.i16() == kUnsupported) continue;
    ByteReader in(*answer);
    auto decoded = kafka::ApiVersionsResponse::decode(in, version);
    if (!decoded) return decoded.error();
    if (decoded->error_code != 0) {
      return Error(Errc::unavailable,
                   "ApiVersions was answered with error " + std::to_string(decoded->error_code));
    }
    for (const auto& api : decoded->api_keys)
      versions_[api.api_key] = {api.min_version, api.max_version};
    return {};
  }
  return Error(Errc::unsupported_version, "the broker's ApiVersions answer is not understood");
}

}  // namespace odradek::broker::cli
