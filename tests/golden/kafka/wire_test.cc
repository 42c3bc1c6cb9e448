// Captured requests and responses decode, and encode to the same bytes.
#include <set>

#include "proto/kafka/api_keys.h"
#include "tests/golden/golden_file.h"
#include "tests/golden/kafka/round_trip.h"

namespace odradek::golden {
namespace {

class KafkaWire : public testing::TestWithParam<const char*> {};

// An old broker answers a version of ApiVersions that it does not know with version 0 (KIP-511).
int16_t response_version(int16_t api_key, int16_t version, ByteView body) {
  bool unsupported = ByteReader(body).i16() == 35;
  return api_key == kafka::ApiVersionsRequest::kApiKey && unsupported ? 0 : version;
}

TEST_P(KafkaWire, RoundTrip) {
  std::set<int16_t> seen;
  for (const Row& row : read_rows(GetParam())) {
    ASSERT_EQ(row.size(), 5u);
    int16_t api_key = static_cast<int16_t>(std::stoi(row[0]));
    int16_t version = static_cast<int16_t>(std::stoi(row[2]));
    SCOPED_TRACE(row[1] + " v" + row[2]);
    seen.insert(api_key);

    std::string request = frame(row[3]);
    ByteReader in(request);
    auto header = kafka::decode_request_header(in);
    ASSERT_TRUE(header.ok()) << header.error().what();
    ASSERT_TRUE(header->api.has_value());
    EXPECT_EQ(kafka::name_of(*header->api), row[1]);
    EXPECT_EQ(header->header.request_api_key, api_key);
    EXPECT_EQ(header->header.request_api_version, version);
    ByteWriter header_again;
    header->header.encode(header_again, header->header_version);
    EXPECT_EQ(hex_encode(header_again.buffer()),
              hex_encode(ByteView(request).substr(0, request.size() - in.remaining())));
    if (header->header_version == 2) {
      EXPECT_EQ(hex_encode(header->tagged_fields), "00");
    }
    EXPECT_TRUE(round_trip_api(api_key, true, in.rest(), version));

    std::string response = frame(row[4]);
    ByteWriter head;
    kafka::encode_response_header(head, *header->api, version, header->header.correlation_id);
    ASSERT_TRUE(response.starts_with(head.buffer()));
    ByteView body = ByteView(response).substr(head.buffer_size());
    EXPECT_TRUE(round_trip_api(api_key, false, body, response_version(api_key, version, body)));
  }
  EXPECT_GE(seen.size(), 24u);
}

INSTANTIATE_TEST_SUITE_P(Releases, KafkaWire,
                         testing::Values("kafka/wire-2.5.0.tsv", "kafka/wire-3.5.2.tsv"));

}  // namespace
}  // namespace odradek::golden
