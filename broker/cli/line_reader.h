#pragma once
// LineReader turns lines of text into records as kafka-console-producer's reader does:
//   headers <tab> key <tab> value        headers: name:value,name:value
// Which parts a line has and what separates them are properties (parse.key, key.separator, ...).

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "broker/cli/client_properties.h"

namespace odradek::broker::cli {

struct ConsoleRecord {
  std::optional<std::string_view> key;  // views into the line
  std::optional<std::string_view> value;
  std::vector<std::pair<std::string_view, std::optional<std::string_view>>> headers;
};

class LineReader {
 public:
  // Contradicting separators are refused.
  static Result<LineReader> make(const Properties& properties);
  // `number` counts from 1, for the error's text. The error's text is the official one.
  Result<ConsoleRecord> parse(std::string_view line, uint64_t number) const;

 private:
  struct Part {
    std::optional<std::string_view> text;
    size_t next = 0;
  };
  Result<Part> take(bool enabled, std::string_view line, size_t from, const std::string& separator,
                    std::string_view what, uint64_t number) const;
  Result<void> parse_headers(std::string_view text, uint64_t number, ConsoleRecord& record) const;
  bool is_null(std::string_view text) const { return null_marker_ && text == *null_marker_; }

  bool parse_key_ = false;
  bool parse_headers_ = false;
  bool ignore_error_ = false;
  std::string key_separator_ = "\t";
  std::string headers_delimiter_ = "\t";
  std::string headers_separator_ = ",";
  std::string headers_key_separator_ = ":";
  std::optional<std::string> null_marker_;
};

}  // namespace odradek::broker::cli
