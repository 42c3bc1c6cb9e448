#include "common/net/page_cache.h"

#include <sys/uio.h>

#include <algorithm>
#include <vector>

#include "common/fs/file_system.h"
#include "common/runtime/background.h"

namespace odradek::net {

namespace {
constexpr int64_t kSampleStepBytes = 128 * 1024;  // the kernel's usual read-ahead

bool page_is_cached(int fd, int64_t position) {
  char byte;
  iovec vector{&byte, 1};
  // EAGAIN: the page would have to come from the disk. Other errors show themselves when the range
  // is sent.
  return ::preadv2(fd, &vector, 1, position, RWF_NOWAIT) >= 0 || errno != EAGAIN;
}
}  // namespace

bool is_cached(int fd, int64_t position, size_t size) {
  int64_t end = position + static_cast<int64_t>(size);
  for (int64_t at = position; at < end; at += kSampleStepBytes) {
    if (!page_is_cached(fd, at)) return false;
  }
  return size == 0 || page_is_cached(fd, end - 1);
}

boost::asio::awaitable<void> read_ahead(runtime::Background& background,
                                        std::shared_ptr<fs::File> file, int64_t position,
                                        size_t size) {
  auto read = [file = std::move(file), position, size] {
    std::vector<char> sink(std::min<size_t>(size, 256 * 1024));
    for (size_t done = 0; done < size;) {
      size_t part = std::min(sink.size(), size - done);
      auto got = file->pread(sink.data(), part, static_cast<uint64_t>(position) + done);
      if (!got || *got == 0) return;
      done += *got;
    }
  };
  co_await background.run(std::move(read));
}

}  // namespace odradek::net
