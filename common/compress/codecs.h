#pragma once
// The four codecs behind compress.h, one file each, and what they share. Not for other folders.

#include <algorithm>
#include <optional>
#include <string_view>

#include "common/bytes/byte_writer.h"
#include "common/result.h"

namespace odradek::compress {

Result<Bytes> gzip_compress(ByteView bytes, std::optional<int> level);
Result<Bytes> gzip_decompress(ByteView bytes, size_t max_size);
Result<Bytes> snappy_compress(ByteView bytes);
Result<Bytes> snappy_decompress(ByteView bytes, size_t max_size);
Result<Bytes> lz4_compress(ByteView bytes, std::optional<int> level);
Result<Bytes> lz4_decompress(ByteView bytes, size_t max_size);
Result<Bytes> zstd_compress(ByteView bytes, std::optional<int> level);
Result<Bytes> zstd_decompress(ByteView bytes, size_t max_size);

Error too_large(std::string_view what, size_t max_size);
Error damaged(std::string_view what, std::string_view why);

// Output that doubles up to a bound.
class OutputBuffer {
 public:
  OutputBuffer(size_t input_size, size_t max_size)
      : max_size_(max_size), first_size_(std::clamp<size_t>(input_size * 4, 1024, 1 << 20)) {}
  // Makes room; false at the bound.
  bool grow();
  char* space() { return bytes_.data() + used_; }
  size_t space_size() const { return bytes_.size() - used_; }
  void used(size_t size) { used_ += size; }
  Bytes take() {
    bytes_.resize(used_);
    return std::move(bytes_);
  }

 private:
  const size_t max_size_;
  const size_t first_size_;
  Bytes bytes_;
  size_t used_ = 0;
};

}  // namespace odradek::compress
