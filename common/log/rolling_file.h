#pragma once
// RollingFile: a log file that is moved aside when it has grown: NAME becomes NAME.1, that one NAME.2,
// and the oldest goes, as logback's fixed windows do. Not thread-safe.

#include <cstdio>
#include <string>
#include <string_view>

namespace odradek {

class RollingFile {
 public:
  // Appends to what is there. A file that cannot be opened takes no lines.
  RollingFile(std::string path, size_t max_bytes, int kept_files);
  ~RollingFile();
  RollingFile(const RollingFile&) = delete;
  RollingFile& operator=(const RollingFile&) = delete;

  void write(std::string_view line);
  void flush();

 private:
  void open();
  void roll();

  const std::string path_;
  const size_t max_bytes_;
  const int kept_files_;
  std::FILE* file_ = nullptr;
  size_t size_ = 0;
};

}  // namespace odradek
