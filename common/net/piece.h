#pragma once
// What a connection sends: bytes in memory, or a range of a file that is kept open until it is
// sent.

#include <cstdint>
#include <memory>
#include <variant>
#include <vector>

#include "common/bytes/byte_writer.h"

namespace odradek::fs {
class File;
}

namespace odradek::net {

struct FileRange {
  std::shared_ptr<fs::File> file;
  int64_t position = 0;
  size_t size = 0;
};

using Piece = std::variant<Bytes, FileRange>;

}  // namespace odradek::net
