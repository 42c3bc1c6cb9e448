#include "broker/log/checkpoint.h"

#include <charconv>

#include "common/format.h"

namespace odradek::broker::log {
namespace {

constexpr size_t kMaxFileSize = 256 << 20;

template <typename T>
bool to_number(std::string_view text, T& value) {
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size() && !text.empty();
}

}  // namespace

Result<Offsets> read_checkpoint(fs::FileSystem& files, const std::string& path) {
  Result<Bytes> bytes = files.read_file(path, kMaxFileSize);
  if (!bytes) {
    if (bytes.error().code() == Errc::not_found) return Offsets();
    return bytes.error();
  }
  std::string_view text = *bytes;
  size_t number = 0;
  auto damaged = [&](std::string_view what) {
    return Error(Errc::malformed, format("{}, line {}: {}", path, number, what));
  };
  auto take_line = [&](std::string_view& line) {
    if (text.empty()) return false;
    size_t end = text.find('\n');
    line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    if (line.ends_with('\r')) line.remove_suffix(1);
    ++number;
    return true;
  };
  std::string_view line;
  int64_t version = -1, count = -1;
  if (!take_line(line)) return Offsets();  // an empty file: nothing was ever written
  if (!to_number(line, version) || version != 0) return damaged("expected version 0");
  if (!take_line(line) || !to_number(line, count) || count < 0)
    return damaged("expected the number of lines");
  Offsets offsets;
  while (take_line(line)) {
    size_t last = line.find_last_of(' ');
    size_t first =
        last == std::string_view::npos || last == 0 ? last : line.find_last_of(' ', last - 1);
    int32_t partition = 0;
    int64_t offset = 0;
    if (last == std::string_view::npos || first == std::string_view::npos || first == last ||
        first == 0 || !to_number(line.substr(first + 1, last - first - 1), partition) ||
        !to_number(line.substr(last + 1), offset)) {
      return damaged("expected TOPIC PARTITION OFFSET");
    }
    offsets[{std::string(line.substr(0, first)), PartitionId(partition)}] = Offset(offset);
    --count;
  }
  if (count != 0) return damaged("the number of lines is not the one that is promised");
  return offsets;
}

Result<void> write_checkpoint_file(fs::FileSystem& files, const std::string& path,
                                   const Offsets& offsets) {
  std::string text = format("0\n{}\n", offsets.size());
  for (const auto& [id, offset] : offsets) {
    text += format("{} {} {}\n", id.topic, id.partition.value(), offset.value());
  }
  return files.write_file_atomically(path, text, fs::Durability::full);
}

}  // namespace odradek::broker::log
