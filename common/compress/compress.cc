#include "common/compress/compress.h"

#include "common/compress/codecs.h"
#include "common/format.h"

namespace odradek::compress {

std::string_view name_of(Codec codec) {
  switch (codec) {
    case Codec::none:
      return "none";
    case Codec::gzip:
      return "gzip";
    case Codec::snappy:
      return "snappy";
    case Codec::lz4:
      return "lz4";
    case Codec::zstd:
      return "zstd";
  }
  return "unknown";
}

Result<Bytes> compress(Codec codec, ByteView bytes, std::optional<int> level) {
  switch (codec) {
    case Codec::none:
      return Bytes(bytes);
    case Codec::gzip:
      return gzip_compress(bytes, level);
    case Codec::snappy:
      return snappy_compress(bytes);
    case Codec::lz4:
      return lz4_compress(bytes, level);
    case Codec::zstd:
      return zstd_compress(bytes, level);
  }
  return Error(Errc::unsupported_compression_type,
               format("no codec has number {}", static_cast<int>(codec)));
}

Result<Bytes> decompress(Codec codec, ByteView bytes, size_t max_size) {
  switch (codec) {
    case Codec::none:
      if (bytes.size() > max_size) return too_large("uncompressed", max_size);
      return Bytes(bytes);
    case Codec::gzip:
      return gzip_decompress(bytes, max_size);
    case Codec::snappy:
      return snappy_decompress(bytes, max_size);
    case Codec::lz4:
      return lz4_decompress(bytes, max_size);
    case Codec::zstd:
      return zstd_decompress(bytes, max_size);
  }
  return Error(Errc::unsupported_compression_type,
               format("no codec has number {}", static_cast<int>(codec)));
}

Error too_large(std::string_view what, size_t max_size) {
  return Error(Errc::limit_exceeded, format("{} data is longer than {} bytes", what, max_size));
}

Error damaged(std::string_view what, std::string_view why) {
  return Error(Errc::bad_compression, format("{} data is damaged: {}", what, why));
}

bool OutputBuffer::grow() {
  if (bytes_.size() >= max_size_) return false;
  size_t size = bytes_.empty() ? first_size_ : bytes_.size() * 2;
  bytes_.resize(size < max_size_ ? size : max_size_);
  return true;
}

}  // namespace odradek::compress
