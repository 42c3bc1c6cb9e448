// RocksDB's log files as crashes and bad disks leave them. The files are written here by the rules
// in log_file.h; that RocksDB's own are read so too is shown by rocks_damage_test.cc.
#include "coordinator/store/log_file.h"

#include <gtest/gtest.h>

#include <random>

#include "common/bytes/crc32c.h"
#include "tests/support/faulty_file_system.h"

namespace odradek::coordinator::store {
namespace {

using End = LogFileState::End;

constexpr size_t kBlock = 32 << 10;

class LogFile : public ::testing::Test {
 protected:
  // One write, in as many pieces as blocks ask for.
  void write(std::string_view payload) {
    bool first = true;
    do {
      size_t room = kBlock - bytes.size() % kBlock;
      if (room < 7) {
        bytes.append(room, '\0');
        room = kBlock;
      }
      const std::string_view piece = payload.substr(0, room - 7);
      payload.remove_prefix(piece.size());
      const bool last = payload.empty();
      record(first && last ? 1 : first ? 2 : last ? 4 : 3, piece);
      first = false;
    } while (!payload.empty());
  }
  void record(char type, std::string_view payload) {
    std::string covered(1, type);
    covered += payload;
    const uint32_t crc = crc32c(covered);
    const uint32_t masked = (crc >> 15 | crc << 17) + 0xa282ead8u;
    for (int shift = 0; shift < 32; shift += 8) bytes += static_cast<char>(masked >> shift);
    bytes += static_cast<char>(payload.size());
    bytes += static_cast<char>(payload.size() >> 8);
    bytes += covered;
  }
  static std::string text(size_t size, char first = 'a') {
    std::string made;
    for (size_t i = 0; i < size; ++i) made += static_cast<char>(first + i % 23);
    return made;
  }

  LogFileState look() {
    auto file = files.open("/f", fs::OpenMode::create);
    EXPECT_TRUE((*file)->truncate(0).ok() && (*file)->pwrite(bytes, 0).ok());
    auto state = look_at_log_file(**file);
    EXPECT_TRUE(state.ok());
    return *state;
  }

  fs::FaultyFileSystem files;
  std::string bytes;
};

TEST_F(LogFile, WholeFilesAreWhole) {
  EXPECT_EQ(look().end, End::whole);
  for (size_t size : {0, 1, 100, 32000, 32761, 70000, 200000, 5}) {
    write(text(size));
    LogFileState state = look();
    EXPECT_EQ(state.end, End::whole) << state.why;
    EXPECT_EQ(state.good_bytes, bytes.size());
  }
}

// The rest of a block that is too short for a header, of every length.
TEST_F(LogFile, BlocksEndWithZeros) {
  for (size_t rest = 0; rest <= 8; ++rest) {
    bytes.clear();
    write(text(kBlock - 7 - rest));
    write(text(50));
    EXPECT_EQ(look().end, End::whole) << rest;
  }
}

// At any byte; what had been reserved stands behind it as zeros, and text() has none of its own.
TEST_F(LogFile, EveryCutWithinTheLastWriteIsTorn) {
  for (size_t size : {30, 40000}) {
    bytes.clear();
    write(text(32700));
    const size_t good = bytes.size();
    write(text(size));
    const std::string whole = bytes;
    for (size_t cut = good + 1; cut < whole.size(); cut += size < 100 ? 1 : 37) {
      for (size_t reserved : {0, 100000}) {
        bytes = whole.substr(0, cut);
        // of a header that began with zeros there is nothing to be seen
        if (reserved > 0 && bytes.find_last_not_of('\0') < good) continue;
        bytes.append(reserved, '\0');
        LogFileState state = look();
        ASSERT_EQ(state.end, End::torn) << cut << " " << reserved;
        ASSERT_EQ(state.good_bytes, good) << cut << " " << reserved;
      }
    }
  }
}

TEST_F(LogFile, ZerosBehindTheLastWriteAreReserved) {
  for (size_t zeros : {1, 6, 7, 100, 100000}) {
    bytes.clear();
    write(text(100));
    const size_t good = bytes.size();
    bytes.append(zeros, '\0');
    EXPECT_EQ(look().end, End::reserved) << zeros;
    EXPECT_EQ(look().good_bytes, good);
  }
}

// A file may grow on the disk before all of its sectors arrive: they read as zeros.
TEST_F(LogFile, AWriteThatLacksSectorsIsTorn) {
  write(text(700));
  const size_t good = bytes.size();
  write(text(9000));
  write(text(9000));
  const std::string two = bytes;
  const size_t second = good + 9007;
  for (size_t sector = 0; sector * 512 < two.size(); ++sector) {
    bytes = two;
    const size_t from = std::max(sector * 512, good), end = std::min(sector * 512 + 512, two.size());
    if (end <= from) continue;
    std::fill(bytes.begin() + static_cast<ptrdiff_t>(std::max(from, second)),
              bytes.begin() + static_cast<ptrdiff_t>(std::max(end, second)), '\0');
    if (bytes == two) continue;
    ASSERT_EQ(look().end, End::torn) << sector;
    ASSERT_EQ(look().good_bytes, second) << sector;
  }
}

TEST_F(LogFile, AnyOtherByteIsDamage) {
  for (size_t size : {40, 3000}) {
    bytes.clear();
    for (int i = 0; i < 3; ++i) write(text(size, static_cast<char>('b' + i)));
    write(text(kBlock));  // two pieces
    const std::string whole = bytes;
    std::mt19937 random(1);
    for (size_t at = 0; at < whole.size(); at += whole.size() < 4000 ? 1 : 11) {
      bytes = whole;
      bytes[at] = static_cast<char>(bytes[at] ^ (1 << random() % 8));
      ASSERT_EQ(look().end, End::damaged) << at;
      bytes.append(5000, '\0');  // reserved
      ASSERT_EQ(look().end, End::damaged) << at;
    }
  }
}

// The case that RocksDB's own reader takes for a crash: every wrong length of the last write.
TEST_F(LogFile, AWrongLengthIsDamageEvenAtTheEnd) {
  for (size_t before : {10, 32000}) {
    bytes.clear();
    write(text(before));
    const size_t last = bytes.size();
    write(text(300));
    const std::string whole = bytes;
    for (int bit = 0; bit < 16; ++bit) {
      bytes = whole;
      char& byte = bytes[last + 4 + static_cast<size_t>(bit) / 8];
      byte = static_cast<char>(byte ^ (1 << bit % 8));
      EXPECT_EQ(look().end, End::damaged) << before << " " << bit;
      bytes.append(40000, '\0');  // reserved
      EXPECT_EQ(look().end, End::damaged) << before << " " << bit;
    }
  }
}

TEST_F(LogFile, PiecesHaveTheirOrder) {
  record(3, "middle");
  EXPECT_EQ(look().end, End::damaged);
  bytes.clear();
  record(2, "first");
  record(1, "whole");
  EXPECT_EQ(look().end, End::damaged);
}

}  // namespace
}  // namespace odradek::coordinator::store
