#pragma once
// A java.util.Properties file: `key=value`, `key: value`, `key value`; `#` and `!` start a comment
// line; a `\` at the end of a line joins the next one; \t \n \r \f \\ and \uXXXX are understood
// anywhere. Of a key that stands there twice the last one counts. Bytes are taken as UTF-8, which
// older Kafkas took as Latin-1.

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "common/result.h"

namespace odradek::fs {
class FileSystem;
}

namespace odradek::config {

struct Property {
  std::string key;
  std::string value;  // trailing spaces are part of it
  int line = 0;       // from 1, where the entry begins; 0: it is not from a file
  std::string origin;  // of one that is not: a variable of the environment; empty: --override
};

class Properties {
 public:
  Properties() = default;
  // Only a malformed \u escape is an error: "FILE:LINE: ...". `file` is the name for messages.
  static Result<Properties> parse(std::string_view text, std::string file);
  // not_found, permission_denied ...; limit_exceeded above 1 MiB.
  static Result<Properties> read(fs::FileSystem& file_system, const std::string& path);

  // "key=value" of a command line's --override; counts more than the file's.
  Result<void> add_override(std::string_view assignment);
  void set(std::string key, std::string value, int line = 0, std::string origin = "");

  // One entry a key, in the order of their first appearance.
  const std::vector<Property>& entries() const { return entries_; }
  const Property* find(std::string_view key) const;
  const std::string& file() const { return file_; }
  // "config/server.properties:12", or "--override" or its origin for an entry that is from no file.
  std::string place(const Property& property) const;

 private:
  std::string file_;
  std::vector<Property> entries_;
  std::map<std::string, size_t, std::less<>> places_;  // of a key in entries_
};

}  // namespace odradek::config
