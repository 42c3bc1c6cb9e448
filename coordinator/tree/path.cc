#include "coordinator/tree/path.h"

#include "common/bytes/utf8.h"

namespace odradek::coordinator::tree {

namespace {

// Beyond U+FFFF a path is two surrogates to ZooKeeper, and those are refused; what is malformed is
// U+FFFD.
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
    if (forbidden(next_character(path, at))) return bad(path, "forbidden character");
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
