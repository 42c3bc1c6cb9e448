#include <zstd.h>

#include "common/compress/codecs.h"

namespace odradek::compress {
namespace {

struct Decoder {
  ZSTD_DStream* stream = ZSTD_createDStream();
  ~Decoder() { ZSTD_freeDStream(stream); }
};

}  // namespace

Result<Bytes> zstd_compress(ByteView bytes, std::optional<int> level) {
  Bytes out(ZSTD_compressBound(bytes.size()), '\0');
  size_t size =
      ZSTD_compress(out.data(), out.size(), bytes.data(), bytes.size(), level.value_or(3));
  if (ZSTD_isError(size))
    return Error(Errc::internal, std::string("zstd: ") + ZSTD_getErrorName(size));
  out.resize(size);
  return out;
}

Result<Bytes> zstd_decompress(ByteView bytes, size_t max_size) {
  if (bytes.empty()) return damaged("zstd", "it is empty");
  Decoder decoder;
  if (!decoder.stream) return Error(Errc::internal, "zstd cannot begin");
  // the window is memory too: 8 MiB is what every level below 20 uses at most, 27 bits the format's
  // recommendation
  ZSTD_DCtx_setParameter(decoder.stream, ZSTD_d_windowLogMax, 27);
  OutputBuffer out(bytes.size(), max_size);
  ZSTD_inBuffer in{bytes.data(), bytes.size(), 0};
  size_t hint = 1;
  while (in.pos < in.size || hint != 0) {
    char none;
    bool full = out.space_size() == 0 && !out.grow();
    ZSTD_outBuffer piece{full ? &none : out.space(), full ? 1 : out.space_size(), 0};
    size_t before = in.pos;
    hint = ZSTD_decompressStream(decoder.stream, &piece, &in);
    if (ZSTD_isError(hint)) return damaged("zstd", ZSTD_getErrorName(hint));
    if (full && piece.pos > 0) return too_large("zstd", max_size);
    if (!full) out.used(piece.pos);
    if (hint != 0 && in.pos == before && piece.pos == 0) return damaged("zstd", "it ends early");
  }
  return out.take();
}

}  // namespace odradek::compress
