// Our storage against files that Kafka 2.5.0 and 3.5.2 wrote (README.md): everything is read as
// Kafka's own dump tool reads it, recovery changes nothing, and the same batches appended by us
// become the same files.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "broker/log/checkpoint.h"
#include "broker/log/log.h"
#include "broker/log/meta_properties.h"
#include "broker/log/record.h"
#include "tests/support/faulty_file_system.h"

namespace odradek::broker::log {
namespace {

using nlohmann::json;
namespace stdfs = std::filesystem;

std::string content_of(const stdfs::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::stringstream all;
  all << in.rdbuf();
  return all.str();
}

const stdfs::path kRoot = stdfs::path(TEST_DATA_DIR) / "golden" / "log";

struct Replica {
  std::string release, name;
  stdfs::path path() const { return kRoot / release / name; }
};
void PrintTo(const Replica& replica, std::ostream* out) {
  *out << replica.release << "/" << replica.name;
}

std::string test_name(const ::testing::TestParamInfo<Replica>& info) {
  std::string name = info.param.release + "_" + info.param.name;
  for (char& c : name) c = std::isalnum(static_cast<unsigned char>(c)) ? c : '_';
  return name;
}

std::vector<Replica> replicas() {
  std::vector<Replica> all;
  for (const char* release : {"2.5.0", "3.5.2"}) {
    for (const auto& entry : stdfs::directory_iterator(kRoot / release)) {
      if (entry.is_directory()) all.push_back({release, entry.path().filename().string()});
    }
  }
  std::sort(all.begin(), all.end(), [](const Replica& left, const Replica& right) {
    return std::tie(left.release, left.name) < std::tie(right.release, right.name);
  });
  return all;
}

class LogGolden : public ::testing::TestWithParam<Replica> {
 protected:
  void SetUp() override {
    ASSERT_TRUE(files_.make_dirs("/logs/golden").ok());
    ASSERT_TRUE(files_.make_dirs("/logs/ours").ok());
    for (const auto& entry : stdfs::directory_iterator(GetParam().path())) {
      const std::string name = entry.path().filename().string();
      original_[name] = content_of(entry.path());
      ASSERT_TRUE(
          files_
              .write_file_atomically("/logs/golden/" + name, original_[name], fs::Durability::full)
              .ok());
    }
    const json dump = json::parse(content_of(kRoot / GetParam().release / "dump.json"));
    for (const auto& [file, batches] : dump.items()) {
      if (!file.starts_with(GetParam().name + "/")) continue;
      for (const json& batch : batches) expected_.push_back(batch);
    }
    config_->producer_id_expiration_ms = std::numeric_limits<int64_t>::max();
    if (GetParam().name == "rec-indexed-0") {
      config_->segment_bytes = 4000;
      config_->index_interval_bytes = 300;
    }
    if (GetParam().name == "rec-logappend-0")
      config_->timestamp_type = TimestampType::log_append_time;
  }

  Result<std::unique_ptr<Log>> open(const std::string& directory, bool clean) {
    OpenOptions options;
    options.directory = directory;
    options.id = {"t", PartitionId(0)};
    options.config = config_;
    options.is_recovery_point_known = false;  // the replica alone: no checkpoint names it
    options.clean_shutdown = clean;
    return Log::open({&files_, &cache_, &clock_}, options);
  }

  // The broker was restarted between two appends: its stop left an entry that no append would.
  void compare_file(const std::string& ours, const std::string& name, const std::string& bytes) {
    if (GetParam().release == "3.5.2" && GetParam().name == "idem-0" &&
        name.ends_with(".timeindex")) {
      EXPECT_EQ(ours, bytes.substr(12)) << name;
    } else {
      EXPECT_EQ(ours, bytes) << name;
    }
  }

  void compare_record(const RecordView& record, const json& expected, const BatchHeader& header) {
    EXPECT_EQ(record.offset.value(), expected["offset"]);
    EXPECT_EQ(record.timestamp_ms,
              expected.contains("CreateTime") ? expected["CreateTime"] : expected["LogAppendTime"]);
    EXPECT_EQ(record.key ? static_cast<int64_t>(record.key->size()) : -1, expected["keySize"]);
    EXPECT_EQ(record.value ? static_cast<int64_t>(record.value->size()) : -1,
              expected["valueSize"]);
    if (!header.is_control()) {
      if (record.key) EXPECT_EQ(*record.key, expected["key"].get<std::string>());
      if (record.value) EXPECT_EQ(*record.value, expected["payload"].get<std::string>());
    }
    std::string keys;
    for (const HeaderView& one : record.headers())
      keys += (keys.empty() ? "" : ",") + std::string(one.key);
    EXPECT_EQ("[" + keys + "]", expected["headerKeys"].get<std::string>());
  }

  void compare_batch(ByteView batch, const BatchHeader& header, const json& expected) {
    EXPECT_TRUE(check_crc(header, batch).ok());
    EXPECT_EQ(header.magic, expected["magic"]);
    EXPECT_EQ(header.crc, expected["crc"]);
    EXPECT_EQ(header.size(), expected["size"]);
    EXPECT_EQ(compress::name_of(header.codec()), expected["codec"].get<std::string>());
    if (header.magic < 2) {
      EXPECT_EQ(header.last_offset().value(), expected["offset"]);
      if (header.magic == 1) EXPECT_EQ(header.max_timestamp, expected["CreateTime"]);
      return;
    }
    EXPECT_EQ(header.base_offset.value(), expected["baseOffset"]);
    EXPECT_EQ(header.last_offset().value(), expected["lastOffset"]);
    EXPECT_EQ(header.record_count, expected["count"]);
    EXPECT_EQ(header.base_sequence, expected["baseSequence"]);
    EXPECT_EQ(header.producer_id.value(), expected["producerId"]);
    EXPECT_EQ(header.producer_epoch.value(), expected["producerEpoch"]);
    EXPECT_EQ(header.partition_leader_epoch.value(), expected["partitionLeaderEpoch"]);
    EXPECT_EQ(header.is_transactional(), expected["isTransactional"]);
    EXPECT_EQ(header.is_control(), expected["isControl"]);
    const bool append_time = header.timestamp_type() == TimestampType::log_append_time;
    EXPECT_EQ(header.max_timestamp, expected[append_time ? "LogAppendTime" : "CreateTime"]);
    Result<RecordIterator> records = RecordIterator::open(batch, 1 << 20);
    ASSERT_TRUE(records.ok()) << records.error().what();
    size_t seen = 0;
    while (const RecordView* record = records->next()) {
      ASSERT_LT(seen, expected["records"].size());
      compare_record(*record, expected["records"][seen++], header);
    }
    EXPECT_TRUE(records->ok());
    EXPECT_EQ(seen, expected["records"].size());
  }

  // All batches, by plain fetches of at most `max_bytes`.
  Bytes read_all(Log& log, size_t max_bytes) {
    Bytes all;
    Offset from = log.log_start_offset();
    while (from < log.log_end_offset()) {
      Result<LogSlice> slice = log.read(from, max_bytes, true, log.log_end_offset());
      EXPECT_TRUE(slice.ok()) << slice.error().what();
      if (!slice || slice->size == 0) break;
      Bytes bytes = *Log::read_bytes(*slice);
      BatchWalker walker(bytes);
      while (walker.next()) from = walker.header().next_offset();
      all += bytes;
    }
    return all;
  }

  void compare_all(Log& log) {
    for (size_t max_bytes : {size_t{1}, size_t{700}, size_t{1} << 20}) {
      const Bytes all = read_all(log, max_bytes);
      BatchWalker walker(all);
      size_t seen = 0;
      while (walker.next()) {
        ASSERT_LT(seen, expected_.size());
        SCOPED_TRACE("batch " + std::to_string(seen));
        compare_batch(walker.batch(), walker.header(), expected_[seen++]);
      }
      EXPECT_EQ(seen, expected_.size());
    }
  }

  std::string file(const std::string& path) {
    Result<Bytes> bytes = files_.read_file(path, 1 << 20);
    return bytes ? *bytes : "(" + bytes.error().what() + ")";
  }

  // Snapshots hold their producers in the order of a hash map.
  static std::vector<std::string> entries_of(const std::string& snapshot) {
    std::vector<std::string> entries;
    for (size_t at = 10; at + 46 <= snapshot.size(); at += 46)
      entries.push_back(snapshot.substr(at, 46));
    std::sort(entries.begin(), entries.end());
    return entries;
  }

  fs::FaultyFileSystem files_{1};
  FileCache cache_{files_, 16};
  ManualClock clock_{1795230000000};
  std::shared_ptr<LogConfig> config_ = std::make_shared<LogConfig>();
  std::map<std::string, std::string> original_;
  std::vector<json> expected_;
};
INSTANTIATE_TEST_SUITE_P(Replicas, LogGolden, ::testing::ValuesIn(replicas()), test_name);

// Those that one leader could have appended from the first batch to the last.
class LogGoldenAppends : public LogGolden {};
INSTANTIATE_TEST_SUITE_P(Replicas, LogGoldenAppends, ::testing::ValuesIn([] {
                           std::vector<Replica> all = replicas();
                           std::erase_if(all, [](const Replica& replica) {
                             return replica.name.find("magic") != std::string::npos ||
                                    replica.name == "compacted-0" || replica.name == "re-0";
                           });
                           return all;
                         }()),
                         test_name);

TEST_P(LogGolden, IsReadAsKafkaReadsItAndLeftAsItIs) {
  Result<std::unique_ptr<Log>> log = open("/logs/golden", true);
  ASSERT_TRUE(log.ok()) << log.error().what();
  compare_all(**log);
  ASSERT_TRUE((*log)->close().ok());
  for (const auto& [name, bytes] : original_)
    EXPECT_EQ(file("/logs/golden/" + name), bytes) << name;
  // not a byte, and not a file more than a snapshot of the end
  EXPECT_LE(files_.list("/logs/golden")->size(), original_.size() + 1);
}

TEST_P(LogGolden, RecoveryComesToTheSameFiles) {
  for (const auto& [name, bytes] : original_) {
    if (!name.ends_with(".log")) {
      ASSERT_TRUE(files_.remove("/logs/golden/" + name).ok());
    }
  }
  Result<std::unique_ptr<Log>> log = open("/logs/golden", false);
  ASSERT_TRUE(log.ok()) << log.error().what();
  compare_all(**log);
  ASSERT_TRUE((*log)->close().ok());
  // Epochs that no batch was written in are not found again; the compactor took producers' batches
  // away.
  const bool compacted = GetParam().name == "compacted-0";
  for (const auto& [name, bytes] : original_) {
    if (name.ends_with(".log") || name.ends_with("index")) {
      compare_file(file("/logs/golden/" + name), name, bytes);
    } else if (name.ends_with(".snapshot") && !compacted && bytes.size() > 10) {
      EXPECT_EQ(entries_of(file("/logs/golden/" + name)), entries_of(bytes)) << name;
    }
  }
}

TEST_P(LogGoldenAppends, TheSameAppendsBecomeTheSameFiles) {
  Result<std::unique_ptr<Log>> golden = open("/logs/golden", true);
  ASSERT_TRUE(golden.ok());
  const Bytes all = read_all(**golden, 1 << 20);
  Offset roll_at(-1);
  if (GetParam().name == "txn-0") roll_at = Offset(20);
  Result<std::unique_ptr<Log>> ours = open("/logs/ours", true);
  ASSERT_TRUE(ours.ok());
  BatchWalker walker(all);
  while (walker.next()) {
    const BatchHeader& header = walker.header();
    Bytes batch(walker.batch());
    set_base_offset(batch, Offset(0));
    set_leader_epoch(batch, LeaderEpoch(-1));
    if (header.timestamp_type() == TimestampType::log_append_time) {
      set_timestamp(batch, TimestampType::create_time, header.max_timestamp);
      clock_ = ManualClock(header.max_timestamp);
    }
    if (header.base_offset == roll_at) {  // its segment was full: whatever comes next does not fit
      auto full = std::make_shared<LogConfig>(*config_);
      full->segment_bytes = static_cast<int64_t>(batch.size()) + 1;
      (*ours)->set_config(full);
    } else {
      (*ours)->set_config(config_);
    }
    Result<AppendInfo> info = (*ours)->append_as_leader(
        batch, header.partition_leader_epoch,
        header.is_control() ? AppendOrigin::coordinator : AppendOrigin::client);
    ASSERT_TRUE(info.ok()) << info.error().what();
    ASSERT_EQ(info->first_offset, header.base_offset);
  }
  ASSERT_TRUE((*ours)->close().ok());
  for (const auto& [name, bytes] : original_) {
    if (name.ends_with(".log") || name.ends_with("index")) {
      compare_file(file("/logs/ours/" + name), name, bytes);
    } else if (name.ends_with(".snapshot") && bytes.size() > 10) {
      EXPECT_EQ(entries_of(file("/logs/ours/" + name)), entries_of(bytes)) << name;
      if (bytes.size() == 56) EXPECT_EQ(file("/logs/ours/" + name), bytes) << name;
    }
  }
}

TEST(LogGoldenFiles, CheckpointsAndIdentity) {
  for (const char* release : {"2.5.0", "3.5.2"}) {
    fs::FaultyFileSystem files;
    ASSERT_TRUE(files.make_dirs("/d").ok());
    for (const char* name :
         {"meta.properties", "recovery-point-offset-checkpoint", "replication-offset-checkpoint",
          "log-start-offset-checkpoint", "cleaner-offset-checkpoint"}) {
      const std::string bytes = content_of(kRoot / release / name);
      ASSERT_TRUE(
          files.write_file_atomically(std::string("/d/") + name, bytes, fs::Durability::full).ok());
      if (std::string_view(name) == "meta.properties") continue;
      Result<Offsets> offsets = read_checkpoint(files, std::string("/d/") + name);
      ASSERT_TRUE(offsets.ok()) << offsets.error().what();
      ASSERT_TRUE(write_checkpoint_file(files, "/d/again", *offsets).ok());
      auto lines = [](std::string text) {
        std::vector<std::string> all;
        std::stringstream in(text);
        for (std::string line; std::getline(in, line);) all.push_back(line);
        std::sort(all.begin(), all.end());
        return all;
      };
      EXPECT_EQ(lines(*files.read_file("/d/again", 1 << 20)), lines(bytes)) << name;
    }
    Result<std::optional<MetaProperties>> properties = read_meta_properties(files, "/d");
    ASSERT_TRUE(properties.ok() && *properties);
    EXPECT_EQ((*properties)->broker_id, BrokerId(0));
    EXPECT_EQ((*properties)->cluster_id.size(), 22u);
  }
}

}  // namespace
}  // namespace odradek::broker::log
