#include "broker/cli/input_lines.h"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace odradek::broker::cli {
namespace {

constexpr size_t kReadSize = 256 * 1024;

}  // namespace

bool InputLines::has_buffered() const {
  return std::memchr(buffer_.data() + at_, '\n', buffer_.size() - at_) != nullptr;
}

InputLines::Next InputLines::next(std::string_view& line, int timeout_ms) {
  while (true) {
    if (skip_newline_ && at_ < buffer_.size()) {
      if (buffer_[at_] == '\n') ++at_;
      skip_newline_ = false;
      looked_ = at_;
    }
    size_t end = buffer_.find_first_of("\r\n", std::max(at_, looked_));
    if (end != std::string::npos) {
      line = std::string_view(buffer_).substr(at_, end - at_);
      skip_newline_ = buffer_[end] == '\r';
      at_ = looked_ = end + 1;
      return Next::line;
    }
    looked_ = buffer_.size();
    if (ended_) {
      if (at_ == buffer_.size()) return Next::end;
      line = std::string_view(buffer_).substr(at_);
      at_ = buffer_.size();
      return Next::line;
    }
    pollfd ready{fd_, POLLIN, 0};
    if (poll(&ready, 1, timeout_ms) <= 0) return Next::waiting;
    buffer_.erase(0, at_);
    looked_ -= at_;
    at_ = 0;
    size_t old = buffer_.size();
    buffer_.resize(old + kReadSize);
    ssize_t got = read(fd_, buffer_.data() + old, kReadSize);
    buffer_.resize(old + static_cast<size_t>(std::max<ssize_t>(got, 0)));
    if (got < 0 && (errno == EINTR || errno == EAGAIN)) return Next::waiting;
    if (got <= 0) ended_ = true;
  }
}

}  // namespace odradek::broker::cli
