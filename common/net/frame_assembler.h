#pragma once
// FrameAssembler: turns a stream of bytes into frames of an int32 length and that many bytes. Pure:
// it reads no socket. Its memory follows the bytes that arrived, not the length that a peer claims.

#include <cstdint>
#include <optional>
#include <string>

#include "common/bytes/byte_reader.h"
#include "common/net/buffer.h"
#include "common/result.h"

namespace odradek::net {

class FrameAssembler {
 public:
  // A frame longer than max_frame_bytes is refused. Small reads go through a scratch space of
  // kScratchBytes.
  static constexpr size_t kScratchBytes = 64 * 1024;
  explicit FrameAssembler(size_t max_frame_bytes) : max_frame_bytes_(max_frame_bytes) {}

  // Takes bytes in the order of the stream. All of them are kept, those behind the current frame
  // for later ones.
  void feed(ByteView bytes);

  // The next whole frame, without its length; nullopt: more bytes are needed. Errc::malformed: the
  // length is negative or too large, or the peer speaks another protocol (the text says which);
  // nothing more can be read then.
  Result<std::optional<Buffer>> next();

  // Where most of a large frame is still missing, its bytes can be received in place: room for up
  // to `size` bytes, to be counted by direct_add. Null where feed() is the better way.
  // direct_growth: by how much the frame's buffer will grow in the next call; as much as has come
  // already, so that a claimed length costs nothing.
  size_t direct_growth() const;
  char* direct_space(size_t& size);
  void direct_add(size_t size) { frame_.add(size); }

  // A buffer that someone has no use for any more: taken where the current frame is large and has
  // less room than that; `spare` is then empty.
  void offer(Buffer& spare);

  // True in the middle of a frame or of its length.
  bool in_frame() const { return length_known_ || !ahead_.empty(); }
  size_t memory() const { return frame_.capacity() + ahead_.capacity(); }

 private:
  Result<bool> begin_frame();

  size_t max_frame_bytes_;
  bool length_known_ = false;
  size_t length_ = 0;
  Buffer frame_;  // what has come of the current frame
  Buffer ahead_;  // behind it, from ahead_at_ on
  size_t ahead_at_ = 0;
};

// The reason for a log line when the first bytes of a stream are those of HTTP or TLS; empty
// otherwise.
std::string foreign_protocol(ByteView first_bytes);

}  // namespace odradek::net
