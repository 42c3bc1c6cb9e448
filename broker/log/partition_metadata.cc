#include "broker/log/partition_metadata.h"

#include "common/format.h"

namespace odradek::broker::log {
namespace {

// The value of "NAME: VALUE" in one of the lines.
std::optional<std::string_view> value_of(std::string_view text, std::string_view name) {
  while (!text.empty()) {
    size_t end = text.find('\n');
    std::string_view line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.starts_with(name) && line.substr(name.size()).starts_with(": "))
      return line.substr(name.size() + 2);
  }
  return std::nullopt;
}

}  // namespace

std::string partition_metadata_path(const std::string& directory) {
  return directory + "/partition.metadata";
}

Result<std::optional<Uuid>> read_partition_metadata(fs::FileSystem& files,
                                                    const std::string& directory) {
  Result<Bytes> bytes = files.read_file(partition_metadata_path(directory), 4096);
  if (!bytes) {
    if (bytes.error().code() == Errc::not_found) return std::optional<Uuid>();
    return bytes.error();
  }
  if (bytes->empty()) return std::optional<Uuid>();
  std::optional<std::string_view> version = value_of(*bytes, "version");
  std::optional<std::string_view> topic_id = value_of(*bytes, "topic_id");
  std::optional<Uuid> id = topic_id ? Uuid::parse(*topic_id) : std::nullopt;
  if (!version || *version != "0" || !id) {
    return Error(Errc::malformed,
                 format("{} does not say 'version: 0' and 'topic_id: ID'. Restore the file, or "
                        "remove it if the topic is this one, and start the broker again",
                        partition_metadata_path(directory)));
  }
  return id->is_zero() ? std::optional<Uuid>() : id;
}

Result<void> write_partition_metadata(fs::FileSystem& files, const std::string& directory,
                                      const Uuid& topic_id) {
  return files.write_file_atomically(partition_metadata_path(directory),
                                     format("version: 0\ntopic_id: {}", topic_id.to_string()),
                                     fs::Durability::lazy);
}

}  // namespace odradek::broker::log
