// What the generated decoders do with frames that are wrong, and with versions, nulls and tagged
// fields.
#include <gtest/gtest.h>

#include <string>

#include "common/bytes/text_codec.h"
#include "proto/kafka/all.h"
#include "proto/kafka/api_keys.h"

namespace odradek::kafka {
namespace {

template <typename Message>
Result<Message> decode(const std::string& hex, int16_t version) {
  static std::string bytes;
  bytes = *hex_decode(hex);
  ByteReader in(bytes);
  return Message::decode(in, version);
}

template <typename Message>
std::string encode(const Message& message, int16_t version) {
  ByteWriter out;
  message.encode(out, version);
  return hex_encode(out.buffer());
}

struct Bad {
  const char* name;
  std::string hex;
  int16_t version;
  std::string what;
};

class BadMetadataRequest : public testing::TestWithParam<Bad> {};

TEST_P(BadMetadataRequest, IsRefusedByNameOfTheField) {
  auto message = decode<MetadataRequest>(GetParam().hex, GetParam().version);
  ASSERT_FALSE(message.ok());
  EXPECT_EQ(message.error().code(), Errc::malformed);
  EXPECT_EQ(message.error().what(), GetParam().what);
}

INSTANTIATE_TEST_SUITE_P(
    Rows, BadMetadataRequest,
    testing::Values(
        Bad{"empty", "", 0, "MetadataRequest: topics: cut short"},
        Bad{"null_topics_in_v0", "ffffffff", 0, "MetadataRequest: topics: null where none may be"},
        Bad{"negative_count", "fffffffe", 1, "MetadataRequest: topics: negative count"},
        Bad{"huge_count", "7fffffff", 1, "MetadataRequest: topics: count beyond the frame"},
        Bad{"huge_compact_count", "ffffffff0f", 9,
            "MetadataRequest: topics: count beyond the frame"},
        Bad{"count_too_large_by_one", "00000002000161", 1,
            "MetadataRequest: topics: count beyond the frame"},
        Bad{"null_name", "00000001ffff", 1, "MetadataRequest: name: null where none may be"},
        Bad{"negative_length", "00000001fffe", 1, "MetadataRequest: name: negative length"},
        Bad{"length_beyond", "00000001000561", 1, "MetadataRequest: name: length beyond the frame"},
        Bad{"long_compact_string", "02ffff7f", 9,
            "MetadataRequest: name: string longer than 32767 bytes"},
        Bad{"tag_count_missing", "00010000", 9, "MetadataRequest: tagged fields: cut short"},
        Bad{"tag_beyond", "0001000001050aff", 9,
            "MetadataRequest: tagged fields: length beyond the frame"}),
    [](const auto& info) { return info.param.name; });

TEST(KafkaDecode, UnknownVersions) {
  auto message = decode<ProduceRequest>("00", 99);
  ASSERT_FALSE(message.ok());
  EXPECT_EQ(message.error().code(), Errc::unsupported_version);
  EXPECT_FALSE(decode<ProduceRequest>("00", -1).ok());
}

TEST(KafkaDecode, AManyElementArrayIsBounded) {
  // 40 million empty names: 40 MB on the wire, more than a gigabyte as strings
  ByteWriter out;
  out.uvarint(40'000'001);
  out.bytes(std::string(40'000'000, '\1'));
  ByteReader in(out.buffer());
  auto message = DescribeGroupsRequest::decode(in, 5);
  ASSERT_FALSE(message.ok());
  EXPECT_EQ(message.error().what(), "DescribeGroupsRequest: groups: too many elements");
}

TEST(KafkaDecode, TaggedFields) {
  FetchRequest request;
  request.max_wait_ms = 5;
  std::string plain = encode(request, 12);
  EXPECT_TRUE(plain.ends_with("00"));  // nothing differs from its default
  // an unknown tag 9 with two bytes, before and after a known one
  std::string head = plain.substr(0, plain.size() - 2);
  auto skipped = decode<FetchRequest>(head + "010902abcd", 12);
  ASSERT_TRUE(skipped.ok()) << skipped.error().what();
  EXPECT_EQ(*skipped, request);
  auto known = decode<FetchRequest>(head +
                                        "020003"
                                        "026162"
                                        "0902abcd",
                                    12);
  ASSERT_FALSE(
      known.ok());  // "ab" is two bytes with its length: three are named, the string says one
  known = decode<FetchRequest>(head +
                                   "020003"
                                   "036162"
                                   "0902abcd",
                               12);
  ASSERT_TRUE(known.ok()) << known.error().what();
  EXPECT_EQ(known->cluster_id, "ab");
  auto wrong_size = decode<FetchRequest>(head +
                                             "010004"
                                             "036162"
                                             "00",
                                         12);
  ASSERT_FALSE(wrong_size.ok());
  EXPECT_EQ(wrong_size.error().what(), "FetchRequest: tagged fields: size does not fit the field");
  request.cluster_id = "ab";
  EXPECT_EQ(encode(request, 12), head +
                                     "010003"
                                     "036162");
}

TEST(KafkaDecode, FieldsThatAVersionDoesNotHave) {
  ProduceRequest request;
  request.transactional_id = "t";
  request.acks = -1;
  auto again = decode<ProduceRequest>(encode(request, 2), 2);
  ASSERT_TRUE(again.ok());
  EXPECT_EQ(again->transactional_id, std::nullopt);  // v3 and later only
  EXPECT_EQ(again->acks, -1);
  auto response = decode<FetchResponse>("00000000", 0);
  ASSERT_TRUE(response.ok()) << response.error().what();
  EXPECT_EQ(response->throttle_time_ms, 0);
}

TEST(KafkaDecode, NullableStructs) {
  DescribeTopicPartitionsRequest request;
  auto none = decode<DescribeTopicPartitionsRequest>(encode(request, 0), 0);
  ASSERT_TRUE(none.ok());
  EXPECT_FALSE(none->cursor.has_value());
  request.cursor.emplace();
  request.cursor->topic_name = "a";
  auto some = decode<DescribeTopicPartitionsRequest>(encode(request, 0), 0);
  ASSERT_TRUE(some.ok());
  EXPECT_EQ(*some, request);
}

TEST(KafkaDecode, RecordsPointIntoTheFrame) {
  ProduceRequest request;
  request.topic_data.emplace_back().name = "t";
  request.topic_data[0].partition_data.emplace_back().records = Records::view("batch");
  ByteWriter out;
  request.encode(out, 3);
  ByteReader in(out.buffer());
  auto again = ProduceRequest::decode(in, 3);
  ASSERT_TRUE(again.ok());
  ByteView records = again->topic_data[0].partition_data[0].records.bytes();
  EXPECT_EQ(records, "batch");
  EXPECT_GE(records.data(), out.buffer().data());
  EXPECT_LT(records.data(), out.buffer().data() + out.buffer().size());
  EXPECT_EQ(again->to_string(),
            "ProduceRequest(transactional_id=null, acks=0, timeout_ms=0, topic_data=[(name=\"t\", "
            "topic_id=AAAAAAAAAAAAAAAAAAAAAA, partition_data=[(index=0, records=<5 bytes>)])])");
}

TEST(KafkaHeaders, VersionsByApi) {
  struct Row {
    ApiKey api;
    int16_t version, request, response;
  };
  for (const Row& row : {Row{ApiKey::kProduce, 8, 1, 0},
                         {ApiKey::kProduce, 9, 2, 1},
                         {ApiKey::kApiVersions, 2, 1, 0},
                         {ApiKey::kApiVersions, 3, 2, 0},
                         {ApiKey::kApiVersions, 99, 2, 0},
                         {ApiKey::kOffsetDelete, 0, 1, 0},
                         {ApiKey::kControlledShutdown, 0, 0, 0},
                         {ApiKey::kControlledShutdown, 1, 1, 0},
                         {ApiKey::kControlledShutdown, 3, 2, 1},
                         {ApiKey::kSaslHandshake, 1, 1, 0}}) {
    EXPECT_EQ(request_header_version(row.api, row.version), row.request)
        << name_of(row.api) << row.version;
    EXPECT_EQ(response_header_version(row.api, row.version), row.response)
        << name_of(row.api) << row.version;
  }
  EXPECT_EQ(find_api(static_cast<int16_t>(75)), ApiKey::kDescribeTopicPartitions);
  EXPECT_EQ(find_api(static_cast<int16_t>(9999)), std::nullopt);
  EXPECT_EQ(find_api("Fetch"), ApiKey::kFetch);
  EXPECT_EQ(name_of(static_cast<ApiKey>(9999)), "Unknown");
}

TEST(KafkaHeaders, Decoding) {
  std::string frame = *hex_decode(
      "0012"
      "0003"
      "00000007"
      "0001"
      "61"
      "0105020000"
      "ff");
  ByteReader in(frame);
  auto header = decode_request_header(in);
  ASSERT_TRUE(header.ok()) << header.error().what();
  EXPECT_EQ(header->header_version, 2);
  EXPECT_EQ(header->header.client_id, "a");
  EXPECT_EQ(hex_encode(header->tagged_fields), "0105020000");
  EXPECT_EQ(in.remaining(), 1u);

  frame = *hex_decode(
      "7fff"
      "0003"
      "00000007"
      "ffff"
      "00");
  ByteReader unknown(frame);
  header = decode_request_header(unknown);
  ASSERT_TRUE(header.ok());
  EXPECT_FALSE(header->api.has_value());
  EXPECT_EQ(header->header.correlation_id, 7);
  EXPECT_EQ(header->header.client_id, std::nullopt);

  ByteReader cut(ByteView(frame).substr(0, 3));
  EXPECT_FALSE(decode_request_header(cut).ok());
}

}  // namespace
}  // namespace odradek::kafka
