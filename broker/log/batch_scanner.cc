#include "broker/log/batch_scanner.h"

#include <algorithm>

#include "common/bytes/crc32.h"
#include "common/bytes/crc32c.h"
#include "common/format.h"

namespace odradek::broker::log {

Result<bool> BatchScanner::next() {
  const bool was_large = next_ > 0 && next_ - position_ > kBufferSize / 2 && position_ != next_;
  position_ = next_;
  if (next_ >= end_) return false;
  const size_t left = static_cast<size_t>(std::min<uint64_t>(end_ - next_, kBatchHeaderSize));
  if (next_ < buffer_at_ || next_ + left > buffer_at_ + buffer_size_) {
    size_t wanted = static_cast<size_t>(
        std::min<uint64_t>(end_ - next_, was_large ? kBatchHeaderSize : kBufferSize));
    Result<size_t> got = file_.pread(buffer_, wanted, next_);
    if (!got) return got.error();
    buffer_at_ = next_;
    buffer_size_ = *got;
    if (*got < left) {
      return Error(Errc::corrupt_record,
                   format("{} ends at {}, within a batch", file_.path(), next_ + *got));
    }
  }
  Result<BatchHeader> header = parse_batch_header(ByteView(buffer_ + (next_ - buffer_at_), left));
  if (!header) return header.error();
  if (header->size() > end_ - next_) {
    return Error(Errc::corrupt_record,
                 format("a batch of {} bytes where {} are left", header->size(), end_ - next_));
  }
  header_ = *header;
  next_ += header_.size();
  return true;
}

Result<void> check_crc_in_file(fs::File& file, uint64_t position, const BatchHeader& header) {
  char piece[65536];
  const uint64_t end = position + header.size();
  uint64_t at = position + (header.magic < 2 ? 16 : 21);
  uint32_t crc = 0;
  while (at < end) {
    size_t size = static_cast<size_t>(std::min<uint64_t>(sizeof piece, end - at));
    if (Result<void> read = file.pread_exact(piece, size, at); !read) return read;
    crc = header.magic < 2 ? crc32(ByteView(piece, size), crc) : crc32c(ByteView(piece, size), crc);
    at += size;
  }
  if (crc != header.crc) {
    return Error(Errc::corrupt_record,
                 format("Record is corrupt (stored crc = {}, computed crc = {})", header.crc, crc));
  }
  return {};
}

Result<bool> has_batch_behind(fs::File& file, uint64_t position, uint64_t end, Offset offset) {
  constexpr size_t kPiece = 65536;
  Bytes piece;
  for (uint64_t at = position + 1; at + kBatchHeaderSize <= end;) {
    piece.resize(static_cast<size_t>(std::min<uint64_t>(kPiece, end - at)));
    if (Result<void> read = file.pread_exact(piece.data(), piece.size(), at); !read)
      return read.error();
    const size_t starts = piece.size() - kBatchHeaderSize + 1;
    for (size_t i = 0; i < starts; ++i) {
      if (piece[i + 16] != 2) continue;
      Result<BatchHeader> header = parse_batch_header(ByteView(piece).substr(i));
      if (!header || header->base_offset <= offset || header->size() > end - (at + i)) continue;
      Result<void> right = check_crc_in_file(file, at + i, *header);
      if (right) return true;
      if (right.error().code() != Errc::corrupt_record) return right.error();
    }
    at += starts;
  }
  return false;
}

Result<Bytes> read_batch(fs::File& file, uint64_t position, const BatchHeader& header) {
  Bytes bytes(header.size(), '\0');
  if (Result<void> read = file.pread_exact(bytes.data(), bytes.size(), position); !read)
    return read.error();
  return bytes;
}

}  // namespace odradek::broker::log
