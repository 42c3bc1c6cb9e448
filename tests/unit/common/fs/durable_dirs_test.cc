#include "common/fs/durable_dirs.h"

#include <gtest/gtest.h>

#include "tests/support/faulty_file_system.h"

namespace odradek::fs {
namespace {

using Mode = FaultyFileSystem::CrashMode;

TEST(DurableDirs, OutliveThePowerWithAllTheirParents) {
  FaultyFileSystem files;
  ASSERT_TRUE(files.make_dirs("/base").ok());
  ASSERT_TRUE(files.sync_dir("/").ok());
  ASSERT_TRUE(files.make_dirs("/base/plain/below").ok());
  ASSERT_TRUE(make_durable_dirs(files, "/base/a/b/c").ok());
  files.crash(Mode::lose_unsynced);
  EXPECT_TRUE(files.exists("/base/a/b/c"));
  EXPECT_FALSE(files.exists("/base/plain/below"));
}

TEST(DurableDirs, OneThatIsThereIsLeftAlone) {
  FaultyFileSystem files;
  ASSERT_TRUE(files.make_dirs("/base/a").ok());
  uint64_t changes = files.changes();
  EXPECT_TRUE(make_durable_dirs(files, "/base/a").ok());
  EXPECT_EQ(files.changes(), changes);
}

TEST(DurableDirs, ANameThatCannotBeMadeDurableIsAnError) {
  FaultyFileSystem files;
  ASSERT_TRUE(files.make_dirs("/base").ok());
  files.fail(FaultyFileSystem::Call::sync_dir, "/base", Errc::io_error);
  EXPECT_EQ(make_durable_dirs(files, "/base/a/b").error().code(), Errc::io_error);
}

}  // namespace
}  // namespace odradek::fs
