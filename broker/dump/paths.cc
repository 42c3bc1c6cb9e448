#include "broker/dump/paths.h"

#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <numeric>

#include "broker/dump/output.h"
#include "common/format.h"

namespace odradek::broker::dump {

std::string_view file_name(std::string_view path) {
  size_t slash = path.rfind('/');
  return slash == std::string_view::npos ? path : path.substr(slash + 1);
}

Result<std::string> suffix_of(std::string_view path) {
  std::string_view name = file_name(path);
  size_t dot = name.rfind('.');
  if (dot == std::string_view::npos) {
    return exception("java.lang.StringIndexOutOfBoundsException",
                     format("begin -1, end {}, length {}", name.size(), name.size()));
  }
  return std::string(name.substr(dot));
}

Result<int64_t> offset_in_name(std::string_view path) {
  std::string_view name = file_name(path);
  std::string_view digits = name.substr(0, name.find('.'));
  std::string_view number = digits.starts_with('+') ? digits.substr(1) : digits;
  int64_t value = 0;
  auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), value);
  if (number.empty() || error != std::errc() || end != number.data() + number.size()) {
    return exception("java.lang.NumberFormatException",
                     format("For input string: \"{}\"", digits));
  }
  return value;
}

std::string absolute(std::string_view path) {
  if (path.starts_with('/')) return std::string(path);
  char directory[4096];
  if (!::getcwd(directory, sizeof directory)) return std::string(path);
  return std::string(directory) + "/" + std::string(path);
}

std::string sibling(std::string_view path, std::string_view suffix) {
  std::string full = absolute(path);
  std::string_view name = file_name(full);
  std::string_view base = name.substr(0, name.find('.'));
  return full.substr(0, full.size() - name.size()) + std::string(base) + std::string(suffix);
}

Result<std::shared_ptr<fs::File>> open_to_read(fs::FileSystem& files, const std::string& path) {
  Result<std::shared_ptr<fs::File>> file = files.open(path, fs::OpenMode::read);
  if (file) return file;
  switch (file.error().code()) {
    case Errc::not_found:
      return exception("java.nio.file.NoSuchFileException", path);
    case Errc::permission_denied:
      return exception("java.nio.file.AccessDeniedException", path);
    default:
      return io_exception(file.error());
  }
}

std::vector<size_t> hash_table_order(const std::vector<int32_t>& hashes, size_t table_size) {
  auto improved = [&](size_t i) {
    uint32_t hash = static_cast<uint32_t>(hashes[i]);
    return static_cast<int32_t>(hash ^ (hash >> 16));
  };
  std::vector<size_t> order(hashes.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](size_t left, size_t right) {
    uint32_t mask = static_cast<uint32_t>(table_size - 1);
    uint32_t left_slot = static_cast<uint32_t>(improved(left)) & mask;
    uint32_t right_slot = static_cast<uint32_t>(improved(right)) & mask;
    if (left_slot != right_slot) return left_slot < right_slot;
    return improved(left) < improved(right);  // a slot's chain is kept sorted
  });
  return order;
}

size_t hash_table_size(size_t count) {
  size_t size = 16;
  while (count >= size / 4 * 3) size *= 2;
  return size;
}

}  // namespace odradek::broker::dump
