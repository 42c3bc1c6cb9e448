#pragma once
// The end of the process where the tree on disk cannot be trusted any more: one line, exit code 1,
// nothing is tried again.

#include <functional>
#include <string>

namespace odradek::coordinator::store {

[[noreturn]] void fatal(const std::string& what);

// For tests that meet many ends in one process: called in place of the end, it has to throw. Empty:
// the process ends again.
void set_fatal_for_test(std::function<void(const std::string&)> instead);

}  // namespace odradek::coordinator::store
