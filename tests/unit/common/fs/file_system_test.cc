// The same rules for the operating system's files and for the ones in memory.
#include <gtest/gtest.h>
#include <unistd.h>

#include <memory>

#include "common/fs/real_file_system.h"
#include "tests/support/faulty_file_system.h"

namespace odradek::fs {
namespace {

class FileSystems : public ::testing::TestWithParam<bool> {
 protected:
  void SetUp() override {
    if (GetParam()) {
      char name[] = "/tmp/odradek-fs-XXXXXX";
      ASSERT_NE(::mkdtemp(name), nullptr);
      root_ = name;
      files_ = std::make_unique<RealFileSystem>();
    } else {
      root_ = "/data";
      files_ = std::make_unique<FaultyFileSystem>();
      ASSERT_TRUE(files_->make_dirs(root_).ok());
    }
  }
  void TearDown() override { EXPECT_TRUE(files_->remove_all(root_).ok()); }

  std::string root_;
  std::unique_ptr<FileSystem> files_;
};
INSTANTIATE_TEST_SUITE_P(Both, FileSystems, ::testing::Bool(),
                         [](const auto& param) { return param.param ? "Real" : "Memory"; });

TEST_P(FileSystems, WriteReadTruncate) {
  auto file = files_->open(root_ + "/a", OpenMode::create);
  ASSERT_TRUE(file.ok()) << file.error().what();
  ASSERT_TRUE((*file)->pwrite("hello", 3).ok());
  EXPECT_EQ(*(*file)->size(), 8u);
  char buffer[16];
  EXPECT_EQ(*(*file)->pread(buffer, sizeof buffer, 0), 8u);
  EXPECT_EQ(std::string_view(buffer, 8), std::string_view("\0\0\0hello", 8));
  EXPECT_EQ(*(*file)->pread(buffer, 4, 6), 2u);
  EXPECT_EQ(*(*file)->pread(buffer, 4, 100), 0u);
  EXPECT_EQ((*file)->pread_exact(buffer, 4, 6).error().code(), Errc::io_error);
  ASSERT_TRUE((*file)->truncate(4).ok());
  EXPECT_EQ(*files_->read_file(root_ + "/a", 100), std::string_view("\0\0\0h", 4));
  EXPECT_EQ(files_->read_file(root_ + "/a", 3).error().code(), Errc::limit_exceeded);
  EXPECT_TRUE((*file)->sync().ok());
}

TEST_P(FileSystems, ModesAndErrors) {
  const std::string path = root_ + "/a";
  EXPECT_EQ(files_->open(path, OpenMode::read).error().code(), Errc::not_found);
  EXPECT_EQ(files_->open(path, OpenMode::read_write).error().code(), Errc::not_found);
  EXPECT_EQ(files_->open(root_ + "/none/a", OpenMode::create).error().code(), Errc::not_found);
  EXPECT_TRUE(files_->open(path, OpenMode::create_new).ok());
  Error error = files_->open(path, OpenMode::create_new).error();
  EXPECT_EQ(error.code(), Errc::already_exists);
  EXPECT_NE(error.what().find(path), std::string::npos) << error.what();
  EXPECT_EQ(files_->remove(root_ + "/b").error().code(), Errc::not_found);
}

TEST_P(FileSystems, NamesAndDirectories) {
  ASSERT_TRUE(files_->make_dirs(root_ + "/x/y/z").ok());
  ASSERT_TRUE(files_->make_dirs(root_ + "/x/y/z").ok());
  ASSERT_TRUE(files_->open(root_ + "/x/b", OpenMode::create).ok());
  ASSERT_TRUE(files_->write_file_atomically(root_ + "/x/a", "content", Durability::full).ok());
  auto entries = files_->list(root_ + "/x");
  ASSERT_TRUE(entries.ok());
  ASSERT_EQ(entries->size(), 3u);
  EXPECT_EQ((*entries)[0].name, "a");
  EXPECT_EQ((*entries)[0].size, 7u);
  EXPECT_EQ((*entries)[1].name, "b");
  EXPECT_TRUE((*entries)[2].is_directory);
  ASSERT_TRUE(files_->rename(root_ + "/x", root_ + "/w").ok());
  EXPECT_FALSE(files_->exists(root_ + "/x/a"));
  EXPECT_EQ(*files_->read_file(root_ + "/w/a", 100), "content");
  ASSERT_TRUE(files_->remove_all(root_ + "/w").ok());
  ASSERT_TRUE(files_->remove_all(root_ + "/w").ok());
  EXPECT_FALSE(files_->exists(root_ + "/w"));
  EXPECT_TRUE(files_->is_writable(root_));
  EXPECT_GT(files_->space(root_)->free_bytes, 0u);
}

TEST_P(FileSystems, OpenFileOutlivesItsName) {
  auto file = files_->open(root_ + "/a", OpenMode::create);
  ASSERT_TRUE((*file)->pwrite("x", 0).ok());
  ASSERT_TRUE(files_->remove(root_ + "/a").ok());
  char byte = 0;
  EXPECT_TRUE((*file)->pread_exact(&byte, 1, 0).ok());
  EXPECT_EQ(byte, 'x');
}

TEST_P(FileSystems, LockExcludes) {
  auto first = files_->lock(root_ + "/.lock");
  ASSERT_TRUE(first.ok()) << first.error().what();
  EXPECT_EQ(files_->lock(root_ + "/.lock").error().code(), Errc::locked);
  first->reset();
  EXPECT_TRUE(files_->lock(root_ + "/.lock").ok());
}

TEST(RealFileSystem, PermissionDenied) {
  if (::geteuid() == 0) GTEST_SKIP() << "root may write everywhere";
  RealFileSystem files;
  EXPECT_EQ(files.make_dirs("/proc/odradek").error().code(), Errc::not_found);
  EXPECT_EQ(files.open("/etc/odradek", OpenMode::create).error().code(), Errc::permission_denied);
}

class FaultyFiles : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(files_.make_dirs("/d").ok());
    ASSERT_TRUE(files_.sync_dir("/").ok());
    ASSERT_TRUE(files_.sync_dir("/d").ok());
  }
  FaultyFileSystem files_{42};
};

TEST_F(FaultyFiles, CrashLosesWhatWasNotSynced) {
  auto a = files_.open("/d/a", OpenMode::create);
  ASSERT_TRUE((*a)->pwrite("one", 0).ok());
  ASSERT_TRUE((*a)->sync().ok());
  ASSERT_TRUE(files_.sync_dir("/d").ok());
  ASSERT_TRUE((*a)->pwrite("two", 3).ok());
  auto b = files_.open("/d/b", OpenMode::create);
  ASSERT_TRUE((*b)->pwrite("name is not durable", 0).ok());
  ASSERT_TRUE((*b)->sync().ok());
  files_.crash(FaultyFileSystem::CrashMode::lose_unsynced);
  EXPECT_EQ(*files_.read_file("/d/a", 100), "one");
  EXPECT_FALSE(files_.exists("/d/b"));
  EXPECT_EQ((*a)->pwrite("x", 0).error().code(), Errc::io_error);
}

TEST_F(FaultyFiles, CrashBringsBackOldNames) {
  ASSERT_TRUE(files_.write_file_atomically("/d/a", "old", Durability::full).ok());
  ASSERT_TRUE(files_.write_file_atomically("/d/a", "new", Durability::old_or_new).ok());
  EXPECT_EQ(*files_.read_file("/d/a", 100), "new");
  files_.crash(FaultyFileSystem::CrashMode::lose_unsynced);
  EXPECT_EQ(*files_.read_file("/d/a", 100), "old");
  ASSERT_TRUE(files_.remove("/d/a").ok());
  files_.crash(FaultyFileSystem::CrashMode::lose_unsynced);
  EXPECT_EQ(*files_.read_file("/d/a", 100), "old");
}

TEST_F(FaultyFiles, RenamedDirectoryIsDurableWithItsParent) {
  ASSERT_TRUE(files_.make_dirs("/d/x").ok());
  ASSERT_TRUE(files_.sync_dir("/d").ok());
  ASSERT_TRUE(files_.write_file_atomically("/d/x/f", "content", Durability::full).ok());
  ASSERT_TRUE(files_.rename("/d/x", "/d/y").ok());
  ASSERT_TRUE(files_.sync_dir("/d").ok());
  files_.crash(FaultyFileSystem::CrashMode::lose_unsynced);
  EXPECT_FALSE(files_.exists("/d/x"));
  EXPECT_EQ(*files_.read_file("/d/y/f", 100), "content");
}

TEST_F(FaultyFiles, TornWritesAreAPrefixOfTheWrites) {
  bool torn = false;
  for (uint64_t seed = 0; seed < 50; ++seed) {
    FaultyFileSystem files(seed);
    ASSERT_TRUE(files.make_dirs("/d").ok());
    auto a = files.open("/d/a", OpenMode::create);
    ASSERT_TRUE(files.sync_dir("/d").ok());
    for (int i = 0; i < 4; ++i)
      ASSERT_TRUE((*a)->pwrite("0123456789", static_cast<uint64_t>(i) * 10).ok());
    files.crash(FaultyFileSystem::CrashMode::keep_prefix);
    Bytes left = *files.read_file("/d/a", 100);
    EXPECT_EQ(left, Bytes("0123456789012345678901234567890123456789").substr(0, left.size()));
    torn |= left.size() % 10 != 0;
  }
  EXPECT_TRUE(torn);
}

TEST_F(FaultyFiles, FaultsOnDemand) {
  auto a = files_.open("/d/a", OpenMode::create);
  files_.fail(FaultyFileSystem::Call::write, "/d/a", Errc::disk_full, 2);
  EXPECT_EQ((*a)->pwrite("0123456789", 0).error().code(), Errc::disk_full);
  EXPECT_EQ((*a)->pwrite("0123456789", 0).error().code(), Errc::disk_full);
  EXPECT_TRUE((*a)->pwrite("0123456789", 0).ok());
  files_.set_capacity(15);
  EXPECT_EQ((*a)->pwrite("0123456789", 10).error().code(), Errc::disk_full);
  EXPECT_EQ(*(*a)->size(), 15u);
  files_.set_capacity(0);
  EXPECT_TRUE((*a)->pwrite("0123456789", 10).ok());
  files_.fail(FaultyFileSystem::Call::sync, "/d/a", Errc::io_error);
  EXPECT_EQ((*a)->sync().error().code(), Errc::io_error);
  files_.crash(FaultyFileSystem::CrashMode::lose_unsynced);
}

}  // namespace
}  // namespace odradek::fs
