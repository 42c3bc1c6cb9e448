#pragma once
// Stores of RocksDB on a disk in memory: what they hold, and what the disk holds of them.

#include <gtest/gtest.h>

#include <map>
#include <stdexcept>
#include <string>

#include "coordinator/store/fatal.h"
#include "coordinator/store/layout.h"
#include "coordinator/store/rocks_store.h"
#include "tests/support/coordinator/rocks_files.h"
#include "tests/support/faulty_file_system.h"

namespace odradek::coordinator::store {

inline constexpr const char* kStorePath = "/data/odradek";

// By key; without what each start and each commit of RocksStore writes by itself.
using Content = std::map<std::string, std::string>;

inline void apply_batch(const Batch& batch, Content& content) {
  for (const Batch::Entry& entry : batch.entries) {
    if (entry.value) {
      content[entry.key] = *entry.value;
    } else {
      content.erase(entry.key);
    }
  }
}

inline Content content_of(const Snapshot& snapshot) {
  Content content;
  snapshot.scan("", [&](std::string_view key, std::string_view value) {
    if (key != fence_key() && key != chain_key()) content.emplace(key, value);
    return true;
  });
  return content;
}

// The names and bytes of all files of a directory: a picture of the disk at one moment.
using Image = std::map<std::string, Bytes>;

inline Image image_of(fs::FileSystem& files) {
  Image image;
  const auto entries = files.list(kStorePath);
  for (const fs::DirEntry& entry : *entries) {
    if (entry.is_directory || entry.name == "LOCK") continue;
    image[entry.name] = *files.read_file(std::string(kStorePath) + "/" + entry.name, 64 << 20);
  }
  return image;
}

inline void lay_image(fs::FileSystem& files, const Image& image) {
  ASSERT_TRUE(files.make_dirs(kStorePath).ok());
  for (const auto& [name, bytes] : image) {
    auto file = files.open(std::string(kStorePath) + "/" + name, fs::OpenMode::create);
    ASSERT_TRUE(file.ok() && (*file)->pwrite(bytes, 0).ok());
  }
  ASSERT_TRUE(files.sync_all("/").ok());
}

// While it lives, the end of the process is an exception.
class FatalThrows {
 public:
  FatalThrows() {
    set_fatal_for_test([](const std::string& what) { throw std::runtime_error(what); });
  }
  ~FatalThrows() { set_fatal_for_test({}); }
  FatalThrows(const FatalThrows&) = delete;
};

}  // namespace odradek::coordinator::store
