#include "broker/log/meta_properties.h"

#include <charconv>
#include <ctime>
#include <map>

#include "common/format.h"
#include "common/log/log.h"

namespace odradek::broker::log {
namespace {

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t' || text.back() == '\r'))
    text.remove_suffix(1);
  return text;
}

// Java writes "key=value" with backslashes in front of what could be misread.
std::string unescaped(std::string_view text) {
  std::string result;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\' && i + 1 < text.size()) ++i;
    result += text[i];
  }
  return result;
}

std::map<std::string, std::string> parse(std::string_view text) {
  std::map<std::string, std::string> values;
  while (!text.empty()) {
    size_t end = text.find('\n');
    std::string_view line = trimmed(text.substr(0, end));
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    if (line.empty() || line[0] == '#' || line[0] == '!') continue;
    size_t separator = line.find_first_of("=:");
    if (separator == std::string_view::npos) continue;
    values[std::string(trimmed(line.substr(0, separator)))] =
        unescaped(trimmed(line.substr(separator + 1)));
  }
  return values;
}

}  // namespace

Result<std::optional<MetaProperties>> read_meta_properties(fs::FileSystem& files,
                                                           const std::string& directory) {
  const std::string path = directory + "/meta.properties";
  Result<Bytes> bytes = files.read_file(path, 65536);
  if (!bytes) {
    if (bytes.error().code() == Errc::not_found) return std::optional<MetaProperties>();
    return bytes.error();
  }
  std::map<std::string, std::string> values = parse(*bytes);
  const std::string version = values.contains("version") ? values["version"] : "";
  if (version != "0" && version != "1") {
    return Error(Errc::malformed, format("{}: version is '{}', expected 0 or 1. Restore the "
                                         "file, or remove it if the directory is this broker's",
                                         path, version));
  }
  MetaProperties properties;
  const char* key = version == "0" ? "broker.id" : "node.id";
  if (auto found = values.find(key); found != values.end()) {
    const std::string& text = found->second;
    int32_t id = 0;
    auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), id);
    if (error != std::errc() || end != text.data() + text.size() || id < 0) {
      return Error(Errc::malformed,
                   format("{}: {} is '{}', expected a number of 0 or more. Restore the file, or "
                          "remove it if the directory is this broker's",
                          path, key, text));
    }
    properties.broker_id = BrokerId(id);
  }
  properties.cluster_id = values["cluster.id"];
  return std::optional<MetaProperties>(properties);
}

Result<void> write_meta_properties(fs::FileSystem& files, const std::string& directory,
                                   const MetaProperties& properties, int64_t now_ms) {
  std::time_t seconds = now_ms / 1000;
  std::tm date{};
  gmtime_r(&seconds, &date);
  char when[64];
  std::strftime(when, sizeof when, "%a %b %d %H:%M:%S UTC %Y", &date);
  std::string text = format("#\n#{}\n", std::string_view(when));
  if (properties.broker_id) text += format("broker.id={}\n", properties.broker_id->value());
  text += "version=0\n";
  if (!properties.cluster_id.empty()) text += format("cluster.id={}\n", properties.cluster_id);
  return files.write_file_atomically(directory + "/meta.properties", text, fs::Durability::full);
}

Result<Uuid> directory_identity(fs::FileSystem& files, const std::string& directory) {
  const std::string path = directory + "/.odradek_directory_id";
  Result<Bytes> bytes = files.read_file(path, 4096);
  if (bytes) {
    if (std::optional<Uuid> id =
            Uuid::parse(trimmed(std::string_view(*bytes).substr(0, bytes->find('\n'))))) {
      return *id;
    }
    LOG_WARN("server", "{} does not hold an id: the directory gets a new one", path);
  } else if (bytes.error().code() != Errc::not_found) {
    return bytes.error();
  }
  Uuid id = Uuid::random();
  Result<void> written =
      files.write_file_atomically(path, id.to_string() + "\n", fs::Durability::full);
  if (!written) return written.error();
  return id;
}

}  // namespace odradek::broker::log
