#include "coordinator/tree/path.h"

namespace odradek::coordinator::tree {

namespace {

// The next code point of UTF-8 text; a byte that belongs to none stands for U+FFFD, which no path
// may hold.
uint32_t next_code_point(std::string_view text, size_t& at) {
  auto byte = [&](size_t i) { return static_cast<uint8_t>(text[i]); };
  uint8_t first = byte(at++);
  if (first < 0x80) return first;
  int more = first >= 0xf0 && first < 0xf8   ? 3
             : first >= 0xe0 && first < 0xf0 ? 2
             : first >= 0xc0 && first < 0xe0 ? 1
                                             : 0;
  if (more == 0 || at + static_cast<size_t>(more) > text.size()) return 0xfffd;
  uint32_t point = first & (0x3f >> more);
  for (int i = 0; i < more; ++i) {
    uint8_t next = byte(at);
    if ((next & 0xc0) != 0x80) return 0xfffd;
    point = point << 6 | (next & 0x3f);
    ++at;
  }
  return point;
}

// Beyond U+FFFF a path is two surrogates to ZooKeeper, and those are refused.
bool forbidden(uint32_t point) {
  return point <= 0x1f || (point >= 0x7f && point <= 0x9f) ||
         (point >= 0xd800 && point <= 0xf8ff) || point >= 0xfff0;
}

Error bad(std::string_view path, const char* why) {
  return Error(Errc::bad_path, "path \"" + std::string(path.substr(0, 200)) + "\": " + why);
}

}  // namespace

Result<void> validate_path(std::string_view path) {
  if (path.empty()) return bad(path, "empty");
  if (path[0] != '/') return bad(path, "does not begin with /");
  if (path.size() == 1) return {};
  if (path.back() == '/') return bad(path, "ends with /");
  size_t depth = 0;
  for (size_t begin = 1; begin <= path.size();) {
    size_t end = path.find('/', begin);
    if (end == std::string_view::npos) end = path.size();
    std::string_view component = path.substr(begin, end - begin);
    if (component.empty()) return bad(path, "empty component");
    if (component == "." || component == "..") return bad(path, "relative component");
    if (++depth > 0xffff) return bad(path, "too deep");
    begin = end + 1;
  }
  for (size_t at = 0; at < path.size();) {
    if (forbidden(next_code_point(path, at))) return bad(path, "forbidden character");
  }
  return {};
}

std::string_view parent_of(std::string_view path) {
  size_t slash = path.rfind('/');
  if (slash == std::string_view::npos || path.size() == 1) return {};
  return slash == 0 ? path.substr(0, 1) : path.substr(0, slash);
}

std::string_view name_of_path(std::string_view path) {
  size_t slash = path.rfind('/');
  return slash == std::string_view::npos ? path : path.substr(slash + 1);
}

std::string join_path(std::string_view parent, std::string_view name) {
  std::string path(parent == "/" ? std::string_view() : parent);
  path += '/';
  path += name;
  return path;
}

size_t depth_of(std::string_view path) {
  if (path.size() <= 1) return 0;
  size_t depth = 0;
  for (char c : path) depth += c == '/';
  return depth;
}

bool is_at_or_below(std::string_view path, std::string_view root) {
  if (root == "/" || root.empty()) return true;
  return path.starts_with(root) && (path.size() == root.size() || path[root.size()] == '/');
}

bool is_special_path(std::string_view path) {
  return path == "/" || path == "/zookeeper" || path == "/zookeeper/quota" ||
         path == "/zookeeper/config";
}

}  // namespace odradek::coordinator::tree
