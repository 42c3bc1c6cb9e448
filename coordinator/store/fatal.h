#pragma once
// The end of the process where the tree on disk cannot be trusted any more: one line, exit code 1,
// nothing is tried again.

#include <string>

namespace odradek::coordinator::store {

[[noreturn]] void fatal(const std::string& what);

}  // namespace odradek::coordinator::store
