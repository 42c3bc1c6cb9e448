#include "common/fs/durable_dirs.h"

#include <vector>

namespace odradek::fs {

Result<void> make_durable_dirs(FileSystem& files, const std::string& path) {
  std::vector<std::string> holders;  // of new names, the deepest first
  for (std::string at = path; !files.exists(at); at = holders.back()) {
    holders.push_back(parent_of(at));
    if (holders.back() == at) break;
  }
  if (holders.empty()) return {};
  Result<void> made = files.make_dirs(path);
  for (size_t i = holders.size(); made && i-- > 0;) made = files.sync_dir(holders[i]);
  return made;
}

}  // namespace odradek::fs
