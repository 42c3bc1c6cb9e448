// A session that was captured between a client and ZooKeeper 3.6.4, request by request, against our
// service: the replies are the same bytes but for times and the order of children (ZooKeeper's is
// that of a hash table).
#include <algorithm>

#include "tests/golden/golden_file.h"
#include "tests/unit/coordinator/server/raw_client.h"

namespace odradek::coordinator::server {
namespace {

// Times are 8 bytes that read as milliseconds of these years; nothing else in these frames does.
std::string without_times(std::string frame) {
  for (size_t at = 0; at + 8 <= frame.size(); ++at) {
    int64_t value = ByteReader(std::string_view(frame).substr(at, 8)).i64();
    if (value > 1'700'000'000'000 && value < 2'000'000'000'000)
      std::fill_n(frame.begin() + static_cast<ptrdiff_t>(at), 8, '\0');
  }
  return frame;
}

// A reply that begins with a list of names: sorted.
std::string with_sorted_names(const std::string& frame) {
  ByteReader in(frame);
  std::string head(in.bytes(16));
  int32_t count = in.i32();
  std::vector<std::string> names;
  for (int32_t i = 0; i < count && in.ok(); ++i)
    names.emplace_back(in.bytes(static_cast<size_t>(in.i32())));
  std::sort(names.begin(), names.end());
  ByteWriter out;
  out.bytes(head);
  for (const std::string& name : names) {
    out.i32(static_cast<int32_t>(name.size()));
    out.bytes(name);
  }
  out.bytes(in.rest());
  return out.take();
}

class GoldenSession : public ServiceFixture {};

TEST_F(GoldenSession, AnswersAsZooKeeperDid) {
  options.settings.rules.extended_types = true;  // as the captured server
  start();
  RawClient client(port());
  ASSERT_TRUE(client.connect_session());
  auto rows = golden::read_rows("zookeeper/wire-3.6.4.tsv");
  int compared = 0;
  for (size_t i = 0; i < rows.size(); ++i) {
    const auto& row = rows[i];
    if (row.size() < 4 || row[2] != "C>S" || row[1] == "connect") continue;
    if (row[1] == "whoAmI") break;  // 3.6.4 does not know it; with it this session ends
    ASSERT_LT(i + 1, rows.size());
    client.send(golden::unhex(row[3]));
    auto got = client.receive_frame();
    ASSERT_TRUE(got) << row[0];
    std::string expected = golden::frame(rows[i + 1][3]);
    if (row[1].starts_with("getChildren") || row[1] == "getEphemerals") {
      *got = with_sorted_names(*got);
      expected = with_sorted_names(expected);
    }
    EXPECT_EQ(hex_encode(without_times(*got)), hex_encode(without_times(expected))) << row[0];
    ++compared;
  }
  EXPECT_GE(compared, 45);
}

}  // namespace
}  // namespace odradek::coordinator::server
