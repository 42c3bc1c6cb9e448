#pragma once
// kafka-dump-log's command line.

#include "broker/dump/output.h"
#include "common/fs/file_system.h"

namespace odradek::broker::dump {

// False: the process has to end with status 1; why is printed. A command line that is refused, --help and
// --version end it at once.
bool run(int argc, char** argv, fs::FileSystem& files, Output& output);

}  // namespace odradek::broker::dump
