#pragma once
// InputLines reads a descriptor line by line without ever waiting longer than it is told, so that
// its owner can look after other things while a person types. Lives on the tool's only thread.

#include <string>
#include <string_view>

namespace odradek::broker::cli {

class InputLines {
 public:
  enum class Next { line, waiting, end };

  explicit InputLines(int fd) : fd_(fd) {}
  // A line without its end (\n, \r\n or \r), as Java's reader cuts it; the view holds until the
  // next call. `waiting`: nothing complete within the time, or a signal came. A last line without
  // an end counts.
  Next next(std::string_view& line, int timeout_ms);
  // Whether a call would answer without reading.
  bool has_buffered() const;

 private:
  int fd_;
  std::string buffer_;
  size_t at_ = 0;      // first byte not handed out
  size_t looked_ = 0;  // no line end before this one
  bool ended_ = false;
  bool skip_newline_ = false;  // the line before ended in \r
};

}  // namespace odradek::broker::cli
