#pragma once
// Exceptions where they cross to our side: our code speaks in Results, libraries and the allocator
// throw.

#include <exception>

#include "common/error.h"

namespace odradek::runtime {

// The error that stands for what was thrown: cancelled where a wait was ended (Asio's
// operation_aborted), else internal.
Error error_of(const std::exception_ptr& thrown);

}  // namespace odradek::runtime
