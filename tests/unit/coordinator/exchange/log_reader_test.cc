#include "coordinator/exchange/log_reader.h"

#include "tests/unit/coordinator/exchange/zookeeper_files.h"

namespace odradek::coordinator::exchange {
namespace {

struct Read {
  std::vector<int64_t> zxids;
  bool torn = false;
  std::string error;
};

class LogReaderTest : public FolderTest {
 protected:
  Read read(const std::string& bytes, bool last = true) {
    std::string path = write("version-2/log.1", bytes);
    Read read;
    auto reader = LogReader::open(files, path, last);
    if (!reader) {
      read.error = reader.error().what();
      return read;
    }
    for (;;) {
      auto txn = (*reader)->next();
      if (!txn) {
        read.error = txn.error().what();
        return read;
      }
      if (!*txn) break;
      read.zxids.push_back((*txn)->zxid.value());
    }
    read.torn = (*reader)->torn();
    return read;
  }
  static LogBytes two() {
    LogBytes log;
    log.add(1, OpCode::kCreate, create_txn("/a", 1));
    log.add(2, OpCode::kDelete, delete_txn("/a"));
    return log;
  }
  using Zxids = std::vector<int64_t>;
};

TEST_F(LogReaderTest, EndsAtTheEndOrAtTheZerosBehindIt) {
  EXPECT_EQ(read(two().bytes).zxids, (Zxids{1, 2}));
  Read padded = read(two().zeros(4096).bytes);
  EXPECT_EQ(padded.zxids, (Zxids{1, 2}));
  EXPECT_FALSE(padded.torn);
  EXPECT_EQ(read(LogBytes().bytes).zxids, Zxids());
}

// Wherever the last entry is cut, all in front of it stands.
TEST_F(LogReaderTest, ACutEntryIsTheEnd) {
  size_t first = LogBytes().add(1, OpCode::kCreate, create_txn("/a", 1)).bytes.size();
  std::string whole = two().bytes;
  for (size_t size = first; size < whole.size(); ++size) {
    Read cut = read(whole.substr(0, size));
    EXPECT_EQ(cut.zxids, Zxids{1}) << size << " " << cut.error;
    EXPECT_EQ(cut.torn, size > first) << size;
    // the disk had room taken for more: the rest of the entry is zeros
    Read zeros = read(whole.substr(0, size) + std::string(4096, '\0'));
    EXPECT_EQ(zeros.zxids, Zxids{1}) << size << " " << zeros.error;
    EXPECT_TRUE(zeros.error.empty()) << zeros.error;
  }
}

TEST_F(LogReaderTest, AWholeEntryWithOtherBytesIsDamage) {
  size_t first = LogBytes().add(1, OpCode::kCreate, create_txn("/a", 1)).bytes.size();
  std::string bytes = two().bytes;
  for (size_t at : {first, first + 7, first + 12, bytes.size() - 2}) {
    std::string damaged = bytes;
    damaged[at] = static_cast<char>(damaged[at] ^ 1);
    Read found = read(damaged);
    EXPECT_EQ(found.zxids, Zxids{1});
    EXPECT_NE(found.error.find("log.1 at offset " + std::to_string(first)), std::string::npos)
        << found.error;
  }
}

TEST_F(LogReaderTest, AnEntryCannotBeLongerThanAllMemory) {
  std::string bytes = two().bytes;
  for (const char* length : {"\xff\xff\xff\xff", "\x7f\xff\xff\xff"}) {
    ByteWriter entry;
    entry.i64(1);
    entry.bytes(ByteView(length, 4));
    Read found = read(bytes + entry.buffer() + std::string(100, 'x'));
    EXPECT_EQ(found.zxids, (Zxids{1, 2}));
    EXPECT_NE(found.error.find("at offset " + std::to_string(bytes.size())), std::string::npos);
  }
}

TEST_F(LogReaderTest, OnlyTheLastFileMayLackItsHeader) {
  for (const std::string& bytes : {std::string(), std::string("ZKLG\0", 5), std::string(40, '\0')}) {
    EXPECT_TRUE(read(bytes, true).error.empty()) << bytes.size();
    EXPECT_FALSE(read(bytes, false).error.empty()) << bytes.size();
  }
  EXPECT_NE(read(std::string(40, '\0') + "x").error.find("no header"), std::string::npos);
  EXPECT_NE(read("ZKSN" + std::string(40, '\0')).error.find("no transaction log"),
            std::string::npos);
  std::string newer = LogBytes().bytes;
  newer[7] = 3;
  EXPECT_NE(read(newer).error.find("version 3"), std::string::npos);
}

TEST_F(LogReaderTest, WhatDoesNotDecodeIsDamageThoughTheChecksumFits) {
  LogBytes log;
  log.add(1, OpCode::kCreate, create_txn("/a", 1));
  size_t at = log.bytes.size();
  struct Row {
    std::string entry;
    const char* what;
  };
  for (const Row& row : {
           Row{entry(2, static_cast<OpCode>(77), ""), "type 77"},
           Row{entry(2, OpCode::kGetData, ""), "type 4"},
           Row{entry(2, OpCode::kDelete, "\1\2"), "DeleteTxn"},
           Row{entry(2, OpCode::kDelete, encoded(delete_txn("no/path"))), "no path"},
           Row{entry(2, OpCode::kDelete, encoded(delete_txn("/"))), "no path"},
           Row{entry(2, OpCode::kCreate, encoded(create_txn("/a//b", 1))), "no path"},
           Row{entry(2, OpCode::kCreate, encoded(create_txn(std::string("/a\0b", 4), 1))),
               "no path"},
           Row{entry(2, OpCode::kCloseSession, "12345"), "CloseSessionTxn"},
           Row{"short", "TxnHeader"},
       }) {
    LogBytes damaged = log;
    Read found = read(damaged.add_entry(row.entry).bytes);
    EXPECT_NE(found.error.find("at offset " + std::to_string(at)), std::string::npos)
        << found.error;
    EXPECT_NE(found.error.find(row.what), std::string::npos) << found.error;
  }
}

}  // namespace
}  // namespace odradek::coordinator::exchange
