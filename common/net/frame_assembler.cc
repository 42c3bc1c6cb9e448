#include "common/net/frame_assembler.h"

#include <algorithm>

namespace odradek::net {

std::string foreign_protocol(ByteView first_bytes) {
  static constexpr std::string_view kMethods[] = {"GET ", "POST", "PUT ", "HEAD", "DELE",
                                                  "OPTI", "CONN", "PATC", "PRI "};
  if (first_bytes.size() < 4) return {};
  for (std::string_view method : kMethods) {
    if (first_bytes.substr(0, 4) == method)
      return "it speaks HTTP; this port expects Kafka's protocol";
  }
  if (first_bytes[0] == 0x16 && first_bytes[1] == 0x03) {
    return "it speaks TLS; this listener is PLAINTEXT (set security.protocol=PLAINTEXT in the "
           "client)";
  }
  return {};
}

Result<bool> FrameAssembler::begin_frame() {
  ByteView waiting = ahead_.view().substr(ahead_at_);
  if (waiting.size() < 4) return false;
  if (std::string foreign = foreign_protocol(waiting); !foreign.empty())
    return Error(Errc::malformed, foreign);
  int32_t length = ByteReader(waiting).i32();
  if (length < 0)
    return Error(Errc::malformed, "frame of negative length " + std::to_string(length));
  if (static_cast<size_t>(length) > max_frame_bytes_) {
    return Error(Errc::malformed, "frame of " + std::to_string(length) +
                                      " bytes, above the limit of " +
                                      std::to_string(max_frame_bytes_));
  }
  length_ = static_cast<size_t>(length);
  length_known_ = true;
  ahead_at_ += 4;
  return true;
}

void FrameAssembler::feed(ByteView bytes) {
  // Straight into the frame where nothing stands before it.
  if (length_known_ && ahead_.empty()) {
    size_t missing = length_ - frame_.size();
    ByteView part = bytes.substr(0, missing);
    frame_.append(part);
    bytes.remove_prefix(part.size());
  }
  // What has been taken goes first: of what is left (a part of a length) a peer could make it grow.
  if (ahead_at_ > 0) {
    Buffer left;
    left.append(ahead_.view().substr(ahead_at_));
    ahead_ = std::move(left);
    ahead_at_ = 0;
  }
  ahead_.append(bytes);
}

Result<std::optional<Buffer>> FrameAssembler::next() {
  if (!length_known_) {
    auto begun = begin_frame();
    if (!begun) return begun.error();
    if (!*begun) return std::optional<Buffer>();
  }
  if (!ahead_.empty()) {
    ByteView part = ahead_.view().substr(ahead_at_, length_ - frame_.size());
    frame_.append(part);
    ahead_at_ += part.size();
    if (ahead_at_ == ahead_.size()) {
      ahead_.reset();
      ahead_at_ = 0;
    }
  }
  if (frame_.size() < length_) return std::optional<Buffer>();
  length_known_ = false;
  std::optional<Buffer> whole(std::in_place, std::move(frame_));
  frame_ = Buffer();
  return whole;
}

size_t FrameAssembler::direct_growth() const {
  if (!length_known_ || !ahead_.empty() || frame_.spare_size() > 0) return 0;
  size_t missing = length_ - frame_.size();
  bool small = missing < kScratchBytes && frame_.size() < kScratchBytes;
  return small ? 0 : std::min(missing, std::max(frame_.size(), kScratchBytes));
}

char* FrameAssembler::direct_space(size_t& size) {
  size_t growth = direct_growth();
  if (growth > 0) frame_.reserve(frame_.size() + growth);
  if (!length_known_ || !ahead_.empty() || frame_.capacity() < kScratchBytes) return nullptr;
  size = std::min(length_ - frame_.size(), frame_.spare_size());
  return size > 0 ? frame_.spare() : nullptr;
}

void FrameAssembler::offer(Buffer& spare) {
  bool useful =
      length_known_ && length_ >= spare.capacity() / 2 && frame_.capacity() < spare.capacity();
  if (!useful || direct_growth() == 0) return;
  spare.clear();
  spare.append(frame_.view());
  frame_ = std::move(spare);
  spare.reset();
}

}  // namespace odradek::net
