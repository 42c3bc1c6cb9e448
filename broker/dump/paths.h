#pragma once
// What the tool takes from a file's name, and the order in which Kafka's maps list files.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "common/fs/file_system.h"
#include "common/result.h"

namespace odradek::broker::dump {

// "a/b.c" -> "b.c".
std::string_view file_name(std::string_view path);
// From the last dot of the name on, the dot with it. The official tool ends where there is none.
Result<std::string> suffix_of(std::string_view path);
// The number in front of the first dot of the name, 0 and negative ones as well.
Result<int64_t> offset_in_name(std::string_view path);
// The path, the working directory in front where it is not absolute; nothing is resolved.
std::string absolute(std::string_view path);
// The file of the same segment with another suffix, as an absolute path.
std::string sibling(std::string_view path, std::string_view suffix);

// Opens a file to read it. Where it is absent: Java's exception with the path.
Result<std::shared_ptr<fs::File>> open_to_read(fs::FileSystem& files, const std::string& path);

// The indices of `hashes` (Java's hash codes, in order of insertion) in the order in which a mutable
// map or set of Scala 2.13 lists them. `table_size` is the size of its table, a power of two.
std::vector<size_t> hash_table_order(const std::vector<int32_t>& hashes, size_t table_size);
// The table's size after `count` elements were added one by one.
size_t hash_table_size(size_t count);

}  // namespace odradek::broker::dump
