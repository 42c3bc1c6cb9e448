// A request frame as a broker gets it: header, then the body of the API and version that the header
// names. What decodes must encode to something that decodes to the same.
#include "common/check.h"
#include "proto/kafka/all.h"
#include "proto/kafka/api_keys.h"
#include "proto/kafka/api_list.h"

namespace {

using namespace odradek;

template <typename Message>
void run(ByteReader in, int16_t version) {
  auto message = Message::decode(in, version);
  if (!message) return;
  ByteWriter out;
  message->encode(out, version);
  ByteReader again(out.buffer());
  auto same = Message::decode(again, version);
  CHECK(same.ok() && again.remaining() == 0 && *same == *message);
  CHECK(!message->to_string().empty());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  ByteReader in(ByteView(reinterpret_cast<const char*>(data), size));
  auto header = kafka::decode_request_header(in);
  if (!header) return 0;
  int16_t version = header->header.request_api_version;
#define ODRADEK_CASE(Api)                                             \
  if (header->header.request_api_key == kafka::Api##Request::kApiKey) \
    run<kafka::Api##Request>(in, version);
  ODRADEK_KAFKA_APIS(ODRADEK_CASE)
#undef ODRADEK_CASE
  return 0;
}
