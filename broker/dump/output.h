#pragma once
// Where the tool's text goes, and how it ends where it cannot go on. What is printed is kept apart from
// where it is printed, so that tests read it.

#include <string>
#include <string_view>

#include "common/bytes/byte_reader.h"
#include "common/result.h"

namespace odradek::broker::dump {

class Output {
 public:
  virtual ~Output() = default;
  // Standard output and standard error, without a line end of their own.
  virtual void out(std::string_view text) = 0;
  virtual void err(std::string_view text) = 0;
};

// The official tool ends with an exception's class and sentence; an Error of this folder carries
// both as its text. `message` may be empty.
inline Error exception(std::string_view java_class, std::string_view message) {
  std::string text(java_class);
  if (!message.empty()) text.append(": ").append(message);
  return Error(Errc::invalid_argument, std::move(text));
}

// Of a failed read.
inline Error io_exception(const Error& error) {
  return exception("java.io.IOException", error.what());
}

}  // namespace odradek::broker::dump
