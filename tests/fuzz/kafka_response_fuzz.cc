// What a tool or a follower gets: two bytes of API key, two of version, then the body of a
// response. Stored records of the internal topics come under the keys from 1000.
#include "common/check.h"
#include "proto/kafka/all.h"
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
  int16_t key = in.i16();
  int16_t version = in.i16();
  if (!in.ok()) return 0;
#define ODRADEK_CASE(Api) \
  if (key == kafka::Api##Response::kApiKey) run<kafka::Api##Response>(in, version);
  ODRADEK_KAFKA_APIS(ODRADEK_CASE)
#undef ODRADEK_CASE
  switch (key) {
    case 1000:
      run<kafka::OffsetCommitKey>(in, version);
      break;
    case 1001:
      run<kafka::OffsetCommitValue>(in, version);
      break;
    case 1002:
      run<kafka::GroupMetadataKey>(in, version);
      break;
    case 1003:
      run<kafka::GroupMetadataValue>(in, version);
      break;
    case 1004:
      run<kafka::TransactionLogKey>(in, version);
      break;
    case 1005:
      run<kafka::TransactionLogValue>(in, version);
      break;
    case 1006:
      run<kafka::ConsumerProtocolSubscription>(in, version);
      break;
    case 1007:
      run<kafka::ConsumerProtocolAssignment>(in, version);
      break;
    default:
      break;
  }
  return 0;
}
