// Data directories that real ZooKeepers left become the tree that those releases make of them.
#include <algorithm>

#include "coordinator/exchange/snapshot_writer.h"
#include "tests/golden/zookeeper/data_dir.h"

namespace odradek::golden {
namespace {

using namespace coordinator;

class ZookeeperData : public DataDirTest, public ::testing::WithParamInterface<const char*> {};

TEST_P(ZookeeperData, IsImportedAsItsOwnReleaseReadsIt) {
  std::string data_dir = copy(GetParam());
  auto report = import(data_dir);
  ASSERT_TRUE(report.ok()) << report.error().what();
  ExpectedTree expected = expected_tree(GetParam());
  EXPECT_EQ(report->totals.nodes, static_cast<int64_t>(expected.nodes.size()));
  EXPECT_EQ(report->sessions, expected.sessions.size());
  EXPECT_GT(report->totals.last_zxid, report->seen);
  EXPECT_GT(report->transactions, 0);
  expect_tree(data_dir, expected);
}

// Every znode is written and read back between two transactions.
TEST_P(ZookeeperData, IsTheSameWithoutACache) {
  std::string data_dir = copy(GetParam());
  auto report = import(data_dir, 0);
  ASSERT_TRUE(report.ok()) << report.error().what();
  expect_tree(data_dir, expected_tree(GetParam()));
}

// The older snapshot and more of the logs lead to the same tree.
TEST_P(ZookeeperData, IsTheSameFromTheSnapshotBefore) {
  std::string data_dir = copy(GetParam());
  auto data = exchange::list_data_files(files, data_dir, data_dir);
  ASSERT_TRUE(data.ok());
  ASSERT_EQ(data->snapshots.size(), 2u);
  std::filesystem::resize_file(data->snapshots[0].path, data->snapshots[0].bytes - 7);
  auto report = import(data_dir);
  ASSERT_TRUE(report.ok()) << report.error().what();
  EXPECT_EQ(report->snapshot, data->snapshots[1].path);
  expect_tree(data_dir, expected_tree(GetParam()));
}

// Ours, written as a snapshot, imported: the same once more.
TEST_P(ZookeeperData, GoesThroughOurSnapshotUnchanged) {
  std::string data_dir = copy(GetParam());
  auto report = import(data_dir);
  ASSERT_TRUE(report.ok()) << report.error().what();
  auto store = open(data_dir);
  std::string bytes;
  auto facts = exchange::write_snapshot(*store->snapshot(), [&](ByteView piece) {
    bytes.append(piece);
    return Result<void>();
  });
  ASSERT_TRUE(facts.ok()) << facts.error().what();
  EXPECT_EQ(facts->zxid, report->totals.last_zxid);
  EXPECT_EQ(facts->znodes, report->totals.nodes);
  std::string again = folder + "/again";
  ASSERT_TRUE(files.make_dirs(again + "/version-2").ok());
  std::string name = again + "/version-2/" + exchange::snapshot_name(facts->zxid);
  ASSERT_TRUE(files.write_file_atomically(name, bytes, fs::Durability::lazy).ok());
  auto second = import(again);
  ASSERT_TRUE(second.ok()) << second.error().what();
  expect_tree(again, expected_tree(GetParam()));
}

INSTANTIATE_TEST_SUITE_P(Releases, ZookeeperData, ::testing::ValuesIn(kDataDirs),
                         [](const auto& info) {
                           std::string name = info.param;
                           std::replace_if(name.begin(), name.end(),
                                           [](char c) { return !isalnum(c); }, '_');
                           return name;
                         });

}  // namespace
}  // namespace odradek::golden
