// The xerial stream: 82 'SNAPPY' 00, int32 version 1, int32 lowest compatible version 1, then
// chunks of int32 length and a snappy block of up to 32 KiB of input. Without the magic bytes it is
// one plain block.
#include <snappy.h>

#include "common/bytes/byte_reader.h"
#include "common/compress/codecs.h"

namespace odradek::compress {
namespace {

constexpr std::string_view kMagic("\x82SNAPPY\0", 8);
constexpr size_t kBlock = 32768;

Result<void> append_block(ByteView block, size_t max_size, Bytes& out) {
  size_t size = 0;
  if (!snappy::GetUncompressedLength(block.data(), block.size(), &size)) {
    return damaged("snappy", "a block has no length");
  }
  if (size > max_size - out.size()) return too_large("snappy", max_size);
  // a block names its length before it shows it: do not take room for what cannot be there
  if (size / 64 > block.size() && !snappy::IsValidCompressedBuffer(block.data(), block.size())) {
    return damaged("snappy", "a block does not decompress");
  }
  size_t before = out.size();
  out.resize(before + size);
  if (!snappy::RawUncompress(block.data(), block.size(), out.data() + before)) {
    return damaged("snappy", "a block does not decompress");
  }
  return {};
}

}  // namespace

Result<Bytes> snappy_compress(ByteView bytes) {
  ByteWriter out;
  out.bytes(kMagic);
  out.i32(1);
  out.i32(1);
  Bytes block;
  for (size_t at = 0; at < bytes.size(); at += kBlock) {
    ByteView piece = bytes.substr(at, kBlock);
    snappy::Compress(piece.data(), piece.size(), &block);
    out.i32(static_cast<int32_t>(block.size()));
    out.bytes(block);
  }
  return out.take();
}

Result<Bytes> snappy_decompress(ByteView bytes, size_t max_size) {
  Bytes out;
  if (!bytes.starts_with(kMagic)) {
    if (Result<void> done = append_block(bytes, max_size, out); !done) return done.error();
    return out;
  }
  ByteReader reader(bytes);
  while (reader.remaining() > 0) {
    // streams may follow one another, each with its header
    if (reader.rest().starts_with(kMagic)) {
      reader.skip(kMagic.size());
      reader.i32();
      if (reader.i32() > 1) return damaged("snappy", "a newer stream version");
      if (!reader.ok()) return damaged("snappy", "the header is cut");
      continue;
    }
    int32_t size = reader.i32();
    ByteView block = size < 0 ? ByteView() : reader.bytes(static_cast<size_t>(size));
    if (size < 0 || !reader.ok()) return damaged("snappy", "a chunk is cut");
    if (size == 0) continue;
    if (Result<void> done = append_block(block, max_size, out); !done) return done.error();
  }
  return out;
}

}  // namespace odradek::compress
