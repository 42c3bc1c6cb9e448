#pragma once
// Path rules of ZooKeeper's server.

#include <string>
#include <string_view>

#include "common/result.h"

namespace odradek::coordinator::tree {

// bad_path: empty, not absolute, ending in '/', with an empty, "." or ".." component, with a
// control character or one of U+D800–F8FF, U+FFF0–FFFF, or with more than 65535 components.
Result<void> validate_path(std::string_view path);

// "/a/b" → "/a", "/a" → "/", "/" → "".
std::string_view parent_of(std::string_view path);
// "/a/b" → "b", "/" → "".
std::string_view name_of_path(std::string_view path);
// "/" + "a" → "/a"; "/a" + "b" → "/a/b".
std::string join_path(std::string_view parent, std::string_view name);
// Number of components: "/" 0, "/a" 1.
size_t depth_of(std::string_view path);
// Whether path is root itself or below it. "/a" is not below "/ab".
bool is_at_or_below(std::string_view path, std::string_view root);
// The znodes that nobody may delete: /, /zookeeper, /zookeeper/quota, /zookeeper/config.
bool is_special_path(std::string_view path);

}  // namespace odradek::coordinator::tree
