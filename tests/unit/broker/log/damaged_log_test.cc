// Logs whose files were damaged on the disk: what a crash explains is cut, what was safe is not thrown
// away for one bad place in the middle.
#include "tests/unit/broker/log/log_fixture.h"

namespace odradek::broker::log {
namespace {

class DamagedLog : public LogTest {
 protected:
  static constexpr const char* kFirst = "/logs/t-0/00000000000000000000.log";

  void SetUp() override {
    LogTest::SetUp();
    config_->segment_bytes = 500;  // four batches of three records
    open();
    for (int i = 0; i < 12; ++i) must_append(3);
    ASSERT_EQ(log_->segment_count(), 3u);
    ASSERT_TRUE(log_->flush().ok());
    batch_size_ = batch_of(3, kNow).size();
    recovery_point_ = Offset(36);
    clean_ = false;
  }

  void overwrite(const std::string& path, uint64_t position, ByteView bytes) {
    log_.reset();
    auto file = files_.open(path, fs::OpenMode::create);
    ASSERT_TRUE(file && (*file)->pwrite(bytes, position) && (*file)->sync());
  }
  uint64_t size_of(const std::string& path) { return files_.stat(path)->size; }
  Error refusal() {
    auto log = Log::open(context(), options());
    EXPECT_FALSE(log.ok());
    return log ? Error(Errc::internal, "it opened") : log.error();
  }

  size_t batch_size_ = 0;
};

TEST_F(DamagedLog, GoodRecordsBehindTheDamageAreNotCut) {
  const std::string last = "/logs/t-0/00000000000000000024.log";
  const uint64_t whole = size_of(last);
  const uint64_t second = batch_size_;
  overwrite(last, second + 80, "X");
  const Error error = refusal();
  EXPECT_EQ(error.code(), Errc::corrupt_record) << "this partition's failure, not the directory's";
  for (const std::string& word :
       {last, "position " + std::to_string(second), std::string("offset 27"),
        "truncate -s " + std::to_string(second) + " ", std::string("stored crc")}) {
    EXPECT_NE((error.what() + " ").find(word), std::string::npos) << word << ": " << error.what();
  }
  EXPECT_EQ(size_of(last), whole);
  EXPECT_EQ(refusal().code(), Errc::corrupt_record) << "and again";
  // what the line says
  auto file = files_.open(last, fs::OpenMode::read_write);
  ASSERT_TRUE((*file)->truncate(second));
  open();
  EXPECT_EQ(offsets(Offset(0)), range(0, 27));
  EXPECT_EQ(must_append(1), Offset(27));
}

TEST_F(DamagedLog, AboveTheRecoveryPointItIsCutAsKafkaDoes) {
  recovery_point_ = Offset(24);
  overwrite("/logs/t-0/00000000000000000024.log", batch_size_ + 80, "X");
  open();
  EXPECT_EQ(offsets(Offset(0)), range(0, 27));
}

TEST_F(DamagedLog, ATailWithNothingBehindItIsCut) {
  const std::string last = "/logs/t-0/00000000000000000024.log";
  overwrite(last, 3 * batch_size_ + 80, "X");
  open();
  EXPECT_EQ(offsets(Offset(0)), range(0, 33));
  EXPECT_EQ(size_of(last), 3 * batch_size_);
}

TEST_F(DamagedLog, ASegmentInFrontOfOthersIsNotCutForAnIndexThatIsGone) {
  ASSERT_TRUE(log_->close().ok());
  clean_ = true;
  overwrite(kFirst, 3 * batch_size_ + 80, "X");  // its last batch
  ASSERT_TRUE(files_.remove("/logs/t-0/00000000000000000000.index"));
  const uint64_t whole = size_of(kFirst);
  EXPECT_EQ(refusal().code(), Errc::corrupt_record);
  EXPECT_EQ(size_of(kFirst), whole);
  EXPECT_TRUE(files_.exists("/logs/t-0/00000000000000000012.log"));
  EXPECT_TRUE(files_.exists("/logs/t-0/00000000000000000024.log"));
}

TEST_F(DamagedLog, AMissingSegmentIsPassedOver) {
  log_.reset();
  ASSERT_TRUE(files_.remove("/logs/t-0/00000000000000000012.log"));
  open();
  std::vector<int64_t> left = range(0, 12);
  for (int64_t offset : range(24, 36)) left.push_back(offset);
  EXPECT_EQ(offsets(Offset(0)), left);
  EXPECT_EQ(must_append(1), Offset(36));
}

TEST_F(DamagedLog, ForeignFilesAreLeftAlone) {
  overwrite("/logs/t-0/notes.txt", 0, "mine");
  overwrite("/logs/t-0/12.log", 0, "no offset has this form");
  overwrite("/logs/t-0/00000000000000000012.log.bak", 0, "a copy");
  open();
  EXPECT_EQ(offsets(Offset(0)), range(0, 36));
  for (const char* name : {"notes.txt", "12.log", "00000000000000000012.log.bak"}) {
    EXPECT_TRUE(files_.exists(std::string("/logs/t-0/") + name)) << name;
  }
}

TEST_F(DamagedLog, AGarbledTopicIdNamesFileAndRemedy) {
  overwrite("/logs/t-0/partition.metadata", 0, "rubbish");
  const Error error = refusal();
  EXPECT_EQ(error.code(), Errc::malformed);
  EXPECT_NE(error.what().find("/logs/t-0/partition.metadata"), std::string::npos);
  EXPECT_NE(error.what().find("remove it"), std::string::npos);
}

TEST_F(DamagedLog, DeletingNeedsNoRoom) {
  config_->retention_ms = 1000;
  clean_ = true;
  open();
  ASSERT_TRUE(append(batch_of(1, kNow), 7).ok());  // an epoch entry that will be cut away
  clock_.advance_ms(5000);
  // neither the longer name nor the file of the epochs can be written
  files_.fail(fs::FaultyFileSystem::Call::rename, "", Errc::disk_full, 1000);
  files_.fail(fs::FaultyFileSystem::Call::write, "leader-epoch", Errc::disk_full, 1000);
  ASSERT_TRUE(log_->advance_log_start(Offset(30)).ok());
  auto deleted = log_->delete_old_segments(log_->log_end_offset());
  files_.clear_faults();
  ASSERT_TRUE(deleted.ok()) << deleted.error().what();
  EXPECT_FALSE(files_.exists(kFirst));
  EXPECT_GE(log_->log_start_offset(), Offset(30));
  EXPECT_TRUE(append(batch_of(1, kNow), 7).ok()) << "the log is not out for it";
}

}  // namespace
}  // namespace odradek::broker::log
