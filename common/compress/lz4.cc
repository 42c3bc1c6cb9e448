// LZ4 frames as Kafka's clients write them: 64 KiB blocks, independent, no checksums, no content
// size. In message format v0 the header checksum was taken over the magic number too (KAFKA-3160);
// readers accept both.
#include <lz4frame.h>

#include <cstring>

#include "common/bytes/byte_reader.h"
#include "common/compress/codecs.h"
#include "common/compress/xxhash32.h"

namespace odradek::compress {
namespace {

constexpr std::string_view kMagic("\x04\x22\x4d\x18", 4);

uint8_t header_checksum(ByteView bytes) { return static_cast<uint8_t>(xxhash32(bytes) >> 8); }

// Size of a frame's descriptor without its checksum; 0 where there is none.
size_t descriptor_size(ByteView frame) {
  if (frame.size() < 7) return 0;
  uint8_t flags = static_cast<uint8_t>(frame[4]);
  size_t size = 2 + (flags & 0x08 ? 8 : 0) + (flags & 0x01 ? 4 : 0);
  return frame.size() > 4 + size ? size : 0;
}

struct ContextGuard {
  LZ4F_dctx* context = nullptr;
  ~ContextGuard() { LZ4F_freeDecompressionContext(context); }
};

}  // namespace

Result<Bytes> lz4_compress(ByteView bytes, std::optional<int> level) {
  LZ4F_preferences_t preferences{};
  preferences.frameInfo.blockSizeID = LZ4F_max64KB;
  preferences.frameInfo.blockMode = LZ4F_blockIndependent;
  preferences.compressionLevel = level.value_or(0);
  LZ4F_cctx* context = nullptr;
  if (LZ4F_isError(LZ4F_createCompressionContext(&context, LZ4F_VERSION))) {
    return Error(Errc::internal, "lz4 cannot begin");
  }
  // In pieces and not as one frame call: that one would choose the block size by itself.
  Bytes out(LZ4F_HEADER_SIZE_MAX + LZ4F_compressBound(bytes.size(), &preferences), '\0');
  size_t used = LZ4F_compressBegin(context, out.data(), out.size(), &preferences);
  size_t result = used;
  if (!LZ4F_isError(result)) {
    result = LZ4F_compressUpdate(context, out.data() + used, out.size() - used, bytes.data(),
                                 bytes.size(), nullptr);
    if (!LZ4F_isError(result)) {
      used += result;
      result = LZ4F_compressEnd(context, out.data() + used, out.size() - used, nullptr);
      if (!LZ4F_isError(result)) used += result;
    }
  }
  LZ4F_freeCompressionContext(context);
  if (LZ4F_isError(result))
    return Error(Errc::internal, std::string("lz4: ") + LZ4F_getErrorName(result));
  out.resize(used);
  return out;
}

Result<Bytes> compress_lz4_magic0(ByteView bytes) {
  Result<Bytes> frame = lz4_compress(bytes, std::nullopt);
  if (!frame) return frame;
  size_t size = descriptor_size(*frame);
  (*frame)[4 + size] = static_cast<char>(header_checksum(ByteView(*frame).substr(0, 4 + size)));
  return frame;
}

Result<Bytes> lz4_decompress(ByteView bytes, size_t max_size) {
  ContextGuard guard;
  if (LZ4F_isError(LZ4F_createDecompressionContext(&guard.context, LZ4F_VERSION))) {
    return Error(Errc::internal, "lz4 cannot begin");
  }
  OutputBuffer out(bytes.size(), max_size);
  do {
    Bytes header;  // a copy with the right checksum, where the frame has the one of format v0
    if (!bytes.starts_with(kMagic)) return damaged("lz4", "no frame begins where one must");
    size_t size = descriptor_size(bytes);
    if (size == 0) return damaged("lz4", "the frame header is cut");
    uint8_t right = header_checksum(bytes.substr(4, size));
    if (static_cast<uint8_t>(bytes[4 + size]) != right &&
        static_cast<uint8_t>(bytes[4 + size]) == header_checksum(bytes.substr(0, 4 + size))) {
      header.assign(bytes.substr(0, 4 + size));
      header.push_back(static_cast<char>(right));
    }
    size_t hint = 1;
    if (!header.empty()) {
      size_t in = header.size(), produced = 0;
      hint = LZ4F_decompress(guard.context, nullptr, &produced, header.data(), &in, nullptr);
      if (LZ4F_isError(hint) || in != header.size()) return damaged("lz4", "the frame header");
      bytes.remove_prefix(header.size());
    }
    while (hint != 0) {
      char none;
      bool full = out.space_size() == 0 && !out.grow();
      size_t produced = full ? 1 : out.space_size();
      size_t in = bytes.size();
      hint = LZ4F_decompress(guard.context, full ? &none : out.space(), &produced, bytes.data(),
                             &in, nullptr);
      if (LZ4F_isError(hint)) return damaged("lz4", LZ4F_getErrorName(hint));
      bytes.remove_prefix(in);
      if (full && produced > 0) return too_large("lz4", max_size);
      if (!full) out.used(produced);
      if (hint != 0 && in == 0 && produced == 0 && (bytes.empty() || full))
        return damaged("lz4", "it ends early");
    }
  } while (!bytes.empty());
  return out.take();
}

}  // namespace odradek::compress
