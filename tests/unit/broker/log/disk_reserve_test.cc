#include "broker/log/disk_reserve.h"

#include "broker/log/log_manager.h"
#include "tests/unit/broker/log/log_fixture.h"

namespace odradek::broker::log {
namespace {

constexpr uint64_t kReserved = 10000;
constexpr const char* kFile = "/logs/.odradek_reserved";

class DiskReserveTest : public LogTest {
 protected:
  Result<std::unique_ptr<LogManager>> open_manager() {
    LogManager::Options options;
    options.directories = {"/logs"};
    options.max_open_files = 20;
    options.reserved_bytes = kReserved;
    return LogManager::open(files_, clock_, options);
  }
  uint64_t size_of(const std::string& path) { return files_.stat(path)->size; }
  void fill_disk() {
    files_.set_capacity(files_.used_bytes() + 5000);
    auto file = files_.open("/ballast", fs::OpenMode::create);
    ASSERT_TRUE((*file)->pwrite(Bytes(5000, 'x'), 0));
  }
};

TEST_F(DiskReserveTest, RoomIsGivenFreeAndTakenBack) {
  auto manager = open_manager();
  ASSERT_TRUE(manager.ok()) << manager.error().what();
  EXPECT_EQ(size_of(kFile), kReserved);
  fill_disk();
  const Offsets marks{{{"t", PartitionId(0)}, Offset(5)}};
  EXPECT_FALSE((*manager)->is_full(0));
  ASSERT_TRUE((*manager)->write_checkpoint(0, CheckpointKind::high_watermark, marks).ok())
      << "this is what it is for";
  EXPECT_TRUE((*manager)->is_full(0)) << "and nobody else may have it";
  EXPECT_LT(size_of(kFile), kReserved);
  (*manager)->look_for_room();
  EXPECT_TRUE((*manager)->is_full(0));
  ASSERT_TRUE(files_.remove("/ballast"));
  (*manager)->look_for_room();
  EXPECT_TRUE((*manager)->is_full(0)) << "5,000 bytes more are not twice the reserve";
  files_.set_capacity(files_.used_bytes() + 2 * kReserved);
  (*manager)->look_for_room();
  EXPECT_FALSE((*manager)->is_full(0));
  EXPECT_EQ(size_of(kFile), kReserved);
}

TEST_F(DiskReserveTest, AStartOnAFullDisk) {
  ASSERT_TRUE(open_manager().ok());
  ASSERT_TRUE(files_.remove(kFile));
  fill_disk();
  auto manager = open_manager();
  ASSERT_TRUE(manager.ok()) << manager.error().what();
  EXPECT_TRUE((*manager)->is_full(0));
  files_.set_capacity(0);
  (*manager)->look_for_room();
  EXPECT_FALSE((*manager)->is_full(0));
}

TEST_F(DiskReserveTest, WithoutASettingNothingIsKept) {
  DiskReserve none(files_, "/logs", 0);
  ASSERT_TRUE(none.fill());
  EXPECT_FALSE(files_.exists(kFile));
  EXPECT_FALSE(none.note_full());
  EXPECT_FALSE(none.is_full());
}

TEST_F(DiskReserveTest, ASmallerSettingGivesBack) {
  DiskReserve large(files_, "/logs", kReserved);
  ASSERT_TRUE(large.fill());
  DiskReserve small(files_, "/logs", 100);
  ASSERT_TRUE(small.fill());
  EXPECT_EQ(size_of(kFile), 100u);
}

}  // namespace
}  // namespace odradek::broker::log
