#include "coordinator/exchange/data_files.h"

#include "tests/unit/coordinator/exchange/zookeeper_files.h"

namespace odradek::coordinator::exchange {
namespace {

TEST(DataFiles, NamesSayTheZxid) {
  struct Row {
    const char* name;
    const char* prefix;
    std::optional<int64_t> zxid;
  };
  for (const Row& row : {Row{"snapshot.0", "snapshot", 0},
                         Row{"snapshot.1000000ff", "snapshot", 0x1000000ff},
                         Row{"snapshot.1f.gz", "snapshot", 0x1f},
                         Row{"snapshot.1f.snappy", "snapshot", 0x1f},
                         Row{"snapshot.1f.tmp", "snapshot", std::nullopt},
                         Row{"snapshot.1f.lz4", "snapshot", std::nullopt},
                         Row{"snapshot.", "snapshot", std::nullopt},
                         Row{"snapshot", "snapshot", std::nullopt},
                         Row{"snapshot.-1", "snapshot", std::nullopt},
                         Row{"snapshot.xyz", "snapshot", std::nullopt},
                         Row{"snapshots.1", "snapshot", std::nullopt},
                         Row{"log.a", "log", 10},
                         Row{"log.a.gz", "log", std::nullopt},
                         Row{"log.8000000000000000", "log", std::nullopt},
                         Row{"currentEpoch", "log", std::nullopt}}) {
    auto zxid = zxid_of_name(row.name, row.prefix);
    EXPECT_EQ(zxid ? std::optional(zxid->value()) : std::nullopt, row.zxid) << row.name;
  }
}

class DataFilesTest : public FolderTest {};

TEST_F(DataFilesTest, AreListedInTheirOrder) {
  for (const char* name : {"snapshot.9", "snapshot.10", "snapshot.f.gz", "log.a", "log.1",
                           "log.100", "acceptedEpoch", "snapshot.11.tmp"}) {
    write(std::string("version-2/") + name, "3\n");
  }
  write("myid", "1");
  auto data = list_data_files(files, folder, folder);
  ASSERT_TRUE(data.ok());
  std::vector<int64_t> snapshots, logs;
  for (const auto& file : data->snapshots) snapshots.push_back(file.zxid.value());
  for (const auto& file : data->logs) logs.push_back(file.zxid.value());
  EXPECT_EQ(snapshots, (std::vector<int64_t>{0x10, 0xf, 9}));
  EXPECT_EQ(logs, (std::vector<int64_t>{1, 0xa, 0x100}));
  EXPECT_EQ(data->newest(), Zxid(0x100));
  EXPECT_EQ(data->epoch_begin, Zxid(3ll << 32));
}

TEST_F(DataFilesTest, WithoutAFolderThereAreNone) {
  auto data = list_data_files(files, folder + "/nowhere", folder + "/nowhere");
  ASSERT_TRUE(data.ok());
  EXPECT_TRUE(data->empty());
}

TEST_F(DataFilesTest, OfTwoFoldersEachHoldsItsKind) {
  write("data/version-2/snapshot.5", "");
  write("logs/version-2/log.6", "");
  auto data = list_data_files(files, folder + "/data", folder + "/logs");
  ASSERT_TRUE(data.ok());
  EXPECT_EQ(data->snapshots.size(), 1u);
  EXPECT_EQ(data->logs.size(), 1u);
  write("data/version-2/log.1", "");
  auto refused = list_data_files(files, folder + "/data", folder + "/logs");
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code(), Errc::bad_setting);
  EXPECT_NE(refused.error().what().find("data/version-2/log.1"), std::string::npos);
  std::filesystem::remove(folder + "/data/version-2/log.1");
  write("logs/version-2/snapshot.1", "");
  EXPECT_FALSE(list_data_files(files, folder + "/data", folder + "/logs").ok());
}

}  // namespace
}  // namespace odradek::coordinator::exchange
