#include "common/config/properties.h"

#include "common/fs/file_system.h"

namespace odradek::config {
namespace {

constexpr size_t kMaxFile = 1 << 20;

bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\f'; }

void append_utf8(std::string& out, uint32_t point) {
  if (point < 0x80) {
    out += static_cast<char>(point);
  } else if (point < 0x800) {
    out += static_cast<char>(0xc0 | point >> 6);
    out += static_cast<char>(0x80 | (point & 0x3f));
  } else if (point < 0x10000) {
    out += static_cast<char>(0xe0 | point >> 12);
    out += static_cast<char>(0x80 | (point >> 6 & 0x3f));
    out += static_cast<char>(0x80 | (point & 0x3f));
  } else {
    out += static_cast<char>(0xf0 | point >> 18);
    out += static_cast<char>(0x80 | (point >> 12 & 0x3f));
    out += static_cast<char>(0x80 | (point >> 6 & 0x3f));
    out += static_cast<char>(0x80 | (point & 0x3f));
  }
}

// One line without its end; '\n', '\r' and "\r\n" end a line.
std::string_view next_line(std::string_view& text) {
  size_t end = text.find_first_of("\r\n");
  std::string_view line = text.substr(0, end);
  if (end == std::string_view::npos) {
    text = {};
  } else {
    text.remove_prefix(end + (text.substr(end).starts_with("\r\n") ? 2 : 1));
  }
  return line;
}

bool ends_with_escape(std::string_view line) {
  size_t count = 0;
  while (count < line.size() && line[line.size() - 1 - count] == '\\') ++count;
  return count % 2 == 1;
}

std::string_view without_leading_blanks(std::string_view line) {
  while (!line.empty() && is_blank(line.front())) line.remove_prefix(1);
  return line;
}

// The 16-bit unit of "\uXXXX" whose digits start at `at`; -1 where they are not four hexadecimal
// digits.
int32_t unit_at(std::string_view text, size_t at) {
  if (at + 4 > text.size()) return -1;
  int32_t unit = 0;
  for (char c : text.substr(at, 4)) {
    int digit = c >= '0' && c <= '9'   ? c - '0'
                : c >= 'a' && c <= 'f' ? c - 'a' + 10
                : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                       : -1;
    if (digit < 0) return -1;
    unit = unit << 4 | digit;
  }
  return unit;
}

// Resolves the escapes; false for a malformed \u.
bool unescape(std::string_view text, std::string& out) {
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\') {
      out += text[i];
      continue;
    }
    if (++i == text.size()) return true;  // nothing follows: the sign is dropped
    switch (text[i]) {
      case 't':
        out += '\t';
        break;
      case 'n':
        out += '\n';
        break;
      case 'r':
        out += '\r';
        break;
      case 'f':
        out += '\f';
        break;
      case 'u': {
        int32_t unit = unit_at(text, i + 1);
        if (unit < 0) return false;
        i += 4;
        uint32_t point = static_cast<uint32_t>(unit);
        bool pair = point >= 0xd800 && point < 0xdc00 && text.substr(i + 1).starts_with("\\u");
        if (pair) {
          int32_t low = unit_at(text, i + 3);
          if (low >= 0xdc00 && low < 0xe000) {
            point = 0x10000 + ((point - 0xd800) << 10) + (static_cast<uint32_t>(low) - 0xdc00);
            i += 6;
          }
        }
        if (point >= 0xd800 && point < 0xe000) point = 0xfffd;
        append_utf8(out, point);
        break;
      }
      default:
        out += text[i];
    }
  }
  return true;
}

}  // namespace

Result<Properties> Properties::parse(std::string_view text, std::string file) {
  Properties properties;
  properties.file_ = std::move(file);
  if (text.starts_with("\xef\xbb\xbf")) text.remove_prefix(3);
  int number = 0;
  while (!text.empty()) {
    int first_line = ++number;
    std::string_view line = without_leading_blanks(next_line(text));
    if (line.empty() || line.front() == '#' || line.front() == '!') continue;
    std::string logical(line);
    while (ends_with_escape(logical)) {
      logical.pop_back();
      if (text.empty()) break;
      ++number;
      logical += without_leading_blanks(next_line(text));
    }
    size_t key_end = 0;
    while (key_end < logical.size() && logical[key_end] != '=' && logical[key_end] != ':' &&
           !is_blank(logical[key_end])) {
      key_end += logical[key_end] == '\\' ? 2 : 1;
    }
    key_end = std::min(key_end, logical.size());
    std::string_view rest = without_leading_blanks(std::string_view(logical).substr(key_end));
    if (!rest.empty() && (rest.front() == '=' || rest.front() == ':'))
      rest = without_leading_blanks(rest.substr(1));
    std::string key;
    std::string value;
    if (!unescape(std::string_view(logical).substr(0, key_end), key) || !unescape(rest, value)) {
      return Error(Errc::bad_setting,
                   properties.file_ + ":" + std::to_string(first_line) +
                       ": a \\u that is not followed by four hexadecimal digits");
    }
    properties.set(std::move(key), std::move(value), first_line);
  }
  return properties;
}

Result<Properties> Properties::read(fs::FileSystem& file_system, const std::string& path) {
  auto text = file_system.read_file(path, kMaxFile);
  if (!text) return text.error();
  return parse(*text, path);
}

Result<void> Properties::add_override(std::string_view assignment) {
  size_t sign = assignment.find('=');
  if (sign == 0 || sign == std::string_view::npos) {
    return Error(Errc::bad_setting,
                 "--override " + std::string(assignment) + ": expected property=value");
  }
  set(std::string(assignment.substr(0, sign)), std::string(assignment.substr(sign + 1)));
  return {};
}

void Properties::set(std::string key, std::string value, int line, std::string origin) {
  auto [at, added] = places_.emplace(key, entries_.size());
  if (added) {
    entries_.push_back({std::move(key), std::move(value), line, std::move(origin)});
    return;
  }
  Property& entry = entries_[at->second];
  entry.value = std::move(value);
  entry.line = line;
  entry.origin = std::move(origin);
}

const Property* Properties::find(std::string_view key) const {
  auto at = places_.find(key);
  return at == places_.end() ? nullptr : &entries_[at->second];
}

std::string Properties::place(const Property& property) const {
  if (property.line > 0) return file_ + ":" + std::to_string(property.line);
  return property.origin.empty() ? "--override" : property.origin;
}

}  // namespace odradek::config
