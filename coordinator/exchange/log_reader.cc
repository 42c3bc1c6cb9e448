#include "coordinator/exchange/log_reader.h"

#include <algorithm>

#include "common/bytes/crc32.h"
#include "proto/zookeeper/records.h"

namespace odradek::coordinator::exchange {

namespace {

constexpr int32_t kMagic = 0x5a4b4c47;  // "ZKLG"
constexpr int32_t kVersion = 2;
constexpr size_t kHeaderBytes = 16;
constexpr size_t kEntryHeadBytes = 12;  // checksum and length
constexpr char kEntryEnd = 'B';

}  // namespace

Result<std::unique_ptr<LogReader>> LogReader::open(fs::FileSystem& files, const std::string& path,
                                                   bool last) {
  auto source = open_source(files, path);
  if (!source) return source.error();
  return open(RecordStream(*std::move(source), path), last);
}

Result<std::unique_ptr<LogReader>> LogReader::open(RecordStream in, bool last) {
  auto reader = std::unique_ptr<LogReader>(new LogReader(std::move(in)));
  if (auto header = reader->read_header(last); !header) return header.error();
  return reader;
}

Result<void> LogReader::read_header(bool last) {
  auto ahead = in_.peek(kHeaderBytes);
  if (!ahead) return ahead.error();
  if (last && ahead->size() < kHeaderBytes) {
    torn_ = !ahead->empty();
    ended_ = true;
    return {};
  }
  // room was taken on the disk, and nothing written yet
  if (last && ahead->substr(0, kHeaderBytes) == std::string(kHeaderBytes, '\0')) {
    auto zeros = only_zeros();
    if (!zeros) return zeros.error();
    ended_ = *zeros;
    return *zeros ? Result<void>() : in_.damaged("the file has no header");
  }
  auto header = in_.next<zookeeper::FileHeader>();
  if (!header) return header.error();
  if (header->magic != kMagic) return in_.damaged("this is no transaction log of ZooKeeper");
  if (header->version != kVersion) {
    return in_.damaged(odradek::format("version {} of the format is not known", header->version));
  }
  return {};
}

Result<bool> LogReader::only_zeros() {
  for (;;) {
    auto ahead = in_.peek(1);
    if (!ahead) return ahead.error();
    if (ahead->empty()) return true;
    if (std::any_of(ahead->begin(), ahead->end(), [](char c) { return c != 0; })) return false;
    in_.take(ahead->size());
  }
}

Result<std::optional<LoggedTxn>> LogReader::next() {
  using Next = std::optional<LoggedTxn>;
  if (ended_) return Next();
  entry_offset_ = in_.offset();
  auto head = in_.peek(kEntryHeadBytes);
  if (!head) return head.error();
  ByteReader reader(*head);
  int64_t checksum = reader.i64();
  int32_t size = reader.i32();
  if (!reader.ok() || size == 0) {
    torn_ = !head->empty() && (!reader.ok() || checksum != 0);
    ended_ = true;
    return Next();
  }
  if (size < 0 || static_cast<size_t>(size) > RecordStream::kMaxRecord - kEntryHeadBytes - 1) {
    return in_.damaged(odradek::format("an entry cannot have {} bytes", size));
  }
  size_t whole = kEntryHeadBytes + static_cast<size_t>(size) + 1;
  auto bytes = in_.peek(whole);
  if (!bytes) return bytes.error();
  if (bytes->size() < whole || (*bytes)[whole - 1] != kEntryEnd) {
    torn_ = true;
    ended_ = true;
    return Next();
  }
  ByteView entry = bytes->substr(kEntryHeadBytes, static_cast<size_t>(size));
  if (adler32(entry) != checksum) return in_.damaged("the checksum of an entry does not fit");
  auto txn = decode_logged_txn(entry);
  if (!txn) return in_.damaged(txn.error().what());
  in_.take(whole);
  return Next(*std::move(txn));
}

}  // namespace odradek::coordinator::exchange
