#include "common/log/rolling_file.h"

namespace odradek {

RollingFile::RollingFile(std::string path, size_t max_bytes, int kept_files)
    : path_(std::move(path)), max_bytes_(max_bytes), kept_files_(kept_files) {
  open();
}

RollingFile::~RollingFile() {
  if (file_ != nullptr) std::fclose(file_);
}

void RollingFile::open() {
  file_ = std::fopen(path_.c_str(), "ae");
  size_ = 0;
  if (file_ == nullptr) return;
  std::fseek(file_, 0, SEEK_END);
  if (long at = std::ftell(file_); at > 0) size_ = static_cast<size_t>(at);
}

void RollingFile::roll() {
  if (file_ != nullptr) std::fclose(file_);
  auto name = [&](int number) { return path_ + "." + std::to_string(number); };
  for (int number = kept_files_ - 1; number >= 1; --number) {
    std::rename(name(number).c_str(), name(number + 1).c_str());
  }
  std::rename(path_.c_str(), name(1).c_str());
  open();
}

void RollingFile::write(std::string_view line) {
  if (size_ > 0 && size_ + line.size() > max_bytes_) roll();
  if (file_ == nullptr) return;
  size_ += std::fwrite(line.data(), 1, line.size(), file_);
}

void RollingFile::flush() {
  if (file_ != nullptr) std::fflush(file_);
}

}  // namespace odradek
