#include <zlib.h>

#include "common/compress/codecs.h"
#include "common/format.h"

namespace odradek::compress {
namespace {

constexpr int kGzipWindow = 15 + 16;  // the largest window, gzip framing
constexpr size_t kPiece = 1u << 30;   // zlib counts in 32 bits

}  // namespace

Result<Bytes> gzip_compress(ByteView bytes, std::optional<int> level) {
  z_stream stream{};
  if (deflateInit2(&stream, level.value_or(Z_DEFAULT_COMPRESSION), Z_DEFLATED, kGzipWindow, 8,
                   Z_DEFAULT_STRATEGY) != Z_OK) {
    return Error(Errc::internal, format("gzip cannot begin with level {}", level.value_or(-1)));
  }
  Bytes out(deflateBound(&stream, bytes.size()), '\0');
  size_t used = 0;
  int status = Z_OK;
  do {
    size_t piece = std::min(bytes.size(), kPiece);
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
    stream.avail_in = static_cast<uInt>(piece);
    bytes.remove_prefix(piece);
    do {
      size_t room = std::min(out.size() - used, kPiece);
      stream.next_out = reinterpret_cast<Bytef*>(out.data() + used);
      stream.avail_out = static_cast<uInt>(room);
      status = deflate(&stream, bytes.empty() ? Z_FINISH : Z_NO_FLUSH);
      used += room - stream.avail_out;
    } while (status == Z_OK && (stream.avail_in > 0 || (bytes.empty() && used < out.size())));
  } while (!bytes.empty() && status == Z_OK);
  deflateEnd(&stream);
  if (status != Z_STREAM_END) return Error(Errc::internal, "gzip did not finish");
  out.resize(used);
  return out;
}

Result<Bytes> gzip_decompress(ByteView bytes, size_t max_size) {
  z_stream stream{};
  if (inflateInit2(&stream, kGzipWindow) != Z_OK) return Error(Errc::internal, "gzip cannot begin");
  OutputBuffer out(bytes.size(), max_size);
  std::optional<Error> error;
  bool ended = false;  // the last member is complete
  while (!error) {
    if (stream.avail_in == 0 && !bytes.empty()) {
      size_t piece = std::min(bytes.size(), kPiece);
      stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
      stream.avail_in = static_cast<uInt>(piece);
      bytes.remove_prefix(piece);
    }
    if (ended && stream.avail_in == 0) break;
    if (ended) {
      inflateReset(&stream);  // another member
      ended = false;
    }
    char none;
    size_t room = out.space_size();
    if (room == 0 && out.grow()) room = out.space_size();
    room = std::min(room, kPiece);
    // at the bound one more byte tells the end from too much
    bool full = room == 0;
    stream.next_out = reinterpret_cast<Bytef*>(full ? &none : out.space());
    stream.avail_out = static_cast<uInt>(full ? 1 : room);
    int status = inflate(&stream, Z_NO_FLUSH);
    if (full && stream.avail_out == 0)
      error = too_large("gzip", max_size);
    else if (!full)
      out.used(room - stream.avail_out);
    if (status == Z_STREAM_END)
      ended = true;
    else if (status == Z_BUF_ERROR && stream.avail_in == 0 && bytes.empty())
      error = damaged("gzip", "it ends early");
    else if (status != Z_OK && status != Z_BUF_ERROR)
      error = damaged("gzip", stream.msg ? stream.msg : "not a member");
  }
  inflateEnd(&stream);
  if (error) return *error;
  return out.take();
}

}  // namespace odradek::compress
