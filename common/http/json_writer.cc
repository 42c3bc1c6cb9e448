#include "common/http/json_writer.h"

#include <cmath>

#include "common/check.h"
#include "common/format.h"
#include "common/metrics/number.h"

namespace odradek::http {

namespace {

// The length of the UTF-8 character that `text` begins with; 0 where it begins with none.
size_t utf8_length(std::string_view text) {
  auto at = [&](size_t i) { return static_cast<unsigned char>(text[i]); };
  unsigned char first = at(0);
  if (first < 0x80) return 1;
  size_t length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  if (first < 0xc2 || first > 0xf4 || text.size() < length) return 0;
  for (size_t i = 1; i < length; ++i) {
    if ((at(i) & 0xc0) != 0x80) return 0;
  }
  bool overlong = (first == 0xe0 && at(1) < 0xa0) || (first == 0xf0 && at(1) < 0x90);
  bool outside = (first == 0xed && at(1) >= 0xa0) || (first == 0xf4 && at(1) >= 0x90);
  return overlong || outside ? 0 : length;
}

}  // namespace

void JsonWriter::new_line() {
  size_t depth = 0;  // arrays do not indent
  for (const Level& level : levels_) depth += level.array ? 0 : 1;
  out_ += '\n';
  out_.append(2 * depth, ' ');
}

void JsonWriter::before_value() {
  if (std::exchange(after_key_, false) || levels_.empty()) return;
  Level& level = levels_.back();
  CHECK(level.array);
  out_ += level.empty ? " " : ", ";
  level.empty = false;
}

JsonWriter& JsonWriter::raw(std::string_view text) {
  before_value();
  out_ += text;
  return *this;
}

JsonWriter& JsonWriter::begin_object() {
  raw("{");
  levels_.push_back({false});
  return *this;
}

JsonWriter& JsonWriter::end_object() {
  CHECK(!levels_.empty() && !levels_.back().array && !after_key_);
  bool empty = levels_.back().empty;
  levels_.pop_back();
  if (empty) {
    out_ += " }";
  } else {
    new_line();
    out_ += '}';
  }
  return *this;
}

JsonWriter& JsonWriter::begin_array() {
  raw("[");
  levels_.push_back({true});
  return *this;
}

JsonWriter& JsonWriter::end_array() {
  CHECK(!levels_.empty() && levels_.back().array);
  levels_.pop_back();
  out_ += " ]";
  return *this;
}

JsonWriter& JsonWriter::key(std::string_view name) {
  CHECK(!levels_.empty() && !levels_.back().array && !after_key_);
  if (!std::exchange(levels_.back().empty, false)) out_ += ',';
  new_line();
  quoted(name);
  out_ += " : ";
  after_key_ = true;
  return *this;
}

JsonWriter& JsonWriter::string(std::string_view value) {
  before_value();
  quoted(value);
  return *this;
}

JsonWriter& JsonWriter::number(double value) {
  std::string text = metrics::java_double(value);
  return std::isfinite(value) ? raw(text) : string(text);
}

void JsonWriter::quoted(std::string_view text) {
  constexpr std::string_view kReplacement = "\xef\xbf\xbd";
  out_ += '"';
  while (!text.empty()) {
    size_t length = utf8_length(text);
    char c = text.front();
    if (length != 1) {
      out_ += length == 0 ? kReplacement : text.substr(0, length);
    } else if (c == '"' || c == '\\') {
      out_ += '\\';
      out_ += c;
    } else if (c == '\n') {
      out_ += "\\n";
    } else if (c == '\t') {
      out_ += "\\t";
    } else if (c == '\r') {
      out_ += "\\r";
    } else if (static_cast<unsigned char>(c) < 0x20) {
      out_ += odradek::format("\\u{:04X}", static_cast<unsigned>(c));
    } else {
      out_ += c;
    }
    text.remove_prefix(length == 0 ? 1 : length);
  }
  out_ += '"';
}

}  // namespace odradek::http
