#include "coordinator/store/commit_mark.h"

#include <charconv>

#include "common/bytes/crc32c.h"
#include "common/format.h"
#include "common/log/log.h"
#include "coordinator/store/rocks_error.h"

namespace odradek::coordinator::store {

namespace {

constexpr size_t kMaxSize = 1024;

std::string text_of(uint64_t commits) {
  std::string text = format("odradek 1\ncommits {}\n", commits);
  return text + format("crc32c {:08x}\n", crc32c(text));
}

// Only what text_of makes is right: so it is read by making it again.
std::optional<uint64_t> parse(std::string_view text) {
  constexpr std::string_view kBefore = "odradek 1\ncommits ";
  uint64_t commits = 0;
  if (!text.starts_with(kBefore)) return std::nullopt;
  std::string_view rest = text.substr(kBefore.size());
  auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), commits);
  if (error != std::errc() || text != text_of(commits)) return std::nullopt;
  return commits;
}

}  // namespace

std::string commit_mark_path(const std::string& directory) { return directory + "/COMMITS"; }

Result<std::optional<uint64_t>> read_commit_mark(fs::FileSystem& files,
                                                 const std::string& directory) {
  Result<Bytes> text = files.read_file(commit_mark_path(directory), kMaxSize);
  if (!text) {
    if (text.error().code() == Errc::not_found) return std::optional<uint64_t>();
    if (text.error().code() != Errc::limit_exceeded) return text.error();
  }
  std::optional<uint64_t> commits = text ? parse(*text) : std::nullopt;
  if (!commits) {
    LOG_WARN("zookeeper",
             "{} is damaged and is written anew; what it would have told cannot be checked",
             commit_mark_path(directory));
  }
  return commits;
}

Result<void> write_commit_mark(fs::FileSystem& files, const std::string& directory,
                               uint64_t commits) {
  Result<void> written = files.write_file_atomically(commit_mark_path(directory), text_of(commits),
                                                     fs::Durability::old_or_new);
  if (!written && written.error().code() == Errc::disk_full) return no_room(directory);
  return written;
}

}  // namespace odradek::coordinator::store
