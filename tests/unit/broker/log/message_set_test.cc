#include "broker/log/message_set.h"

#include <gtest/gtest.h>

#include <string>
#include <tuple>
#include <vector>

#include "broker/log/record.h"
#include "broker/log/record_batch_builder.h"
#include "common/compress/compress.h"

namespace odradek::broker::log {
namespace {

using compress::Codec;

constexpr size_t kMost = 1 << 20;

struct Line {
  int64_t offset;
  int64_t timestamp_ms;
  std::optional<std::string> key, value;
  bool operator==(const Line&) const = default;
};

std::vector<Line> lines_of(ByteView set) {
  std::vector<Line> lines;
  BatchWalker walker(set);
  while (walker.next()) {
    EXPECT_TRUE(check_crc(walker.header(), walker.batch()).ok());
    Result<RecordIterator> records = RecordIterator::open(walker.batch(), kMost);
    EXPECT_TRUE(records.ok()) << records.error().what();
    if (!records) return lines;
    while (const RecordView* record = records->next()) {
      lines.push_back({record->offset.value(), record->timestamp_ms,
                       record->key ? std::optional<std::string>(*record->key) : std::nullopt,
                       record->value ? std::optional<std::string>(*record->value) : std::nullopt});
    }
    EXPECT_TRUE(records->ok());
  }
  EXPECT_TRUE(walker.ok() && walker.rest().empty());
  return lines;
}

std::vector<Line> some_lines(int8_t magic) {
  std::vector<Line> lines;
  for (int64_t i = 0; i < 5; ++i) {
    lines.push_back({i, magic == 0 ? -1 : 1000 + i, "key" + std::to_string(i),
                     std::string(20, 'v') + std::to_string(i)});
  }
  lines[1].key.reset();
  lines[2].value.reset();
  return lines;
}

Bytes plain_set(int8_t magic, const std::vector<Line>& lines, int16_t attributes = 0) {
  ByteWriter out;
  for (const Line& line : lines) {
    write_message(out, magic, Offset(line.offset), attributes, line.timestamp_ms,
                  line.key ? std::optional<ByteView>(*line.key) : std::nullopt,
                  line.value ? std::optional<ByteView>(*line.value) : std::nullopt);
  }
  return out.take();
}

Bytes wrapper(int8_t magic, Codec codec, const std::vector<Line>& lines, int64_t last_offset,
              int16_t attributes = 0, int64_t timestamp_ms = 1004) {
  const Bytes inner = plain_set(magic, lines);
  const Bytes packed = magic == 0 && codec == Codec::lz4 ? *compress::compress_lz4_magic0(inner)
                                                         : *compress::compress(codec, inner);
  ByteWriter out;
  write_message(out, magic, Offset(last_offset),
                static_cast<int16_t>(static_cast<int16_t>(codec) | attributes), timestamp_ms,
                std::nullopt, ByteView(packed));
  return out.take();
}

constexpr Codec kOldCodecs[] = {Codec::gzip, Codec::snappy, Codec::lz4};

// The layout byte by byte, so that reader and writer do not only agree with one another: a message
// of format 1 and its CRC-32 as facts and python's zlib have them.
TEST(MessageSet, LiesAsTheFormatSays) {
  ByteWriter out;
  write_message(out, 1, Offset(7), 0, 0x0102030405060708, ByteView("k"), ByteView("vv"));
  const Bytes bytes = out.take();
  ASSERT_EQ(bytes.size(), 37u);
  EXPECT_EQ(bytes.substr(0, 12), Bytes("\0\0\0\0\0\0\0\7\0\0\0\x19", 12));
  EXPECT_EQ(bytes.substr(16), Bytes("\1\0\1\2\3\4\5\6\7\x08\0\0\0\1k\0\0\0\2vv", 21));
  write_message(out, 0, Offset(7), 0, 1, std::nullopt, std::nullopt);
  const Bytes empty = out.take();
  EXPECT_EQ(empty.substr(0, 12), Bytes("\0\0\0\0\0\0\0\7\0\0\0\x0e", 12));
  EXPECT_EQ(empty.substr(16), Bytes("\0\0\xff\xff\xff\xff\xff\xff\xff\xff", 10));
}

TEST(MessageSet, BecomesOneBatch) {
  for (int8_t magic : {0, 1}) {
    const std::vector<Line> lines = some_lines(magic);
    Result<Bytes> batch = to_record_batch(plain_set(magic, lines), kMost);
    ASSERT_TRUE(batch.ok()) << batch.error().what();
    BatchHeader header = *parse_batch_header(*batch);
    EXPECT_EQ(header.magic, 2);
    EXPECT_EQ(header.size(), batch->size());
    EXPECT_EQ(header.record_count, 5);
    EXPECT_EQ(header.max_timestamp, magic == 0 ? -1 : 1004);
    EXPECT_EQ(lines_of(*batch), lines);
    for (Codec codec : kOldCodecs) {
      Result<Bytes> packed = to_record_batch(wrapper(magic, codec, lines, 4), kMost);
      ASSERT_TRUE(packed.ok()) << compress::name_of(codec) << packed.error().what();
      EXPECT_EQ(parse_batch_header(*packed)->codec(), codec);
      EXPECT_EQ(lines_of(*packed), lines);
    }
  }
}

TEST(MessageSet, WhatIsCutAtItsEndIsNoPartOfIt) {
  const std::vector<Line> lines = some_lines(1);
  const Bytes set = plain_set(1, lines);
  const size_t last = plain_set(1, {lines[4]}).size();
  for (size_t cut = 1; cut < last; ++cut) {
    Result<Bytes> batch = to_record_batch(ByteView(set).substr(0, set.size() - cut), kMost);
    ASSERT_TRUE(batch.ok()) << cut;
    EXPECT_EQ(parse_batch_header(*batch)->record_count, 4);
  }
  EXPECT_EQ(*to_record_batch("", kMost), "");
  EXPECT_EQ(*to_record_batch(ByteView(set).substr(0, 20), kMost), "");
}

TEST(MessageSet, RefusesAsKafkaDoes) {
  const std::vector<Line> lines = some_lines(1);
  auto errc = [](const Bytes& set, size_t most = kMost) {
    Result<Bytes> batch = to_record_batch(set, most);
    return batch.ok() ? Errc::internal : batch.error().code();
  };
  Bytes flipped = plain_set(1, lines);
  flipped[30] ^= 1;
  EXPECT_EQ(errc(flipped), Errc::corrupt_record);
  EXPECT_EQ(errc(wrapper(1, Codec::gzip, lines, 4) + wrapper(1, Codec::gzip, lines, 4)),
            Errc::invalid_record);
  EXPECT_EQ(errc(wrapper(1, Codec::gzip, lines, 4) + plain_set(1, lines)), Errc::invalid_record);
  EXPECT_EQ(errc(plain_set(1, lines, 0x08)), Errc::invalid_timestamp);
  EXPECT_EQ(errc(wrapper(1, Codec::gzip, lines, 4), 50), Errc::record_too_large);
  std::vector<Line> gap = lines;
  gap[4].offset = 9;
  EXPECT_EQ(errc(wrapper(1, Codec::gzip, gap, 9)), Errc::invalid_record);
  EXPECT_EQ(errc(wrapper(0, Codec::gzip, gap, 9)), Errc::internal) << "format 0 is not asked";
  EXPECT_EQ(errc(wrapper(1, Codec::zstd, lines, 4)), Errc::corrupt_record);
  EXPECT_EQ(errc(wrapper(1, Codec::gzip, {}, 0)), Errc::corrupt_record);
  // damaged inside: its own checksum says so, though the wrapper's is right
  Bytes inner = plain_set(1, lines);
  inner[30] ^= 1;
  ByteWriter out;
  const Bytes packed = *compress::compress(Codec::gzip, inner);
  write_message(out, 1, Offset(4), 1, 5, std::nullopt, ByteView(packed));
  EXPECT_EQ(errc(out.take()), Errc::corrupt_record);
  // a wrapper in a wrapper
  const Bytes twice = *compress::compress(Codec::gzip, wrapper(1, Codec::gzip, lines, 4));
  write_message(out, 1, Offset(4), 1, 5, std::nullopt, ByteView(twice));
  EXPECT_EQ(errc(out.take()), Errc::invalid_record);
  write_message(out, 1, Offset(4), 1, 5, std::nullopt, std::nullopt);
  EXPECT_EQ(errc(out.take()), Errc::invalid_record) << "nothing inside";
  RecordBatchBuilder batch;
  batch.add(1, ByteView("k"), ByteView("v"));
  EXPECT_EQ(errc(*batch.build()), Errc::invalid_record);
}

// Any bytes: an error or a batch, never more.
TEST(MessageSet, SurvivesEveryFlippedByte) {
  for (const Bytes& good : {plain_set(1, some_lines(1)), wrapper(1, Codec::snappy, some_lines(1), 4),
                            wrapper(0, Codec::lz4, some_lines(0), 4)}) {
    for (size_t at = 0; at < good.size(); ++at) {
      for (int bit = 0; bit < 8; ++bit) {
        Bytes bad = good;
        bad[at] = static_cast<char>(bad[at] ^ (1 << bit));
        Result<Bytes> batch = to_record_batch(bad, kMost);
        if (batch.ok() && !batch->empty()) EXPECT_TRUE(parse_batch_header(*batch).ok());
        (void)to_message_set(bad, 0, Offset(0), kMost);
      }
    }
  }
}

Bytes batch_of(Codec codec, const std::vector<Line>& lines, Offset base, BatchOptions options = {}) {
  options.codec = codec;
  options.base_offset = base;
  RecordBatchBuilder builder(options);
  const std::vector<HeaderView> headers = {{"h", ByteView("x")}};
  for (const Line& line : lines) {
    builder.add_at(static_cast<int32_t>(line.offset - base.value()), line.timestamp_ms,
                   line.key ? std::optional<ByteView>(*line.key) : std::nullopt,
                   line.value ? std::optional<ByteView>(*line.value) : std::nullopt, headers);
  }
  return *builder.build();
}

TEST(MessageSet, StandsForBatches) {
  std::vector<Line> lines = some_lines(1);
  for (size_t i = 0; i < lines.size(); ++i) lines[i].offset = 100 + 2 * static_cast<int64_t>(i);
  for (int8_t magic : {0, 1}) {
    std::vector<Line> seen = lines;
    if (magic == 0) {
      for (Line& line : seen) line.timestamp_ms = -1;
    }
    for (Codec codec : {Codec::none, Codec::gzip, Codec::snappy, Codec::lz4}) {
      Result<Bytes> set =
          to_message_set(batch_of(codec, lines, Offset(100)), magic, Offset(0), kMost);
      ASSERT_TRUE(set.ok()) << set.error().what();
      EXPECT_EQ(lines_of(*set), seen) << compress::name_of(codec) << int{magic};
      BatchHeader header = *parse_batch_header(*set);
      EXPECT_EQ(header.magic, magic);
      EXPECT_EQ(header.base_offset, Offset(codec == Codec::none ? 100 : 108));
      if (codec != Codec::none) EXPECT_EQ(header.max_timestamp, magic == 0 ? -1 : 1004);
    }
  }
}

TEST(MessageSet, LeavesOutWhatOldClientsDoNotKnow) {
  const std::vector<Line> lines = some_lines(1);
  BatchOptions control;
  control.control = true;
  const Bytes both = batch_of(Codec::none, {lines[0]}, Offset(0), control) +
                     batch_of(Codec::none, {lines[1], lines[2]}, Offset(1));
  EXPECT_EQ(lines_of(*to_message_set(both, 1, Offset(0), kMost)),
            (std::vector<Line>{lines[1], lines[2]}));
  EXPECT_EQ(lines_of(*to_message_set(both, 1, Offset(2), kMost)), (std::vector<Line>{lines[2]}));
  EXPECT_EQ(*to_message_set(batch_of(Codec::none, {lines[0]}, Offset(0), control), 1, Offset(0),
                            kMost),
            "");
  EXPECT_EQ(to_message_set(batch_of(Codec::zstd, lines, Offset(0)), 1, Offset(0), kMost)
                .error()
                .code(),
            Errc::unsupported_compression_type);
}

TEST(MessageSet, AppendTimeIsThatOfTheBatch) {
  std::vector<Line> lines = some_lines(1);
  BatchOptions options;
  options.timestamp_type = TimestampType::log_append_time;
  options.log_append_time_ms = 5555;
  for (Codec codec : {Codec::none, Codec::gzip}) {
    const Bytes set = *to_message_set(batch_of(codec, lines, Offset(0), options), 1, Offset(0), kMost);
    EXPECT_EQ(parse_batch_header(set)->timestamp_type(), TimestampType::log_append_time);
    for (const Line& line : lines_of(set)) EXPECT_EQ(line.timestamp_ms, 5555);
  }
}

TEST(MessageSet, OldSegmentsAreShownInTheirOwnFormatOrAnOlderOne) {
  const std::vector<Line> lines = some_lines(1);
  const Bytes plain = plain_set(1, lines), packed = wrapper(1, Codec::gzip, lines, 4);
  EXPECT_EQ(*to_message_set(plain, 1, Offset(3), kMost), plain);
  EXPECT_EQ(*to_message_set(packed, 1, Offset(3), kMost), packed);
  std::vector<Line> seen = lines;
  for (Line& line : seen) line.timestamp_ms = -1;
  EXPECT_EQ(lines_of(*to_message_set(plain, 0, Offset(0), kMost)), seen);
  const Bytes old = *to_message_set(packed, 0, Offset(0), kMost);
  EXPECT_EQ(lines_of(old), seen);
  EXPECT_EQ(parse_batch_header(old)->base_offset, Offset(4));
}

}  // namespace
}  // namespace odradek::broker::log
