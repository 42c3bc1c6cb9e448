#pragma once
// Source: bytes that come in order, a piece at a time; and sources that decompress another one on
// the way, so that a file of any size takes the same memory. One thread.

#include <cstddef>
#include <memory>

#include "common/result.h"

namespace odradek::compress {

class Source {
 public:
  virtual ~Source() = default;
  // Up to `size` bytes, at least one; 0 is the end. After an error it is not asked again.
  virtual Result<size_t> read(char* buffer, size_t size) = 0;
};

// gzip members, one behind another. bad_compression where they are damaged or end early.
std::unique_ptr<Source> gzip_source(std::unique_ptr<Source> compressed);

// The xerial stream (snappy.cc has its layout) in blocks of at most 64 MiB. bad_compression
// likewise; one that ends between two blocks is whole as far as anybody can tell.
std::unique_ptr<Source> snappy_source(std::unique_ptr<Source> compressed);

}  // namespace odradek::compress
