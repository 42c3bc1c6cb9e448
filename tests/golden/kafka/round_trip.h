#pragma once
// Decodes bytes as one message, encodes it again, and compares.

#include <gtest/gtest.h>

#include <string>

#include "common/bytes/text_codec.h"
#include "proto/kafka/all.h"
#include "proto/kafka/api_list.h"

namespace odradek::golden {

template <typename Message>
void round_trip(ByteView bytes, int16_t version, std::string* text = nullptr) {
  ByteReader in(bytes);
  auto message = Message::decode(in, version);
  ASSERT_TRUE(message.ok()) << message.error().what();
  EXPECT_EQ(in.remaining(), 0u);
  ByteWriter out;
  message->encode(out, version);
  EXPECT_EQ(hex_encode(out.buffer()), hex_encode(bytes)) << message->to_string();
  if (text != nullptr) *text = message->to_string();

  // Cut anywhere it is refused, and named.
  size_t step = bytes.size() > 400 ? 13 : 1;
  for (size_t size = 0; size < bytes.size(); size += step) {
    ByteReader cut(bytes.substr(0, size));
    EXPECT_FALSE(Message::decode(cut, version).ok()) << "cut at " << size;
  }
}

// By the number of the API; false where there is no such definition.
inline bool round_trip_api(int16_t api_key, bool request, ByteView bytes, int16_t version) {
  using namespace kafka;
#define ODRADEK_CASE(Api)                                \
  if (api_key == Api##Request::kApiKey) {                \
    request ? round_trip<Api##Request>(bytes, version)   \
            : round_trip<Api##Response>(bytes, version); \
    return true;                                         \
  }
  ODRADEK_KAFKA_APIS(ODRADEK_CASE)
#undef ODRADEK_CASE
  return false;
}

}  // namespace odradek::golden
