#include "coordinator/exchange/record_stream.h"

#include <algorithm>
#include <cstring>

namespace odradek::coordinator::exchange {

namespace {

constexpr size_t kWindow = 256 << 10;

class FileSource final : public compress::Source {
 public:
  explicit FileSource(std::shared_ptr<fs::File> file) : file_(std::move(file)) {}
  Result<size_t> read(char* buffer, size_t size) override {
    auto got = file_->pread(buffer, size, position_);
    if (got) position_ += *got;
    return got;
  }

 private:
  std::shared_ptr<fs::File> file_;
  uint64_t position_ = 0;
};

}  // namespace

Result<std::unique_ptr<compress::Source>> open_source(fs::FileSystem& files,
                                                      const std::string& path) {
  auto file = files.open(path, fs::OpenMode::read);
  if (!file) return file.error();
  std::unique_ptr<compress::Source> source = std::make_unique<FileSource>(*std::move(file));
  if (path.ends_with(".gz")) source = compress::gzip_source(std::move(source));
  if (path.ends_with(".snappy")) source = compress::snappy_source(std::move(source));
  return source;
}

RecordStream::RecordStream(std::unique_ptr<compress::Source> source, std::string name)
    : source_(std::move(source)), name_(std::move(name)) {}

Result<ByteView> RecordStream::peek(size_t size) {
  while (window().size() < size) {
    auto more = grow();
    if (!more) return more.error();
    if (!*more) break;
  }
  return window();
}

void RecordStream::take(size_t size) {
  size = std::min(size, end_ - at_);
  checksum_ = adler32(window().substr(0, size), checksum_);
  at_ += size;
  offset_ += size;
}

Result<bool> RecordStream::grow() {
  size_t held = end_ - at_;
  if (ended_ || held >= kMaxRecord) return false;
  if (at_ > 0) {
    std::memmove(buffer_.data(), buffer_.data() + at_, held);
    at_ = 0;
    end_ = held;
  }
  if (end_ == buffer_.size()) buffer_.resize(std::max(kWindow, 2 * buffer_.size()));
  // a large record passed: its window is not kept
  if (held < kWindow / 2 && buffer_.size() > 8 * kWindow) {
    buffer_.resize(kWindow);
    buffer_.shrink_to_fit();
  }
  auto got = source_->read(buffer_.data() + end_, buffer_.size() - end_);
  if (!got) return Error(got.error().code(), odradek::format("{}: {}", name_, got.error().what()));
  ended_ = *got == 0;
  end_ += *got;
  return !ended_;
}

Error RecordStream::damaged(std::string_view what) const {
  return Error(Errc::malformed, odradek::format("{} at offset {}: {}", name_, offset_, what));
}

}  // namespace odradek::coordinator::exchange
