#pragma once
// make_durable_dirs: a folder with its parents, each new name of them on the disk when it returns:
// without that a power loss would take all that is below it.

#include <string>

#include "common/fs/file_system.h"

namespace odradek::fs {

// Nothing happens where the folder is there. Errors as of FileSystem's make_dirs and sync_dir.
Result<void> make_durable_dirs(FileSystem& files, const std::string& path);

}  // namespace odradek::fs
