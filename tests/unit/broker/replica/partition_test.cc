// One partition on a disk in memory. The loop runs on the test's thread.
#include "broker/replica/partition.h"

#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <new>
#include <utility>

#include "broker/log/record_batch_builder.h"
#include "common/runtime/background.h"
#include "tests/support/faulty_file_system.h"

namespace odradek::broker::replica {
namespace {

namespace asio = boost::asio;
constexpr int64_t kNow = 1'600'000'000'000;

Bytes batch(int count, log::BatchOptions options = {}) {
  log::RecordBatchBuilder builder(options);
  for (int i = 0; i < count; ++i) builder.add(kNow + i, "key", "value");
  return *builder.build();
}

struct Failures final : PartitionEvents {
  void on_log_failure(Partition& partition, const Error& error) override {
    ++count;
    partition.set_offline();
  }
  int count = 0;
};

// Throws once where it is told to: what runs short of memory anywhere looks like this.
class ThrowingClock final : public Clock {
 public:
  int64_t wall_ms() const override {
    if (std::exchange(throw_once_, false)) throw std::bad_alloc();
    return kNow;
  }
  int64_t monotonic_ms() const override { return 0; }
  void throw_once() { throw_once_ = true; }

 private:
  mutable bool throw_once_ = false;
};

class PartitionTest : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(files_.make_dirs("/logs"));
    config_ = std::make_shared<log::LogConfig>();
    make();
  }

  void make() {
    log::OpenOptions options;
    options.directory = "/logs/t-0";
    options.id = {"t", PartitionId(0)};
    options.config = config_;
    auto log = log::Log::open({&files_, &cache_, &clock_}, options);
    ASSERT_TRUE(log) << log.error().what();
    partition_ = std::make_shared<Partition>(BrokerId(1), loop_.get_executor(), std::move(*log), 0,
                                             clock_, background_, failures_, Offset(0));
  }

  LeaderState led_by(int32_t leader, int32_t epoch, std::vector<BrokerId> isr = {BrokerId(1)}) {
    LeaderState state;
    state.leader = BrokerId(leader);
    state.leader_epoch = LeaderEpoch(epoch);
    state.replicas = {BrokerId(1), BrokerId(2)};
    state.isr = std::move(isr);
    return state;
  }

  fs::FaultyFileSystem files_{1};
  log::FileCache cache_{files_, 8};
  ManualClock clock_{kNow};
  asio::io_context loop_{1};
  runtime::Background background_{"test", 1, 100};
  Failures failures_;
  std::shared_ptr<log::LogConfig> config_;
  std::shared_ptr<Partition> partition_;
};

TEST_F(PartitionTest, OnlyALeaderTakesRecords) {
  EXPECT_EQ(partition_->append_as_leader(batch(1), 1, AppendOrigin::client).error().code(),
            Errc::not_leader_or_follower);
  EXPECT_EQ(partition_->apply(led_by(1, 3)), Partition::Turn::became_leader);
  auto appended = partition_->append_as_leader(batch(3), 1, AppendOrigin::client);
  ASSERT_TRUE(appended) << appended.error().what();
  EXPECT_EQ(appended->first_offset, Offset(0));
  EXPECT_EQ(appended->last_offset, Offset(2));
  EXPECT_EQ(partition_->high_watermark(), Offset(3)) << "the leader is alone in sync";
  EXPECT_EQ(partition_->apply(led_by(2, 4)), Partition::Turn::stopped_leading);
  EXPECT_FALSE(partition_->append_as_leader(batch(1), 1, AppendOrigin::client));
}

TEST_F(PartitionTest, ANewEpochIsToldAgain) {
  EXPECT_EQ(partition_->apply(led_by(1, 3)), Partition::Turn::became_leader);
  EXPECT_EQ(partition_->apply(led_by(1, 3)), Partition::Turn::none);
  EXPECT_EQ(partition_->apply(led_by(1, 4)), Partition::Turn::became_leader);
}

TEST_F(PartitionTest, ChecksTheClientsEpoch) {
  partition_->apply(led_by(1, 3));
  EXPECT_TRUE(partition_->check_leader(std::nullopt));
  EXPECT_TRUE(partition_->check_leader(LeaderEpoch(3)));
  EXPECT_EQ(partition_->check_leader(LeaderEpoch(2)).error().code(), Errc::fenced_leader_epoch);
  EXPECT_EQ(partition_->check_leader(LeaderEpoch(4)).error().code(), Errc::unknown_leader_epoch);
}

TEST_F(PartitionTest, ChecksAcks) {
  partition_->apply(led_by(1, 0));
  EXPECT_EQ(partition_->append_as_leader(batch(1), 2, AppendOrigin::client).error().code(),
            Errc::invalid_required_acks);
  LeaderState state = led_by(1, 0);
  state.min_insync_replicas = 2;
  partition_->apply(state);
  EXPECT_EQ(partition_->append_as_leader(batch(1), -1, AppendOrigin::client).error().code(),
            Errc::not_enough_replicas);
  EXPECT_TRUE(partition_->append_as_leader(batch(1), 1, AppendOrigin::client));
}

TEST_F(PartitionTest, WaitersAreWokenByDataAndOnlyOnce) {
  partition_->apply(led_by(1, 0));
  int woken = 0;
  partition_->wait_past(Offset(0), [&] { ++woken; });
  auto later = partition_->wait_past(Offset(5), [&] { woken += 100; });
  EXPECT_EQ(woken, 0);
  ASSERT_TRUE(partition_->append_as_leader(batch(2), 1, AppendOrigin::client));
  EXPECT_EQ(woken, 1);
  partition_->cancel_wait(later);
  ASSERT_TRUE(partition_->append_as_leader(batch(9), 1, AppendOrigin::client));
  EXPECT_EQ(woken, 1);
  partition_->wait_past(Offset(3), [&] { ++woken; });
  EXPECT_EQ(woken, 2) << "there is data already";
}

TEST_F(PartitionTest, WaitersAreWokenWhenLeadershipGoes) {
  partition_->apply(led_by(1, 0));
  int woken = 0;
  partition_->wait_past(Offset(0), [&] { ++woken; });
  partition_->apply(led_by(2, 1));
  EXPECT_EQ(woken, 1);
  partition_->wait_past(Offset(0), [&] { ++woken; });
  EXPECT_EQ(woken, 2) << "nobody waits at a partition that does not lead";
}

TEST_F(PartitionTest, ReadsUpToItsLimitAndAtLeastOneBatch) {
  partition_->apply(led_by(1, 0));
  ASSERT_TRUE(partition_->append_as_leader(batch(5), 1, AppendOrigin::client));
  ASSERT_TRUE(partition_->append_as_leader(batch(5), 1, AppendOrigin::client));
  auto all = partition_->read(Offset(0), 1 << 20, ReadLimit::high_watermark, true);
  ASSERT_TRUE(all);
  EXPECT_EQ(all->slice.size, batch(5).size() * 2);
  auto none = partition_->read(Offset(0), 10, ReadLimit::high_watermark, false);
  ASSERT_TRUE(none);
  EXPECT_EQ(none->slice.size, 0u);
  auto one = partition_->read(Offset(0), 10, ReadLimit::high_watermark, true);
  ASSERT_TRUE(one);
  EXPECT_EQ(one->slice.size, batch(5).size());
  auto end = partition_->read(Offset(10), 1 << 20, ReadLimit::high_watermark, true);
  ASSERT_TRUE(end);
  EXPECT_EQ(end->slice.size, 0u);
  EXPECT_EQ(end->high_watermark, Offset(10));
  EXPECT_EQ(partition_->read(Offset(11), 100, ReadLimit::high_watermark, true).error().code(),
            Errc::offset_out_of_range);
}

TEST_F(PartitionTest, AFullDiskRefusesAndRecovers) {
  partition_->apply(led_by(1, 0));
  ASSERT_TRUE(partition_->append_as_leader(batch(2), 1, AppendOrigin::client));
  files_.fail(fs::FaultyFileSystem::Call::write, ".log", Errc::disk_full, 1);
  auto refused = partition_->append_as_leader(batch(2), 1, AppendOrigin::client);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code(), Errc::disk_full);
  EXPECT_EQ(failures_.count, 0) << "the directory stays online";
  EXPECT_TRUE(partition_->read(Offset(0), 1000, ReadLimit::high_watermark, true))
      << "fetches go on";
  auto again = partition_->append_as_leader(batch(2), 1, AppendOrigin::client);
  ASSERT_TRUE(again) << again.error().what();
  EXPECT_EQ(again->first_offset, Offset(2));
}

TEST_F(PartitionTest, AnIoErrorTakesItOffline) {
  partition_->apply(led_by(1, 0));
  int woken = 0;
  partition_->wait_past(Offset(0), [&] { ++woken; });
  files_.fail(fs::FaultyFileSystem::Call::write, ".log", Errc::io_error, 1);
  auto failed = partition_->append_as_leader(batch(2), 1, AppendOrigin::client);
  ASSERT_FALSE(failed);
  EXPECT_EQ(failures_.count, 1);
  EXPECT_EQ(woken, 1);
  EXPECT_EQ(partition_->check_leader(std::nullopt).error().code(), Errc::log_dir_offline);
}

TEST_F(PartitionTest, RecompressionInTheBackgroundKeepsTheOrder) {
  config_->compression = compress::Codec::zstd;
  partition_->apply(led_by(1, 0));
  Bytes first = batch(3);
  Bytes second = batch(2);
  ASSERT_TRUE(partition_->append_must_wait(first));
  std::vector<Offset> offsets;
  auto append = [&](Bytes& bytes) -> asio::awaitable<void> {
    auto done = co_await partition_->append(std::span<char>(bytes), 1, nullptr);
    EXPECT_TRUE(done.ok()) << done.error().what();
    if (done) offsets.push_back(done->first_offset);
  };
  asio::co_spawn(loop_, append(first), asio::detached);
  asio::co_spawn(loop_, append(second), asio::detached);
  while (offsets.size() < 2) {
    loop_.restart();
    loop_.run_one();
  }
  EXPECT_EQ(offsets, (std::vector<Offset>{Offset(0), Offset(3)}));
  auto read = partition_->read(Offset(0), 1000, ReadLimit::high_watermark, true);
  ASSERT_TRUE(read);
  auto bytes = log::Log::read_bytes(read->slice);
  ASSERT_TRUE(bytes);
  auto header = log::parse_batch_header(*bytes);
  ASSERT_TRUE(header);
  EXPECT_EQ(header->codec(), compress::Codec::zstd);
}

TEST_F(PartitionTest, AnAppendThatThrowsLetsTheNextOnesGoOn) {
  config_->flush_messages = 1;  // every append takes its turn
  ThrowingClock clock;
  auto log = partition_->remove();
  partition_ = std::make_shared<Partition>(BrokerId(1), loop_.get_executor(), std::move(log), 0,
                                           clock, background_, failures_, Offset(0));
  partition_->apply(led_by(1, 0));
  Bytes first = batch(3);
  Bytes second = batch(2);
  ASSERT_TRUE(partition_->append_must_wait(first));
  int thrown = 0;
  std::optional<Result<AppendInfo>> appended;
  auto append = [&](Bytes& bytes) -> asio::awaitable<void> {
    appended.emplace(co_await partition_->append(std::span<char>(bytes), 1, nullptr));
  };
  auto count = [&thrown](const std::exception_ptr& failure) {
    if (failure) ++thrown;
  };
  clock.throw_once();
  asio::co_spawn(loop_, append(first), count);
  asio::co_spawn(loop_, append(second), count);
  while (!appended) {
    loop_.restart();
    ASSERT_GT(loop_.run_one_for(std::chrono::seconds(10)), 0u) << "nothing goes on";
  }
  EXPECT_EQ(thrown, 1);
  ASSERT_TRUE(appended->ok()) << appended->error().what();
  EXPECT_EQ((*appended)->first_offset, Offset(0));
}

TEST_F(PartitionTest, ListsOffsets) {
  partition_->apply(led_by(1, 5));
  ASSERT_TRUE(partition_->append_as_leader(batch(4), 1, AppendOrigin::client));
  auto latest = partition_->list_offset(log::kLatestTimestamp, ReadLimit::high_watermark);
  ASSERT_TRUE(latest);
  EXPECT_EQ(latest->offset, Offset(4));
  EXPECT_EQ(latest->leader_epoch, LeaderEpoch(5));
  auto earliest = partition_->list_offset(log::kEarliestTimestamp, ReadLimit::high_watermark);
  ASSERT_TRUE(earliest);
  EXPECT_EQ(earliest->offset, Offset(0));
  auto by_time = partition_->list_offset(kNow + 2, ReadLimit::high_watermark);
  ASSERT_TRUE(by_time);
  EXPECT_EQ(by_time->offset, Offset(2));
  EXPECT_EQ(by_time->timestamp_ms, kNow + 2);
  auto after = partition_->list_offset(kNow + 100, ReadLimit::high_watermark);
  ASSERT_TRUE(after);
  EXPECT_EQ(after->offset, Offset(-1));
}

}  // namespace
}  // namespace odradek::broker::replica
