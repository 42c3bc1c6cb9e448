#include "broker/log/leader_epoch_cache.h"

#include <algorithm>
#include <charconv>

#include "common/format.h"

namespace odradek::broker::log {
namespace {

constexpr size_t kMaxFileSize = 16 << 20;

// The next line of `text`, which loses it; false at the end.
bool take_line(std::string_view& text, std::string_view& line) {
  if (text.empty()) return false;
  size_t end = text.find('\n');
  line = text.substr(0, end);
  text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  if (line.ends_with('\r')) line.remove_suffix(1);
  return true;
}

template <typename T>
bool to_number(std::string_view text, T& value) {
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size() && !text.empty();
}

}  // namespace

Result<void> LeaderEpochCache::load() {
  entries_.clear();
  Result<Bytes> bytes = files_->read_file(path_, kMaxFileSize);
  if (!bytes) {
    if (bytes.error().code() == Errc::not_found) return {};
    return bytes.error();
  }
  auto damaged = [&](std::string_view why) {
    entries_.clear();
    return Error(Errc::malformed, format("{} is damaged: {}", path_, why));
  };
  std::string_view text = *bytes, line;
  int64_t version = 0, count = 0;
  if (!take_line(text, line) || !to_number(line, version)) return damaged("no version line");
  if (version != 0) return damaged(format("version {}", version));
  if (!take_line(text, line) || !to_number(line, count) || count < 0)
    return damaged("no count line");
  while (take_line(text, line)) {
    size_t space = line.find(' ');
    int32_t epoch = 0;
    int64_t offset = 0;
    if (space == std::string_view::npos || !to_number(line.substr(0, space), epoch) ||
        !to_number(line.substr(space + 1), offset) || epoch < 0 || offset < 0) {
      return damaged(format("line '{}'", line));
    }
    assign_in_memory(LeaderEpoch(epoch), Offset(offset));
    --count;
  }
  // a crash may have torn the last number
  if (!bytes->ends_with('\n')) return damaged("it ends within a line");
  if (count != 0) return damaged("the number of lines is not the count");
  dirty_ = false;
  return {};
}

bool LeaderEpochCache::assign_in_memory(LeaderEpoch epoch, Offset start_offset) {
  if (epoch.value() < 0) return false;
  if (!entries_.empty() && entries_.back().epoch == epoch) return false;
  while (!entries_.empty() &&
         (entries_.back().epoch >= epoch || entries_.back().start_offset >= start_offset)) {
    entries_.pop_back();
  }
  if (!entries_.empty() && entries_.back().epoch == epoch) return true;
  entries_.push_back({epoch, start_offset});
  return true;
}

Result<void> LeaderEpochCache::assign(LeaderEpoch epoch, Offset start_offset) {
  if (!assign_in_memory(epoch, start_offset)) return write_left();
  return write();
}

Result<void> LeaderEpochCache::write() {
  std::string text = format("0\n{}\n", entries_.size());
  for (const EpochEntry& entry : entries_) {
    text += format("{} {}\n", entry.epoch.value(), entry.start_offset.value());
  }
  dirty_ = true;
  Result<void> written = files_->write_file_atomically(path_, text, fs::Durability::lazy);
  unwritten_ = !written.ok();
  return written;
}

std::optional<LeaderEpoch> LeaderEpochCache::epoch_at(Offset offset) const {
  auto above = std::upper_bound(
      entries_.begin(), entries_.end(), offset,
      [](Offset wanted, const EpochEntry& entry) { return wanted < entry.start_offset; });
  if (above == entries_.begin()) return std::nullopt;
  return std::prev(above)->epoch;
}

EpochEndOffset LeaderEpochCache::end_offset_for(LeaderEpoch epoch, Offset log_end_offset) const {
  if (epoch.value() < 0 || entries_.empty()) return {};
  if (entries_.back().epoch == epoch) return {epoch, log_end_offset};
  auto higher = std::upper_bound(
      entries_.begin(), entries_.end(), epoch,
      [](LeaderEpoch wanted, const EpochEntry& entry) { return wanted < entry.epoch; });
  if (higher == entries_.end()) return {};  // later than all that is known here
  if (higher == entries_.begin()) return {epoch, higher->start_offset};
  return {std::prev(higher)->epoch, higher->start_offset};
}

bool LeaderEpochCache::truncate_in_memory(Offset end_offset) {
  const size_t before = entries_.size();
  while (!entries_.empty() && entries_.back().start_offset >= end_offset) entries_.pop_back();
  return entries_.size() < before;
}

Result<void> LeaderEpochCache::truncate_from_end(Offset end_offset) {
  return truncate_in_memory(end_offset) ? write() : Result<void>();
}

Result<void> LeaderEpochCache::truncate_from_start(Offset start_offset) {
  size_t first = 0;  // the last entry that begins at or below the offset
  while (first + 1 < entries_.size() && entries_[first + 1].start_offset <= start_offset) ++first;
  if (entries_.empty() || entries_[first].start_offset >= start_offset) {
    if (first == 0) return {};
  }
  entries_.erase(entries_.begin(), entries_.begin() + static_cast<ptrdiff_t>(first));
  entries_.front().start_offset = std::max(entries_.front().start_offset, start_offset);
  return write();
}

Result<void> LeaderEpochCache::clear() {
  if (entries_.empty()) return {};
  entries_.clear();
  return write();
}

}  // namespace odradek::broker::log
