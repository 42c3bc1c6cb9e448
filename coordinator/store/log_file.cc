#include "coordinator/store/log_file.h"

#include <algorithm>
#include <cstring>

#include "common/bytes/crc32c.h"
#include "common/format.h"

namespace odradek::coordinator::store {

namespace {

constexpr size_t kBlock = 32 << 10;
constexpr size_t kHeader = 7;
constexpr size_t kSector = 512;
constexpr uint8_t kWhole = 1, kFirst = 2, kMiddle = 3, kLast = 4;

uint32_t little_u32(const char* at) {
  uint32_t value;
  std::memcpy(&value, at, sizeof value);
  return value;
}

// RocksDB masks a checksum that is stored beside what it covers.
uint32_t unmasked(uint32_t stored) {
  uint32_t rotated = stored - 0xa282ead8u;
  return rotated >> 17 | rotated << 15;
}

struct Record {
  uint32_t crc = 0;
  size_t length = 0;
  uint8_t type = 0;
};

// A block's bytes from `at` on hold a header.
Record header_at(ByteView block, size_t at) {
  const char* bytes = block.data() + at;
  Record record;
  record.crc = unmasked(little_u32(bytes));
  record.length = static_cast<uint8_t>(bytes[4]) | size_t{static_cast<uint8_t>(bytes[5])} << 8;
  record.type = static_cast<uint8_t>(bytes[6]);
  return record;
}

bool is_zeros(ByteView bytes) {
  return std::all_of(bytes.begin(), bytes.end(), [](char c) { return c == 0; });
}

// Does a record stand here that is right?
bool good_record(ByteView block, size_t at) {
  if (block.size() - at < kHeader) return false;
  Record record = header_at(block, at);
  if (record.type < kWhole || record.type > kLast) return false;
  if (record.length > block.size() - at - kHeader) return false;
  return crc32c(block.substr(at + kHeader - 1, record.length + 1)) == record.crc;
}

class Look {
 public:
  explicit Look(fs::File& file) : file_(file) {}

  Result<LogFileState> run() {
    Result<uint64_t> size = file_.size();
    if (!size) return size.error();
    size_ = *size;
    for (uint64_t begin = 0; begin < size_; begin += kBlock) {
      if (Result<void> read = read_block(begin); !read) return read.error();
      Result<bool> more = walk_block();
      if (!more) return more.error();
      if (!*more) return state_;
    }
    if (in_pieces_) {
      state_.end = LogFileState::End::torn;
      state_.why = format("at byte {}: the last write is cut", state_.good_bytes);
    }
    return state_;
  }

 private:
  Result<void> read_block(uint64_t begin) {
    begin_ = begin;
    block_.resize(static_cast<size_t>(std::min<uint64_t>(kBlock, size_ - begin)));
    return file_.pread_exact(block_.data(), block_.size(), begin);
  }

  // False where the walk ends in this block.
  Result<bool> walk_block() {
    size_t at = 0;
    while (block_.size() - at >= kHeader) {
      if (!good_record(block_, at)) return judge(at);
      const Record record = header_at(block_, at);
      const bool begins = record.type == kWhole || record.type == kFirst;
      if (begins == in_pieces_) {
        return damaged(at, "a piece of a write stands where another one is due");
      }
      at += kHeader + record.length;
      in_pieces_ = record.type == kFirst || record.type == kMiddle;
      if (!in_pieces_) state_.good_bytes = begin_ + at;
    }
    if (block_.size() == kBlock) {
      if (!is_zeros(ByteView(block_).substr(at))) return damaged(at, "the end of a block is not zero");
      return true;
    }
    if (at == block_.size()) return true;
    return judge(at);
  }

  bool damaged(size_t at, const char* what) {
    state_.end = LogFileState::End::damaged;
    state_.why = format("at byte {}: {}", begin_ + at, what);
    return false;
  }
  bool torn(size_t at, const char* what) {
    state_.end = LogFileState::End::torn;
    state_.why = format("at byte {}: {}", begin_ + at, what);
    return false;
  }

  // What stands at `at` of the block is no good record: by a crash, or by damage?
  Result<bool> judge(size_t at) {
    const uint64_t begin = begin_;
    const Bytes block = block_;
    Result<bool> later = later_write(at);
    if (!later) return later.error();
    begin_ = begin;
    block_ = block;
    if (*later) return damaged(at, "a write is damaged, and good ones stand behind it");
    const ByteView rest = ByteView(block_).substr(at);
    if (is_zeros(rest.substr(0, kHeader))) return zeros_behind(at);
    if (rest.size() < kHeader) return torn(at, "a write is cut within its header");
    const Record record = header_at(block_, at);
    const bool runs_over = record.length > rest.size() - kHeader;
    if (has_another_length(at, record)) return damaged(at, "the length of a write is damaged");
    // among reserved bytes a cut write ends where the zeros begin: no commit's last byte is zero
    if (bytes_end_ < size_ && bytes_end_ < begin_ + at + kHeader + record.length) {
      return torn(at, "the last write is cut");
    }
    // no write crosses a block's end, it goes on there with another piece
    if (runs_over && block_.size() == kBlock) return damaged(at, "the length of a write is damaged");
    if (runs_over) return torn(at, "the last write is cut");
    if (lacks_a_sector(at, kHeader + record.length)) return torn(at, "the last write has a hole");
    return damaged(at, "the last write is damaged");
  }

  // Reserved bytes, or the place of a write whose beginning did not arrive.
  bool zeros_behind(size_t at) {
    if (bytes_end_ > begin_ + at || in_pieces_) return torn(at, "the last write has a hole");
    state_.end = LogFileState::End::reserved;
    return false;
  }

  // Where its length alone is wrong the checksum is right for what ends with the file, the block, or
  // the last byte that is not zero.
  bool has_another_length(size_t at, const Record& record) const {
    const ByteView rest = ByteView(block_).substr(at);
    const auto fits = [&](size_t length) {
      return length != record.length && crc32c(rest.substr(kHeader - 1, length + 1)) == record.crc;
    };
    const size_t slack = block_.size() == kBlock ? kHeader - 1 : 0;
    for (size_t less = 0; less <= slack && kHeader + less <= rest.size(); ++less) {
      if (fits(rest.size() - kHeader - less)) return true;
    }
    const uint64_t payload = begin_ + at + kHeader;
    return bytes_end_ >= payload && bytes_end_ <= begin_ + block_.size() &&
           fits(static_cast<size_t>(bytes_end_ - payload));
  }

  // A sector of the record, or what of it lies there, reads as zeros: the disk never got it.
  bool lacks_a_sector(size_t at, size_t length) const {
    const uint64_t record_begin = begin_ + at, record_end = record_begin + length;
    for (uint64_t sector = record_begin / kSector * kSector; sector < record_end;
         sector += kSector) {
      const uint64_t from = std::max(sector, record_begin);
      const uint64_t to = std::min(sector + kSector, record_end);
      if (is_zeros(ByteView(block_).substr(static_cast<size_t>(from - begin_),
                                           static_cast<size_t>(to - from)))) {
        return true;
      }
    }
    return false;
  }

  // A good record that begins a write stands somewhere behind `at` of the block. Reads on, and where
  // there is none it sets bytes_end_.
  Result<bool> later_write(size_t at) {
    bytes_end_ = begin_ + at;
    for (size_t from = at + 1;; from = 0) {
      for (size_t i = from; i + kHeader <= block_.size(); ++i) {
        const uint8_t type = static_cast<uint8_t>(block_[i + kHeader - 1]);
        if ((type == kWhole || type == kFirst) && good_record(block_, i)) return true;
      }
      if (const size_t last = block_.find_last_not_of('\0'); last != Bytes::npos) {
        bytes_end_ = std::max(bytes_end_, begin_ + last + 1);
      }
      if (begin_ + block_.size() >= size_) return false;
      if (Result<void> read = read_block(begin_ + kBlock); !read) return read.error();
    }
  }

  fs::File& file_;
  uint64_t size_ = 0;
  uint64_t begin_ = 0;  // of the block, in the file
  Bytes block_;
  bool in_pieces_ = false;
  uint64_t bytes_end_ = 0;  // behind the last byte of the file that is not zero
  LogFileState state_;
};

}  // namespace

Result<LogFileState> look_at_log_file(fs::File& file) { return Look(file).run(); }

}  // namespace odradek::coordinator::store
