// Every message in every version, as Kafka's own encoders write it.
#include <functional>
#include <map>

#include "tests/golden/golden_file.h"
#include "tests/golden/kafka/round_trip.h"

namespace odradek::golden {
namespace {

using RoundTrip = std::function<void(ByteView, int16_t, std::string*)>;

std::map<std::string, RoundTrip> messages() {
  using namespace kafka;
  std::map<std::string, RoundTrip> out;
#define ODRADEK_CASE(Api)                         \
  out[#Api "Request"] = round_trip<Api##Request>; \
  out[#Api "Response"] = round_trip<Api##Response>;
  ODRADEK_KAFKA_APIS(ODRADEK_CASE)
#undef ODRADEK_CASE
#define ODRADEK_CASE(Name) out[#Name] = round_trip<Name>;
  ODRADEK_CASE(RequestHeader)
  ODRADEK_CASE(ResponseHeader)
  ODRADEK_CASE(LegacyOffsetCommitKey)
  ODRADEK_CASE(LegacyOffsetCommitValue)
  ODRADEK_CASE(OffsetCommitKey)
  ODRADEK_CASE(OffsetCommitValue)
  ODRADEK_CASE(GroupMetadataKey)
  ODRADEK_CASE(GroupMetadataValue)
  ODRADEK_CASE(TransactionLogKey)
  ODRADEK_CASE(TransactionLogValue)
  ODRADEK_CASE(ConsumerProtocolSubscription)
  ODRADEK_CASE(ConsumerProtocolAssignment)
#undef ODRADEK_CASE
  return out;
}

TEST(KafkaEncoded, RoundTrip) {
  auto known = messages();
  std::map<std::string, int> seen;
  for (const Row& row : read_rows("kafka/encoded.tsv")) {
    SCOPED_TRACE(row[0] + " v" + row[1] + " " + row[2]);
    ASSERT_TRUE(known.contains(row[0]));
    ++seen[row[0]];
    std::string text;
    known[row[0]](unhex(row.size() > 4 ? row[4] : ""), static_cast<int16_t>(std::stoi(row[1])),
                  &text);
    if (row.size() > 5) {
      EXPECT_EQ(text, row[5]);
    }
  }
  EXPECT_EQ(seen.size(), known.size());
}

}  // namespace
}  // namespace odradek::golden
