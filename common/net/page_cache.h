#pragma once
// Keeps reads from the disk off the shards: a range that is about to be sent is looked up in the
// page cache, and read into it on a background thread where it is not there.

#include <boost/asio/awaitable.hpp>
#include <cstddef>
#include <cstdint>
#include <memory>

namespace odradek::fs {
class File;
}
namespace odradek::runtime {
class Background;
}

namespace odradek::net {

// True where samples of the range can be read without waiting for the disk. A file system that
// cannot tell counts as cached.
bool is_cached(int fd, int64_t position, size_t size);

// Reads the range on a background thread; returns on the caller's executor. Errors are left to
// whoever reads next.
boost::asio::awaitable<void> read_ahead(runtime::Background& background,
                                        std::shared_ptr<fs::File> file, int64_t position,
                                        size_t size);

}  // namespace odradek::net
