#pragma once
// memory_folder: an empty folder for one test, in memory where the machine has room for that. For
// tests of real files that ask what stands in them, not whether it outlives the power.

#include <stdlib.h>

#include <filesystem>
#include <string>
#include <system_error>

namespace odradek {

// "/dev/shm/odradek-<name>-XXXXXX". The test removes it.
inline std::string memory_folder(const std::string& name) {
  constexpr uintmax_t kRoom = 1u << 30;
  std::filesystem::path base = "/dev/shm";
  std::error_code error;
  auto space = std::filesystem::space(base, error);
  if (error || space.available < kRoom) base = std::filesystem::temp_directory_path();
  std::string pattern = (base / ("odradek-" + name + "-XXXXXX")).string();
  return mkdtemp(pattern.data());
}

}  // namespace odradek
