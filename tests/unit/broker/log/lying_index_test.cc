// Indexes whose numbers are possible and not true, and records that say more than their batch: what
// is found by an offset or a time is what the batches say, and nothing beyond the log's end.

#include <limits>

#include "common/bytes/byte_writer.h"
#include "tests/unit/broker/log/log_fixture.h"

namespace odradek::broker::log {
namespace {

constexpr int kBatches = 40;

class LyingIndex : public LogTest {
 protected:
  static constexpr const char* kLogFile = "/logs/t-0/00000000000000000000.log";
  static constexpr const char* kTimeIndex = "/logs/t-0/00000000000000000000.timeindex";

  void SetUp() override {
    LogTest::SetUp();
    config_->index_interval_bytes = 100;
    open();
    for (int i = 0; i < kBatches; ++i) must_append(1, kNow + i * 10);
    ASSERT_TRUE(log_->close().ok());
    true_bytes_ = *files_.read_file(kTimeIndex, 100000);
    ASSERT_GT(entries(), 10u);
  }

  size_t entries() const { return true_bytes_.size() / TimeIndex::kEntrySize; }
  static Bytes entry(int64_t timestamp, int32_t offset) {
    ByteWriter out;
    out.i64(timestamp);
    out.i32(offset);
    return out.take();
  }
  void write_file(const std::string& path, ByteView bytes) {
    auto file = files_.open(path, fs::OpenMode::create);
    ASSERT_TRUE(file.ok());
    ASSERT_TRUE((*file)->truncate(0).ok() && (*file)->pwrite(bytes, 0).ok());
  }
  // Opens the log with this entry in the place of a true one.
  void open_with(size_t index, const Bytes& lie) {
    log_.reset();
    Bytes bytes = true_bytes_;
    bytes.replace(index * TimeIndex::kEntrySize, TimeIndex::kEntrySize, lie);
    write_file(kTimeIndex, bytes);
    open();
  }
  int64_t found(int64_t timestamp) {
    auto found = log_->offset_for_timestamp(timestamp);
    EXPECT_TRUE(found.ok()) << found.error().what();
    if (!found || !*found) return -1;
    return (*found)->offset.value();
  }
  void expect_the_truth() {
    for (int i = 0; i < kBatches; ++i) {
      EXPECT_EQ(found(kNow + i * 10), i) << "at " << i;
      EXPECT_EQ(found(kNow + i * 10 - 1), i) << "before " << i;
    }
    EXPECT_EQ(found(kNow + kBatches * 10), -1);
    EXPECT_EQ(found(kMaxTimestamp), kBatches - 1);
  }

  Bytes true_bytes_;
};

TEST_F(LyingIndex, TheTruthIsFound) {
  open();
  expect_the_truth();
  ASSERT_TRUE(log_->close().ok());
  EXPECT_EQ(*files_.read_file(kTimeIndex, 100000), true_bytes_);
}

TEST_F(LyingIndex, AnEntryIsBelievedAsFarAsItsBatchSaysTheSame) {
  const size_t last = entries() - 1;
  const int64_t last_time = kNow + (kBatches - 1) * 10;
  struct Row {
    const char* what;
    size_t index;
    Bytes lie;
  } rows[] = {
      {"an offset behind the segment", last,
       entry(last_time, std::numeric_limits<int32_t>::max())},
      {"a time that no record has", last, entry(last_time + 1'000'000, kBatches - 1)},
      {"the largest time is too early", last, entry(kNow + 25, kBatches - 1)},
      {"an early time, late in the log", 2, entry(kNow + 11, kBatches - 1)},
      {"a time of another batch", 3, entry(kNow + 10, 30)},
      {"an offset behind the segment, in the middle", 4,
       entry(kNow + 20, std::numeric_limits<int32_t>::max())},
      {"an offset below the segment", 5, entry(kNow + 30, -7)},
      {"the first is later than the second", 0, entry(last_time, 0)},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.what);
    open_with(row.index, row.lie);
    expect_the_truth();
    // and the next run finds an index that is true
    ASSERT_TRUE(log_->close().ok());
    open();
    expect_the_truth();
  }
}

TEST_F(LyingIndex, NoRecordIsSkippedByAnOffsetIndex) {
  constexpr const char* kIndex = "/logs/t-0/00000000000000000000.index";
  log_.reset();
  Bytes bytes = *files_.read_file(kIndex, 100000);
  ASSERT_GT(bytes.size(), 10 * OffsetIndex::kEntrySize);
  // the third entry shows where the last one does
  bytes.replace(2 * OffsetIndex::kEntrySize + 4, 4, bytes.substr(bytes.size() - 4));
  write_file(kIndex, bytes);
  open();
  for (int i = 0; i < kBatches; ++i) {
    EXPECT_EQ(offsets(Offset(i), 1), range(i, kBatches)) << "from " << i;
  }
}

TEST_F(LyingIndex, RetentionGoesByTheBatches) {
  config_->retention_ms = 1'000'000;
  config_->segment_ms = 1000;
  open();
  must_append(1, kNow + 5000);
  ASSERT_EQ(log_->segment_count(), 2u);
  ASSERT_TRUE(log_->close().ok());
  open_with(entries() - 1, entry(kNow + 25, kBatches - 1));
  clock_.advance_ms(1'000'200);
  EXPECT_TRUE(log_->delete_old_segments(log_->log_end_offset())->empty());
  clock_.advance_ms(1000);
  EXPECT_FALSE(log_->delete_old_segments(log_->log_end_offset())->empty());
  EXPECT_EQ(log_->log_start_offset(), Offset(kBatches));
}

TEST_F(LyingIndex, NothingBehindASegmentsEndIsFound) {
  config_->segment_ms = 1000;
  open();
  must_append(1, kNow + 5000);
  ASSERT_TRUE(log_->close().ok());
  log_.reset();
  // the last batch of the first segment claims an offset far behind the log's end
  Bytes bytes = *files_.read_file(kLogFile, 1 << 20);
  BatchWalker walker(bytes);
  size_t position = 0;
  while (walker.next()) position = walker.position();
  ByteWriter far;
  far.i64(1'000'000);
  bytes.replace(position, 8, far.take());
  write_file(kLogFile, bytes);
  open();
  ASSERT_EQ(log_->log_end_offset(), Offset(kBatches + 1));
  EXPECT_EQ(found(kNow + (kBatches - 1) * 10), kBatches);
  // what stood there is damaged, which whoever reads it is told; the rest is served
  auto read = log_->read(Offset(kBatches - 1), 1 << 20, true, log_->log_end_offset());
  ASSERT_FALSE(read.ok());
  EXPECT_EQ(read.error().code(), Errc::corrupt_record);
  EXPECT_EQ(offsets(Offset(kBatches)), range(kBatches, kBatches + 1));
}

TEST_F(LyingIndex, ARecordBeyondItsBatchIsDamage) {
  log_.reset();
  Bytes bytes = *files_.read_file(kLogFile, 1 << 20);
  // the last batch gets another record, which its header does not count among its offsets
  RecordBatchBuilder builder(BatchOptions{});
  builder.add_at(0, kNow + 1000, "k", "v");
  builder.add_at(5, kNow + 2000, "k", "v");
  Bytes batch = *builder.build();
  BatchWalker walker(batch);
  ASSERT_TRUE(walker.next());
  ByteWriter out;
  out.i64(kBatches);
  batch.replace(0, 8, out.take());
  ByteWriter delta;
  delta.i32(0);
  batch.replace(23, 4, delta.take());
  write_file(kLogFile, bytes + batch);
  open();
  ASSERT_EQ(log_->log_end_offset(), Offset(kBatches + 1));
  EXPECT_EQ(found(kNow + 1000), kBatches);
  auto beyond = log_->offset_for_timestamp(kNow + 2000);
  ASSERT_FALSE(beyond.ok());
  EXPECT_EQ(beyond.error().code(), Errc::corrupt_record);
}

TEST_F(LyingIndex, ASegmentEndsWhereTheNextBegins) {
  log_.reset();
  BatchOptions options;
  options.base_offset = Offset(20);
  write_file("/logs/t-0/00000000000000000020.log", batch_of(3, kNow + 1000, options));
  recovery_point_ = Offset(0);
  clean_ = false;
  open();
  EXPECT_EQ(log_->log_end_offset(), Offset(23));
  EXPECT_EQ(offsets(Offset(0)), range(0, 23));
  EXPECT_EQ(found(kNow + 19 * 10 + 1), 20);
  EXPECT_EQ(must_append(1, kNow + 2000), Offset(23));
}

TEST_F(LyingIndex, OffsetsEndBeforeTheyOverflow) {
  log_.reset();
  write_file("/logs/t-0/" + offset_name(kMaxOffset + 1) + ".log", "");
  log_start_offset_ = kMaxOffset - 1;
  open();
  EXPECT_EQ(append(batch_of(2, kNow)).error().code(), Errc::offset_out_of_range);
  EXPECT_EQ(must_append(1), kMaxOffset - 1);
  EXPECT_EQ(append(batch_of(1, kNow)).error().code(), Errc::offset_out_of_range);
  EXPECT_EQ(offsets(kMaxOffset - 1), range((kMaxOffset - 1).value(), kMaxOffset.value()));
}

}  // namespace
}  // namespace odradek::broker::log
