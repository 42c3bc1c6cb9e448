#include "common/net/frame_assembler.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "common/bytes/byte_writer.h"

namespace odradek::net {
namespace {

std::string frame(std::string_view body) {
  ByteWriter out;
  out.i32(static_cast<int32_t>(body.size()));
  out.bytes(body);
  return out.take();
}

TEST(FrameAssembler, TakesFramesApartHoweverTheyAreCut) {
  std::string stream = frame("one") + frame("") + frame("three") + frame(std::string(100'000, 'x'));
  for (size_t step : {size_t{1}, size_t{2}, size_t{3}, size_t{7}, size_t{1000}, stream.size()}) {
    FrameAssembler assembler(1'000'000);
    std::vector<std::string> got;
    for (size_t at = 0; at < stream.size(); at += step) {
      assembler.feed(ByteView(stream).substr(at, step));
      while (true) {
        auto next = assembler.next();
        ASSERT_TRUE(next) << next.error().what();
        if (!next->has_value()) break;
        got.emplace_back((*next)->view());
      }
    }
    ASSERT_EQ(got.size(), 4u) << "in steps of " << step;
    EXPECT_EQ(got[0], "one");
    EXPECT_EQ(got[1], "");
    EXPECT_EQ(got[2], "three");
    EXPECT_EQ(got[3], std::string(100'000, 'x'));
    EXPECT_FALSE(assembler.in_frame());
    EXPECT_EQ(assembler.memory(), 0u);
  }
}

TEST(FrameAssembler, LargeFramesAreReceivedInPlace) {
  FrameAssembler assembler(10'000'000);
  std::string body(3'000'000, 'y');
  std::string stream = frame(body);
  assembler.feed(ByteView(stream).substr(0, 10'000));
  ASSERT_TRUE(assembler.next());
  size_t at = 10'000;
  size_t room = 0;
  while (char* space = assembler.direct_space(room)) {
    room = std::min(room, stream.size() - at);
    std::memcpy(space, stream.data() + at, room);
    assembler.direct_add(room);
    at += room;
    if (at == stream.size()) break;
  }
  assembler.feed(ByteView(stream).substr(at));
  auto next = assembler.next();
  ASSERT_TRUE(next);
  ASSERT_TRUE(next->has_value());
  EXPECT_EQ((*next)->view(), body);
}

TEST(FrameAssembler, ASpareBufferTakesOverALargeFrame) {
  FrameAssembler assembler(10'000'000);
  std::string body(1'000'000, 'b');
  body += "end";
  std::string stream = frame(body);
  assembler.feed(ByteView(stream).substr(0, 70'000));
  ASSERT_TRUE(assembler.next());
  Buffer spare;
  spare.reserve(1'100'000);
  spare.append("old bytes");
  assembler.offer(spare);
  EXPECT_EQ(spare.capacity(), 0u);
  size_t room = 0;
  char* space = assembler.direct_space(room);
  ASSERT_NE(space, nullptr);
  ASSERT_EQ(room, stream.size() - 70'000) << "all the rest fits";
  std::memcpy(space, stream.data() + 70'000, room);
  assembler.direct_add(room);
  auto next = assembler.next();
  ASSERT_TRUE(next);
  ASSERT_TRUE(next->has_value());
  EXPECT_EQ((*next)->view(), body);

  Buffer unused;
  unused.reserve(1'000'000);
  assembler.feed(frame("small"));
  assembler.offer(unused);
  EXPECT_EQ(unused.capacity(), 1'000'000u) << "small frames do without";
}

TEST(FrameAssembler, AClaimedLengthCostsNoMemory) {
  FrameAssembler assembler(100'000'000);
  ByteWriter out;
  out.i32(99'000'000);
  out.bytes("little");
  assembler.feed(out.buffer());
  ASSERT_TRUE(assembler.next());
  size_t room = 0;
  ASSERT_NE(assembler.direct_space(room), nullptr);
  EXPECT_LE(assembler.memory(), 4 * FrameAssembler::kScratchBytes);
}

struct Refusal {
  const char* name;
  std::string bytes;
  const char* part_of_reason;
};

TEST(FrameAssembler, RefusesWhatIsNoFrame) {
  const Refusal rows[] = {
      {"negative", std::string("\xff\xff\xff\xff", 4), "negative length -1"},
      {"two gigabytes", std::string("\x7f\xff\xff\xff", 4), "2147483647 bytes"},
      {"one above the limit", std::string("\x00\x00\x03\xe9", 4), "above the limit of 1000"},
      {"http get", "GET / HTTP/1.1\r\n", "HTTP"},
      {"http post", "POST /topics HTTP/1.1\r\n", "HTTP"},
      {"http2", "PRI * HTTP/2.0\r\n", "HTTP"},
      {"tls hello", std::string("\x16\x03\x01\x02\x00\x01", 6), "TLS"},
  };
  for (const Refusal& row : rows) {
    FrameAssembler assembler(1000);
    assembler.feed(row.bytes);
    auto next = assembler.next();
    ASSERT_FALSE(next) << row.name;
    EXPECT_EQ(next.error().code(), Errc::malformed) << row.name;
    EXPECT_NE(next.error().what().find(row.part_of_reason), std::string::npos)
        << next.error().what();
  }
}

TEST(FrameAssembler, AFrameOfTheLimitIsTaken) {
  FrameAssembler assembler(1000);
  assembler.feed(frame(std::string(1000, 'z')));
  auto next = assembler.next();
  ASSERT_TRUE(next);
  EXPECT_TRUE(next->has_value());
}

}  // namespace
}  // namespace odradek::net
