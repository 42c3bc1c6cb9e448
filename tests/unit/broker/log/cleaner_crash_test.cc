// The power goes, or the process, at each change that a pass makes to the disk: after the next start
// the log says the same as before, and the next pass gets through.
#include "tests/unit/broker/log/cleaner_fixture.h"

namespace odradek::broker::log {
namespace {

using CrashMode = fs::FaultyFileSystem::CrashMode;

class CleanerCrashTest : public CleanerTest, public ::testing::WithParamInterface<CrashMode> {
 protected:
  void SetUp() override {
    CleanerTest::SetUp();
    config_->segment_bytes = 700;
  }

  // A log of several groups, some of several segments, with transactions; all on the disk.
  void make_log() {
    ASSERT_TRUE(files_.remove_all("/logs/t-0").ok());
    recovery_point_ = Offset(0);
    clean_ = false;
    open();
    for (int i = 0; i < 24; ++i) {
      BatchOptions options = from_producer(i % 3, 0, i / 3);
      if (i % 5 == 0) options.codec = compress::Codec::zstd;
      put({{"key " + std::to_string(i % 9),
            i % 7 == 3 ? Text() : Text(std::string(40, static_cast<char>('a' + i)))}},
          options);
      if (i % 8 != 4) continue;
      put({{"tx", "value " + std::to_string(i)}}, in_transaction(50, 0, i / 8));
      end_transaction(i == 12 ? ControlType::abort : ControlType::commit, 50, 0);
    }
    roll();
    ASSERT_TRUE(log_->flush().ok());
    ASSERT_TRUE(files_.sync_dir("/logs").ok());
  }

  // Last value of each key, as a reader of committed records sees it.
  std::map<std::string, std::string> committed() {
    auto aborted = *log_->aborted_transactions(log_->log_start_offset(), log_->log_end_offset());
    std::map<std::string, std::string> last;
    std::set<ProducerId> hidden;
    for (const auto& [header, batch] : batches()) {
      for (const AbortedTransaction& one : aborted) {
        if (one.first_offset >= header.base_offset && one.first_offset <= header.last_offset()) {
          hidden.insert(one.producer_id);
        }
      }
      if (header.is_control()) {
        hidden.erase(header.producer_id);
        continue;
      }
      if (header.is_transactional() && hidden.contains(header.producer_id)) continue;
      RecordIterator records = *RecordIterator::open(batch, 1 << 20);
      while (const RecordView* record = records.next()) {
        if (record->value) last[std::string(*record->key)] = std::string(*record->value);
        else last.erase(std::string(*record->key));
      }
    }
    return last;
  }
};

TEST_P(CleanerCrashTest, AtEachChange) {
  make_log();
  const auto expected = committed();
  const Offset end = log_->log_end_offset();
  ASSERT_EQ(expected.at("tx").back(), '0') << "the aborted value is not read";
  const uint64_t before = files_.changes();
  clean();
  ASSERT_LT(log_->segment_count(), 7u);
  const uint64_t changes = files_.changes() - before;
  ASSERT_GT(changes, 60u);
  for (uint64_t at = 1; at <= changes + 1; ++at) {
    SCOPED_TRACE(at);
    make_log();
    files_.cut_power_after(at);
    Result<bool> done = try_clean();
    EXPECT_EQ(done.ok() && *done, at > changes);
    reopen_crashed(GetParam());
    ASSERT_TRUE(log_);
    EXPECT_EQ(committed(), expected);
    EXPECT_EQ(log_->log_end_offset(), end);
    EXPECT_EQ(log_->log_start_offset(), Offset(0));
    EXPECT_TRUE(files(".cleaned").empty() && files(".swap").empty() && files(".deleted").empty());
    // and once more, straight behind it
    ASSERT_TRUE(log_->flush().ok());
    clean();
    EXPECT_EQ(committed(), expected);
    put({{"key 1", "after"}}, from_producer(1, 0, 8));
    EXPECT_EQ(committed().at("key 1"), "after");
    reopen_clean();
    EXPECT_EQ(committed().at("key 1"), "after");
  }
}

// The same for the start that completes a swap.
TEST_P(CleanerCrashTest, AtEachChangeOfTheStartAfterwards) {
  make_log();
  const auto expected = committed();
  // from the first sync of the directory with .swap files in it, up to the end of that swap
  for (uint64_t at = 1; at <= 60; ++at) {
    uint64_t cut_at = 0;
    {
      make_log();
      const uint64_t before = files_.changes();
      int calls = 0;
      (void)try_clean({}, [&] {
        if (++calls == 2) cut_at = files_.changes() - before;
      });
    }
    SCOPED_TRACE(at);
    make_log();
    files_.cut_power_after(cut_at + 3);
    EXPECT_FALSE(try_clean().ok());
    recovery_point_ = log_->recovery_point();
    log_.reset();
    files_.crash(GetParam());
    files_.cut_power_after(at);
    clean_ = false;
    Result<std::unique_ptr<Log>> opened = Log::open(context(), options());
    const bool cut = files_.power_is_cut();
    opened = Error(Errc::io_error, "gone");
    files_.crash(GetParam());
    open();
    ASSERT_TRUE(log_);
    EXPECT_EQ(committed(), expected);
    if (!cut) {
      EXPECT_GT(at, 5u) << "the start had nothing to complete";
      return;
    }
  }
  FAIL() << "a start that makes so many changes";
}

INSTANTIATE_TEST_SUITE_P(Modes, CleanerCrashTest,
                         ::testing::Values(CrashMode::lose_unsynced, CrashMode::keep_prefix,
                                           CrashMode::keep_all, CrashMode::mixture),
                         [](const auto& info) {
                           switch (info.param) {
                             case CrashMode::lose_unsynced:
                               return "LoseUnsynced";
                             case CrashMode::keep_prefix:
                               return "KeepPrefix";
                             case CrashMode::keep_all:
                               return "KeepAll";
                             case CrashMode::mixture:
                               return "Mixture";
                           }
                           return "";
                         });

// What Kafka's cleaner may leave: it renames the segment first, then its indexes.
TEST_F(CleanerTest, AnIndexLeftInASwapIsBuiltAnew) {
  config_->segment_bytes = 3000;
  open();
  for (int i = 0; i < 30; ++i) put({{"key " + std::to_string(i % 9), std::string(40, 'v')}});
  roll();
  clean();
  const auto expected = stored();
  ASSERT_TRUE(log_->close().ok());
  log_.reset();
  const std::string stem = "/logs/t-0/00000000000000000000";
  ASSERT_TRUE(files_.rename(stem + ".index", stem + ".index.swap").ok());
  ASSERT_TRUE(files_.rename(stem + ".timeindex", stem + ".timeindex.swap").ok());
  Bytes nonsense = *files_.read_file(stem + ".index.swap", 1 << 20);
  clean_ = true;
  open();
  EXPECT_EQ(stored(), expected);
  EXPECT_TRUE(files(".swap").empty());
  EXPECT_EQ(*files_.read_file(stem + ".index", 1 << 20), nonsense);
}

}  // namespace
}  // namespace odradek::broker::log
