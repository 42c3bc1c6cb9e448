#include "broker/log/record_batch.h"

#include <gtest/gtest.h>

#include "broker/log/record.h"
#include "broker/log/record_batch_builder.h"
#include "common/bytes/crc32.h"

namespace odradek::broker::log {
namespace {

using compress::Codec;

TEST(RecordBatch, BuiltBatchesReadBack) {
  for (Codec codec : {Codec::none, Codec::gzip, Codec::snappy, Codec::lz4, Codec::zstd}) {
    BatchOptions options;
    options.codec = codec;
    options.base_offset = Offset(100);
    options.leader_epoch = LeaderEpoch(7);
    options.producer_id = ProducerId(5);
    options.producer_epoch = ProducerEpoch(2);
    options.base_sequence = 2147483646;
    RecordBatchBuilder builder(options);
    HeaderView headers[] = {{"h1", "v1"}, {"h2", std::nullopt}, {"", ""}};
    builder.add(1000, "k", "v", headers);
    builder.add(900, std::nullopt, "null key");
    builder.add(1100, "null value", std::nullopt);
    builder.add(1050, "", "");
    Result<Bytes> batch = builder.build();
    ASSERT_TRUE(batch.ok());
    EXPECT_EQ(builder.record_count(), 0);

    Result<BatchHeader> header = parse_batch_header(*batch);
    ASSERT_TRUE(header.ok()) << header.error().what();
    EXPECT_TRUE(check_crc(*header, *batch).ok());
    EXPECT_EQ(header->size(), batch->size());
    EXPECT_EQ(header->base_offset, Offset(100));
    EXPECT_EQ(header->last_offset(), Offset(103));
    EXPECT_EQ(header->partition_leader_epoch, LeaderEpoch(7));
    EXPECT_EQ(header->codec(), codec);
    EXPECT_EQ(header->base_timestamp, 1000);
    EXPECT_EQ(header->max_timestamp, 1100);
    EXPECT_EQ(header->record_count, 4);
    EXPECT_EQ(header->last_sequence(), 1);  // around the end of the circle

    Result<RecordIterator> records = RecordIterator::open(*batch, 1000);
    ASSERT_TRUE(records.ok()) << records.error().what();
    const RecordView* record = records->next();
    ASSERT_NE(record, nullptr);
    EXPECT_EQ(record->key, "k");
    EXPECT_EQ(record->value, "v");
    EXPECT_EQ(record->timestamp_ms, 1000);
    std::vector<HeaderView> read = record->headers();
    ASSERT_EQ(read.size(), 3u);
    EXPECT_EQ(read[0].key, "h1");
    EXPECT_EQ(read[0].value, "v1");
    EXPECT_FALSE(read[1].value.has_value());
    EXPECT_EQ(read[2].value, "");
    record = records->next();
    ASSERT_NE(record, nullptr);
    EXPECT_FALSE(record->key.has_value());
    EXPECT_EQ(record->timestamp_ms, 900);
    record = records->next();
    ASSERT_NE(record, nullptr);
    EXPECT_FALSE(record->value.has_value());
    EXPECT_EQ(record->offset, Offset(102));
    record = records->next();
    ASSERT_NE(record, nullptr);
    EXPECT_EQ(record->key, "");
    EXPECT_EQ(records->next(), nullptr);
    EXPECT_TRUE(records->ok());
  }
}

TEST(RecordBatch, LeadersChanges) {
  RecordBatchBuilder builder;
  builder.add(1000, "k", "v");
  Bytes batch = *builder.build();
  Bytes before = batch;
  set_base_offset(batch, Offset(77));
  set_leader_epoch(batch, LeaderEpoch(3));
  BatchHeader header = *parse_batch_header(batch);
  EXPECT_EQ(header.base_offset, Offset(77));
  EXPECT_EQ(header.partition_leader_epoch, LeaderEpoch(3));
  EXPECT_TRUE(check_crc(header, batch).ok());
  EXPECT_EQ(batch.substr(16), before.substr(16));
  set_timestamp(batch, TimestampType::create_time, 1000);
  EXPECT_EQ(batch.substr(16), before.substr(16));
  set_timestamp(batch, TimestampType::log_append_time, 2000);
  header = *parse_batch_header(batch);
  EXPECT_EQ(header.timestamp_type(), TimestampType::log_append_time);
  EXPECT_TRUE(check_crc(header, batch).ok());
  Result<RecordIterator> records = RecordIterator::open(batch, 0);
  EXPECT_EQ(records->next()->timestamp_ms, 2000);
}

TEST(RecordBatch, DamageIsSeen) {
  RecordBatchBuilder builder;
  builder.add(1000, "key", "value");
  Bytes good = *builder.build();
  for (size_t i = 16; i < good.size(); ++i) {
    Bytes bad = good;
    bad[i] = static_cast<char>(bad[i] ^ 0x40);
    Result<BatchHeader> header = parse_batch_header(bad);
    EXPECT_FALSE(header.ok() && check_crc(*header, bad).ok()) << "byte " << i;
  }
  for (size_t size = 0; size < kBatchHeaderSize; ++size) {
    EXPECT_FALSE(parse_batch_header(ByteView(good).substr(0, size)).ok()) << size;
  }
  Bytes negative = good;
  negative[8] = '\xff';
  EXPECT_EQ(parse_batch_header(negative).error().code(), Errc::corrupt_record);
  Bytes magic = good;
  magic[16] = 3;
  EXPECT_EQ(parse_batch_header(magic).error().code(), Errc::corrupt_record);
}

TEST(RecordBatch, WalkerStopsAtACutTail) {
  RecordBatchBuilder builder;
  Bytes all;
  for (int i = 0; i < 3; ++i) {
    builder.add(1000, "key", std::string(static_cast<size_t>(i) * 10, 'x'));
    all += *builder.build();
  }
  for (size_t size = 0; size <= all.size(); ++size) {
    BatchWalker walker(ByteView(all).substr(0, size));
    size_t seen = 0, bytes = 0;
    while (walker.next()) {
      ++seen;
      bytes += walker.header().size();
    }
    EXPECT_TRUE(walker.ok());
    EXPECT_EQ(bytes + walker.rest().size(), size);
    if (size == all.size()) EXPECT_EQ(seen, 3u);
  }
}

TEST(RecordBatch, EntriesOfFormats0And1) {
  for (int8_t magic : {0, 1}) {
    ByteWriter out;
    out.i64(42);
    out.i32(0);
    out.u32(0);
    out.i8(magic);
    out.i8(0);
    if (magic == 1) out.i64(1234);
    out.i32(-1);
    out.i32(5);
    out.bytes("hello");
    out.patch_i32(8, static_cast<int32_t>(out.buffer_size() - 12));
    out.patch_i32(12, static_cast<int32_t>(crc32(ByteView(out.buffer()).substr(16))));
    Bytes entry = out.take();
    Result<BatchHeader> header = parse_batch_header(entry);
    ASSERT_TRUE(header.ok()) << header.error().what();
    EXPECT_EQ(header->last_offset(), Offset(42));
    EXPECT_EQ(header->size(), entry.size());
    EXPECT_EQ(header->max_timestamp, magic == 1 ? 1234 : -1);
    EXPECT_TRUE(check_crc(*header, entry).ok());
    entry.back() = '!';
    EXPECT_FALSE(check_crc(*header, entry).ok());
  }
}

TEST(RecordBatch, RecordsThatLieAboutTheirLengths) {
  BatchHeader header;
  struct Row {
    const char* what;
    std::string bytes;
  } rows[] = {
      {"empty", ""},
      {"key longer than the record", std::string("\0\0\0\x20"
                                                 "a",
                                                 5)},
      {"key length -2", std::string("\0\0\0\x03\x01\0", 6)},
      {"a million headers", std::string("\0\0\0\x01\x01\x80\x89\x7a", 8)},
      {"negative headers", std::string("\0\0\0\x01\x01\x01", 6)},
      {"header with a null key", std::string("\0\0\0\x01\x01\x02\x01\x01", 8)},
      {"bytes behind the headers", std::string("\0\0\0\x01\x01\0x", 7)},
      {"varint that does not end",
       std::string("\0\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", 12)},
  };
  for (const Row& row : rows) EXPECT_FALSE(parse_record(row.bytes, header).ok()) << row.what;
  EXPECT_TRUE(parse_record(std::string("\0\0\0\x01\x01\0", 6), header).ok());
}

TEST(RecordBatch, CompressedBombIsBounded) {
  BatchOptions options;
  options.codec = Codec::zstd;
  RecordBatchBuilder builder(options);
  builder.add(1, std::nullopt, std::string(10'000'000, 'x'));
  Bytes batch = *builder.build();
  EXPECT_LT(batch.size(), 10'000u);
  EXPECT_EQ(RecordIterator::open(batch, 1'000'000).error().code(), Errc::limit_exceeded);
}

TEST(RecordBatch, TransactionMarker) {
  Bytes marker =
      *build_transaction_marker(ControlType::abort, ProducerId(9), ProducerEpoch(1), 4, 1000);
  BatchHeader header = *parse_batch_header(marker);
  EXPECT_TRUE(header.is_control());
  EXPECT_TRUE(header.is_transactional());
  EXPECT_EQ(header.base_sequence, kNoSequence);
  EXPECT_EQ(header.last_sequence(), kNoSequence);
}

TEST(RecordBatch, TheSizeOfTheFrontBatchIsReadAsFarAsItIsThere) {
  Bytes whole = *[] {
    RecordBatchBuilder builder;
    builder.add(1, "k", "v");
    return builder.build();
  }();
  auto two = front_batch_size(whole + whole);
  ASSERT_TRUE(two);
  EXPECT_EQ(*two, whole.size());
  for (size_t cut = 0; cut < whole.size(); ++cut) {
    auto size = front_batch_size(ByteView(whole).substr(0, cut));
    ASSERT_TRUE(size) << cut;
    EXPECT_FALSE(size->has_value()) << cut;
  }
  Bytes short_length = whole.substr(0, 12);
  short_length[10] = 0;
  short_length[11] = 13;
  EXPECT_EQ(front_batch_size(short_length).error().code(), Errc::corrupt_record);
  Bytes magic = whole.substr(0, 17);
  magic[16] = static_cast<char>(-1);
  EXPECT_EQ(front_batch_size(magic).error().code(), Errc::corrupt_record);
}

}  // namespace
}  // namespace odradek::broker::log
