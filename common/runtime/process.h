#pragma once
// What a service does before its first thread, and what ends it.

#include <signal.h>

namespace odradek::runtime {

// Few heap arenas, since each keeps what it once had, and free memory goes back to the system soon.
void spare_heap();

// Blocks the signals that end the process, in this thread and in every one that it starts from
// here on: SIGTERM, SIGINT, and SIGHUP (a terminal that closes) unless it was ignored at the start,
// as nohup does. SIGPIPE is ignored: a peer that has gone is an error of the call.
sigset_t block_end_signals();

// Waits for one of them; its number.
int wait_for_end(const sigset_t& signals);

}  // namespace odradek::runtime
