// A store whose files were damaged is refused in words that name the file, or serves exactly what
// was committed: never anything else.
#include <random>

#include "common/format.h"
#include "coordinator/store/commit_mark.h"
#include "coordinator/store/log_file.h"
#include "tests/unit/coordinator/store/rocks_fixture.h"

namespace odradek::coordinator::store {
namespace {

class RocksDamage : public ::testing::Test {
 protected:
  // A store with tables of several generations and a log file, as it stands while it runs (`killed`)
  // and after a clean stop (`stopped`).
  RocksDamage() {
    fs::FaultyFileSystem files;
    RocksFiles rocks(files);
    EXPECT_TRUE(files.make_dirs("/data").ok());
    auto store = *RocksStore::open(kStorePath, rocks.options());
    Fence fence = *store->lead();
    states.push_back({});
    std::mt19937 random(7);
    for (int i = 0; i < 60; ++i) {
      Batch batch;
      batch.put(format("n{:03}", random() % 40), std::string(6000, static_cast<char>('a' + i % 26)));
      batch.put(format("s{:03}", i), format("value {}", i));
      if (i % 3 == 0) batch.remove(format("n{:03}", random() % 40));
      Content next = states.back();
      apply_batch(batch, next);
      states.push_back(std::move(next));
      EXPECT_TRUE(store->commit(batch, fence).ok());
      rocks.run_background();
    }
    killed = image_of(files);
    store.reset();
    stopped = image_of(files);
    int tables = 0, logs = 0;
    for (const auto& [name, bytes] : killed) {
      tables += name.ends_with(".sst");
      logs += name.ends_with(".log");
    }
    EXPECT_GE(tables, 2);
    EXPECT_EQ(logs, 1);
  }

  struct Outcome {
    std::string refusal;  // empty: it served
    Content content;
    uint64_t commits = 0;
  };

  static Outcome open_and_read(const Image& image) {
    fs::FaultyFileSystem files;
    RocksFiles rocks(files);
    lay_image(files, image);
    FatalThrows fatal_throws;
    Outcome outcome;
    auto store = RocksStore::open(kStorePath, rocks.options());
    if (!store) {
      EXPECT_EQ(store.error().code(), Errc::store_damaged) << store.error().what();
      outcome.refusal = store.error().what();
      return outcome;
    }
    try {
      SnapshotRef snapshot = (*store)->snapshot();
      outcome.content = content_of(*snapshot);
      for (const auto& [key, value] : outcome.content) EXPECT_EQ(snapshot->get(key), value);
      for (int i = 0; i < 40; ++i) {
        std::string key = format("n{:03}", i);
        EXPECT_EQ(snapshot->get(key).has_value(), outcome.content.contains(key)) << key;
      }
    } catch (const std::exception& damage) {
      outcome.refusal = damage.what();
    }
    return outcome;
  }

  // Refused by the file's name, or right.
  void expect_safe(const Image& image, const std::string& name, const std::string& what) {
    Outcome outcome = open_and_read(image);
    if (outcome.refusal.empty()) {
      EXPECT_EQ(outcome.content == states.back(), true) << what << " is served, wrongly";
      return;
    }
    ++refused;
    EXPECT_NE(outcome.refusal.find(name), std::string::npos) << what << ": " << outcome.refusal;
    EXPECT_NE(outcome.refusal.find("restore"), std::string::npos) << what << outcome.refusal;
  }

  // Of a log file: what stands before the bytes that it has reserved.
  static size_t used_bytes(const Bytes& log) {
    fs::FaultyFileSystem files;
    auto file = *files.open("/log", fs::OpenMode::create);
    EXPECT_TRUE(file->pwrite(log, 0).ok());
    auto state = look_at_log_file(*file);
    EXPECT_TRUE(state.ok());
    return static_cast<size_t>(state->good_bytes);
  }

  std::vector<Content> states;  // after each commit
  Image killed;
  Image stopped;
  int refused = 0;
};

TEST_F(RocksDamage, UndamagedStoresAreServed) {
  for (const Image& image : {killed, stopped}) {
    Outcome outcome = open_and_read(image);
    EXPECT_EQ(outcome.refusal, "");
    EXPECT_EQ(outcome.content == states.back(), true);
  }
}

TEST_F(RocksDamage, AFlippedBitIsRefusedOrHarmless) {
  std::mt19937 random(3);
  for (const auto& [name, bytes] : killed) {
    refused = 0;
    int tried = 0;
    const size_t size = name.ends_with(".log") ? used_bytes(bytes) : bytes.size();
    const size_t step = std::max<size_t>(size / 80, 1);
    for (size_t at = 0; at < size; at += 1 + random() % (2 * step - 1), ++tried) {
      Image damaged = killed;
      char& byte = damaged[name][at];
      byte = static_cast<char>(byte ^ (1 << random() % 8));
      expect_safe(damaged, name, format("{} with a bit flipped at byte {}", name, at));
    }
    // what is not refused must be what is never read
    if (name.ends_with(".log") || name.starts_with("MANIFEST") || name == "CURRENT") {
      EXPECT_EQ(refused, tried) << name;
    }
    if (name.ends_with(".sst")) EXPECT_GT(refused, tried * 8 / 10) << name;
  }
}

// Nothing was written there yet: it is cut off before anything is.
TEST_F(RocksDamage, AFlippedBitAmongReservedBytesIsHarmless) {
  std::mt19937 random(3);
  for (const auto& [name, bytes] : killed) {
    if (!name.ends_with(".log")) continue;
    const size_t used = used_bytes(bytes);
    ASSERT_GT(bytes.size(), used + 1000) << "nothing is reserved";
    for (int i = 0; i < 40; ++i) {
      Image damaged = killed;
      damaged[name][used + random() % (bytes.size() - used)] ^= static_cast<char>(1 << i % 8);
      Outcome outcome = open_and_read(damaged);
      EXPECT_EQ(outcome.refusal, "");
      EXPECT_EQ(outcome.content == states.back(), true);
    }
  }
}

TEST_F(RocksDamage, AMissingFileIsRefusedOrHarmless) {
  for (const Image* image : {&killed, &stopped}) {
    for (const auto& [name, bytes] : *image) {
      Image damaged = *image;
      damaged.erase(name);
      refused = 0;
      // a log file that is gone is not known by name any more, but by the commits that are missing
      expect_safe(damaged, name.ends_with(".log") ? "commit" : name, name + " missing");
      const bool needed = name.ends_with(".log") || name.ends_with(".sst") ||
                          name.starts_with("MANIFEST") || name == "CURRENT";
      EXPECT_EQ(refused, needed ? 1 : 0) << name;
    }
  }
}

TEST_F(RocksDamage, AFileThatIsCutIsRefusedOrHarmless) {
  std::mt19937 random(5);
  for (const Image* image : {&killed, &stopped}) {
    for (const auto& [name, bytes] : *image) {
      if (image == &stopped && !name.ends_with(".log")) continue;  // as in the other picture
      const size_t step = std::max<size_t>(bytes.size() / 25, 1);
      for (size_t size = 0; size < bytes.size(); size += 1 + random() % step) {
        Image damaged = *image;
        damaged[name].resize(size);
        const std::string what = format("{} cut to {} bytes", name, size);
        if (!name.ends_with(".log") || image == &stopped) {
          // the cut of a MANIFEST or a log file may show in another file, or in COMMITS
          Outcome outcome = open_and_read(damaged);
          if (outcome.refusal.empty()) {
            EXPECT_EQ(outcome.content == states.back(), true) << what << " is served, wrongly";
          } else {
            EXPECT_NE(outcome.refusal.find(kStorePath), std::string::npos);
          }
          continue;
        }
        // After a kill the end of the newest log file cannot be told from what a crash leaves. But
        // what stood there when the file was begun must be there.
        Outcome outcome = open_and_read(damaged);
        if (!outcome.refusal.empty()) continue;
        EXPECT_NE(std::find(states.begin(), states.end(), outcome.content), states.end()) << what;
        EXPECT_GT(outcome.content.size(), 40u) << what;
      }
    }
  }
}

// An older log file is missing, or its end: RocksDB goes on with the next one and says nothing.
TEST_F(RocksDamage, AGapBetweenLogFilesIsRefused) {
  fs::FaultyFileSystem files;
  RocksFiles rocks(files);
  ASSERT_TRUE(files.make_dirs("/data").ok());
  auto store = *RocksStore::open(kStorePath, rocks.options());
  Fence fence = *store->lead();
  Content content;
  for (int i = 0; i < 15; ++i) {  // nothing runs in the background: two log files stay
    Batch batch;
    batch.put(format("n{:03}", i), std::string(6000, 'x'));
    ASSERT_TRUE(store->commit(batch, fence).ok());
    apply_batch(batch, content);
  }
  const Image image = image_of(files);
  std::vector<std::string> logs;
  for (const auto& [name, bytes] : image) {
    if (name.ends_with(".log")) logs.push_back(name);
  }
  ASSERT_EQ(logs.size(), 2u);
  states = {content};
  expect_safe(image, "", "as it was");
  EXPECT_EQ(refused, 0);

  Image gone = image;
  gone.erase(logs[0]);
  expect_safe(gone, logs[0].substr(0, 6), "the older log file missing");
  EXPECT_EQ(refused, 1);
  gone = image;
  gone.erase(logs[1]);
  expect_safe(gone, "commit", "the newer log file missing");
  EXPECT_EQ(refused, 2);
  for (size_t cut : {1, 100, 7000}) {
    Image shorter = image;
    shorter[logs[0]].resize(used_bytes(image.at(logs[0])) - cut);
    refused = 0;
    expect_safe(shorter, logs[0].substr(0, 6), "the end of the older log file missing");
    EXPECT_EQ(refused, 1);
  }
}

TEST_F(RocksDamage, AnEmptyFolderIsANewStoreAndAHalfMadeOneIsMadeAnew) {
  EXPECT_EQ(open_and_read({}).refusal, "");
  EXPECT_EQ(open_and_read({{"MANIFEST-000001", killed.at("IDENTITY")}}).refusal, "");
  EXPECT_NE(open_and_read({{"COMMITS", killed.at("COMMITS")}}).refusal, "");
}

TEST_F(RocksDamage, ADamagedMarkIsWrittenAnew) {
  Image image = stopped;
  image["COMMITS"] = "odradek 1\ncommits 999999\ncrc32c 00000000\n";
  fs::FaultyFileSystem files;
  RocksFiles rocks(files);
  lay_image(files, image);
  auto store = RocksStore::open(kStorePath, rocks.options());
  ASSERT_TRUE(store.ok()) << store.error().what();
  ASSERT_TRUE((*store)->lead().ok());
  EXPECT_EQ(*read_commit_mark(files, kStorePath), std::optional<uint64_t>(62));
}

// What a read meets in a running server ends the process.
TEST_F(RocksDamage, AReadThatFailsEndsTheProcess) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  std::string table;
  for (const auto& [name, bytes] : killed) {
    if (name.ends_with(".sst")) table = name;
  }
  EXPECT_EXIT(
      {
        fs::FaultyFileSystem files;
        RocksFiles rocks(files);
        lay_image(files, killed);
        auto store = *RocksStore::open(kStorePath, rocks.options());
        auto file = *files.open(std::string(kStorePath) + "/" + table, fs::OpenMode::read_write);
        (void)file->pwrite("damage", 100);
        content_of(*store->snapshot());
        std::_Exit(0);
      },
      ::testing::ExitedWithCode(1), table);
  EXPECT_EXIT(
      {
        fs::FaultyFileSystem files;
        RocksFiles rocks(files);
        lay_image(files, killed);
        auto store = *RocksStore::open(kStorePath, rocks.options());
        files.fail(fs::FaultyFileSystem::Call::read, ".sst", Errc::io_error);
        content_of(*store->snapshot());
        std::_Exit(0);
      },
      ::testing::ExitedWithCode(1), "000[0-9]+.sst");
}

}  // namespace
}  // namespace odradek::coordinator::store
