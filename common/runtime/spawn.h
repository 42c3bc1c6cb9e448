#pragma once
// spawn: a coroutine on an owner that nobody awaits.

#include "common/runtime/executor.h"

namespace odradek::runtime {

// `what` names the work in the log; it is a literal. Our code throws nowhere on an owner: an
// exception that escapes from here is a broken invariant, as one out of a Shards handler is.
// Whoever waits for the work's effect would wait for ever, so the process ends with a log line. A
// coroutine whose wait was cancelled just ends. Work with a better answer to an exception catches
// it itself.
void spawn(Executor owner, awaitable<void> work, const char* what);

}  // namespace odradek::runtime
