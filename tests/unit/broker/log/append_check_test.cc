#include "broker/log/append_check.h"

#include <gtest/gtest.h>

#include <functional>

#include "broker/log/record.h"
#include "tests/unit/broker/log/log_fixture.h"

namespace odradek::broker::log {
namespace {

using compress::Codec;
constexpr int64_t kNow = 1'600'000'000'000;

void put_i32(Bytes& batch, size_t at, int32_t value) {
  uint32_t swapped = __builtin_bswap32(static_cast<uint32_t>(value));
  std::memcpy(batch.data() + at, &swapped, 4);
  set_crc(batch);
}

BatchOptions packed(Codec codec) {
  BatchOptions options;
  options.codec = codec;
  return options;
}

struct Row {
  const char* what;
  std::function<Bytes()> batch;
  std::function<void(LogConfig&)> change;
  std::optional<Errc> expected;
  AppendOrigin origin = AppendOrigin::client;
};

TEST(AppendCheck, WhatIsTakenAndWhatIsRefused) {
  auto keep = [](LogConfig&) {};
  auto good = [] { return batch_of(3, kNow); };
  auto no_key = [](Codec codec) {
    RecordBatchBuilder builder(packed(codec));
    builder.add(kNow, "k", "v");
    builder.add(kNow, std::nullopt, "v");
    return *builder.build();
  };
  auto compact = [](LogConfig& config) { config.cleanup_compact = true; };
  const std::vector<Row> rows = {
      {"a good batch", good, keep, std::nullopt},
      {"a good batch, gzip", [] { return batch_of(3, kNow, packed(Codec::gzip)); }, keep,
       std::nullopt},
      {"nothing", [] { return Bytes(); }, keep, Errc::invalid_record},
      {"two batches of a client", [&] { return good() + good(); }, keep, Errc::invalid_record},
      {"two batches of a coordinator", [&] { return good() + good(); }, keep, std::nullopt,
       AppendOrigin::coordinator},
      {"a cut batch", [&] { return good().substr(0, 80); }, keep, Errc::corrupt_record},
      {"bytes behind the batch", [&] { return good() + "rubbish"; }, keep, Errc::corrupt_record},
      {"a wrong checksum",
       [&] {
         Bytes b = good();
         b.back() ^= 1;
         return b;
       },
       keep, Errc::corrupt_record},
      {"an old message",
       [] {
         ByteWriter out;
         out.i64(0);
         out.i32(14);
         out.bytes(std::string(14, '\0'));
         return out.take();
       },
       keep, Errc::unsupported_for_message_format},
      {"a base offset",
       [&] {
         Bytes b = good();
         set_base_offset(b, Offset(5));
         return b;
       },
       keep, Errc::invalid_record},
      {"no records",
       [&] {
         Bytes b = good();
         put_i32(b, 57, 0);
         return b;
       },
       keep, Errc::invalid_record},
      {"a wrong count",
       [&] {
         Bytes b = good();
         put_i32(b, 57, 4);
         return b;
       },
       keep, Errc::invalid_record},
      {"a count that agrees with a wrong last offset",
       [&] {
         Bytes b = good();
         put_i32(b, 57, 4);
         put_i32(b, 23, 3);
         return b;
       },
       keep, Errc::invalid_record},
      {"fewer promised than there are",
       [&] {
         Bytes b = good();
         put_i32(b, 57, 2);
         put_i32(b, 23, 1);
         return b;
       },
       keep, Errc::invalid_record},
      {"a negative last offset",
       [&] {
         Bytes b = good();
         put_i32(b, 23, -1);
         return b;
       },
       keep, Errc::invalid_record},
      {"a wrong count, compressed",
       [] {
         Bytes b = batch_of(3, kNow, packed(Codec::zstd));
         put_i32(b, 57, 4);
         return b;
       },
       keep, Errc::invalid_record},
      {"an unknown codec",
       [&] {
         Bytes b = good();
         b[22] = 5;
         set_crc(b);
         return b;
       },
       keep, Errc::corrupt_record},
      {"a control batch of a client",
       [] {
         return *build_transaction_marker(ControlType::commit, ProducerId(1), ProducerEpoch(0), 0,
                                          kNow);
       },
       keep, Errc::invalid_record},
      {"a control batch of a coordinator",
       [] {
         return *build_transaction_marker(ControlType::commit, ProducerId(1), ProducerEpoch(0), 0,
                                          kNow);
       },
       keep, std::nullopt, AppendOrigin::coordinator},
      {"a producer without sequence", [] { return batch_of(1, kNow, from_producer(1, 0, -1)); },
       keep, Errc::invalid_record},
      {"too large", good, [](LogConfig& config) { config.max_message_bytes = 60; },
       Errc::record_too_large},
      {"just large enough", good,
       [](LogConfig& config) {
         config.max_message_bytes = static_cast<int64_t>(batch_of(3, kNow).size());
       },
       std::nullopt},
      {"larger than a segment", good, [](LogConfig& config) { config.segment_bytes = 60; },
       Errc::record_list_too_large},
      {"a LogAppendTime of the client's own",
       [] {
         BatchOptions options;
         options.timestamp_type = TimestampType::log_append_time;
         options.log_append_time_ms = kNow;
         return batch_of(1, kNow, options);
       },
       keep, Errc::invalid_timestamp},
      {"too old", [] { return batch_of(1, kNow - 1001); },
       [](LogConfig& c) { c.timestamp_before_max_ms = 1000; }, Errc::invalid_timestamp},
      {"old enough", [] { return batch_of(1, kNow - 1000); },
       [](LogConfig& c) { c.timestamp_before_max_ms = 1000; }, std::nullopt},
      {"too old, compressed", [] { return batch_of(1, kNow - 1001, packed(Codec::lz4)); },
       [](LogConfig& c) { c.timestamp_before_max_ms = 1000; }, Errc::invalid_timestamp},
      {"too new", [] { return batch_of(1, kNow + 1001); },
       [](LogConfig& c) { c.timestamp_after_max_ms = 1000; }, Errc::invalid_timestamp},
      {"too new, compressed: by the header",
       [] { return batch_of(1, kNow + 1001, packed(Codec::lz4)); },
       [](LogConfig& c) { c.timestamp_after_max_ms = 1000; }, Errc::invalid_timestamp},
      {"too new, but the broker's time counts", [] { return batch_of(1, kNow + 1001); },
       [](LogConfig& c) {
         c.timestamp_after_max_ms = 1000;
         c.timestamp_type = TimestampType::log_append_time;
       },
       std::nullopt},
      {"no key, not compacted", [&] { return no_key(Codec::none); }, keep, std::nullopt},
      {"no key, compacted", [&] { return no_key(Codec::none); }, compact, Errc::invalid_record},
      {"no key, compacted, compressed", [&] { return no_key(Codec::gzip); }, compact,
       Errc::invalid_record},
      {"keys, compacted, compressed", [] { return batch_of(3, kNow, packed(Codec::gzip)); },
       compact, std::nullopt},
      {"rubbish in a compressed batch that nobody opens",
       [] {
         Bytes b = batch_of(3, kNow, packed(Codec::gzip));
         b[70] ^= 7;
         set_crc(b);
         return b;
       },
       keep, std::nullopt},
      {"rubbish in a compressed batch that must be opened",
       [] {
         Bytes b = batch_of(3, kNow, packed(Codec::gzip));
         b[63] ^= 7;
         set_crc(b);
         return b;
       },
       compact, Errc::corrupt_record},
      {"a bomb that must be opened",
       [] { return batch_of(1, kNow, packed(Codec::zstd), 1'000'000); },
       [](LogConfig& c) {
         c.cleanup_compact = true;
         c.max_decompressed_bytes = 500'000;
       },
       Errc::record_too_large},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.what);
    LogConfig config;
    row.change(config);
    Bytes batch = row.batch();
    Result<PreparedAppend> prepared = prepare_append(batch, config, row.origin, kNow);
    if (row.expected) {
      ASSERT_FALSE(prepared.ok());
      EXPECT_EQ(prepared.error().code(), *row.expected) << prepared.error().what();
    } else {
      EXPECT_TRUE(prepared.ok()) << prepared.error().what();
    }
  }
}

TEST(AppendCheck, TellsWhichRecords) {
  RecordBatchBuilder builder;
  builder.add(kNow, "k", "v");
  builder.add(kNow, std::nullopt, "v");
  builder.add(kNow, std::nullopt, "v");
  Bytes batch = *builder.build();
  LogConfig config;
  config.cleanup_compact = true;
  std::vector<RecordError> errors;
  ASSERT_FALSE(prepare_append(batch, config, AppendOrigin::client, kNow, &errors).ok());
  ASSERT_EQ(errors.size(), 2u);
  EXPECT_EQ(errors[0].batch_index, 1);
  EXPECT_EQ(errors[1].batch_index, 2);
}

TEST(AppendCheck, TimestampsOfTheTopic) {
  RecordBatchBuilder builder;
  builder.add(kNow, "k", "v");
  builder.add(kNow + 5, "k", "v");
  builder.add(kNow + 2, "k", "v");
  Bytes batch = *builder.build();
  // a header that does not tell the truth is put right
  set_timestamp(batch, TimestampType::create_time, kNow + 1000);
  LogConfig config;
  Result<PreparedAppend> prepared = prepare_append(batch, config, AppendOrigin::client, kNow);
  ASSERT_TRUE(prepared.ok());
  EXPECT_EQ(prepared->max_timestamp, kNow + 5);
  EXPECT_EQ(prepared->max_timestamp_delta, 1);
  EXPECT_EQ(parse_batch_header(batch)->max_timestamp, kNow + 5);
  EXPECT_TRUE(check_crc(*parse_batch_header(batch), batch).ok());

  config.timestamp_type = TimestampType::log_append_time;
  prepared = prepare_append(batch, config, AppendOrigin::client, kNow + 77);
  ASSERT_TRUE(prepared.ok());
  EXPECT_EQ(prepared->max_timestamp, kNow + 77);
  EXPECT_EQ(prepared->max_timestamp_delta, 2);
  BatchHeader header = *parse_batch_header(batch);
  EXPECT_EQ(header.timestamp_type(), TimestampType::log_append_time);
  EXPECT_EQ(header.max_timestamp, kNow + 77);
  EXPECT_TRUE(check_crc(header, batch).ok());
}

TEST(AppendCheck, RecompressesOnlyWhereAsked) {
  for (Codec from : {Codec::none, Codec::gzip, Codec::snappy, Codec::lz4, Codec::zstd}) {
    for (Codec to : {Codec::none, Codec::gzip, Codec::snappy, Codec::lz4, Codec::zstd}) {
      BatchOptions options = from_producer(4, 1, 10);
      options.codec = from;
      RecordBatchBuilder builder(options);
      HeaderView headers[] = {{"h", "v"}};
      builder.add(kNow, "k0", "v0", headers);
      builder.add(kNow + 9, "k1", std::nullopt);
      Bytes batch = *builder.build();
      const Bytes before = batch;
      LogConfig config;
      EXPECT_FALSE(must_be_opened(batch, config));
      config.compression = to;
      EXPECT_EQ(must_be_opened(batch, config), from != to);
      Result<PreparedAppend> prepared = prepare_append(batch, config, AppendOrigin::client, kNow);
      ASSERT_TRUE(prepared.ok()) << prepared.error().what();
      std::span<char> bytes = prepared->bytes();
      const ByteView after(bytes.data(), bytes.size());
      if (from == to) {
        EXPECT_EQ(after, before);
        continue;
      }
      BatchHeader header = *parse_batch_header(after);
      EXPECT_EQ(header.codec(), to);
      EXPECT_EQ(header.producer_id, ProducerId(4));
      EXPECT_EQ(header.base_sequence, 10);
      EXPECT_EQ(header.max_timestamp, kNow + 9);
      EXPECT_TRUE(check_crc(header, after).ok());
      Result<RecordIterator> records = RecordIterator::open(after, 1000);
      const RecordView* record = records->next();
      ASSERT_NE(record, nullptr);
      EXPECT_EQ(record->value, "v0");
      EXPECT_EQ(record->headers().at(0).key, "h");
      record = records->next();
      ASSERT_NE(record, nullptr);
      EXPECT_EQ(record->timestamp_ms, kNow + 9);
      EXPECT_FALSE(record->value.has_value());
    }
  }
}

}  // namespace
}  // namespace odradek::broker::log
