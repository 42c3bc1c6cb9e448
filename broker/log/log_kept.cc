// Why the oldest data of a log is still there, in words, for whoever looks for room.
#include <ctime>
#include <string>

#include "broker/log/log.h"
#include "common/format.h"

namespace odradek::broker::log {

namespace {

std::string time_text(int64_t ms) {
  std::time_t seconds = static_cast<std::time_t>(ms / 1000);
  std::tm utc{};
  gmtime_r(&seconds, &utc);
  char text[32];
  std::strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S UTC", &utc);
  return text;
}

}  // namespace

// By time: when the segment goes, or what keeps it.
std::string Log::kept_by_time(Segment& oldest) const {
  if (config_->retention_ms < 0) return "retention.ms=-1 keeps it for ever";
  Result<int64_t> largest = oldest.largest_timestamp();
  if (!largest) return "its time index cannot be read: " + largest.error().what();
  const int64_t now_ms = context_.clock->wall_ms();
  // a time-out that the calendar cannot hold
  if (config_->retention_ms > INT64_MAX - *largest) return "retention.ms keeps it for ever";
  const int64_t due_ms = *largest + config_->retention_ms;
  if (due_ms < now_ms) return "it is older than retention.ms and goes with the next look at it";
  std::string text = format("it stays until {} by retention.ms={}, since its newest record is of {}",
                            time_text(due_ms), config_->retention_ms, time_text(*largest));
  if (*largest > now_ms) text += ", which is still to come";
  return text;
}

std::string Log::kept_by_size(const Segment& oldest) const {
  if (config_->retention_bytes < 0) return "retention.bytes=-1 sets no bound";
  if (segments_.size() == 1) {
    return format("it goes by retention.bytes={} once it is closed and as much stands behind it",
                  config_->retention_bytes);
  }
  const int64_t over = size_bytes() - config_->retention_bytes;
  const auto size = static_cast<int64_t>(oldest.size());
  if (over >= size) {
    return format("retention.bytes={} is exceeded and it goes with the next look at it",
                  config_->retention_bytes);
  }
  return format("it goes by retention.bytes={} once {} bytes more are written",
                config_->retention_bytes, size - over);
}

std::string Log::why_kept(Offset high_watermark) const {
  if (broken_) return "it is out of use: " + broken_->what();
  Segment& oldest = *segments_.front();
  const bool is_active = segments_.size() == 1;
  if (is_active && oldest.size() == 0) return "nothing is here";
  const Offset end = is_active ? log_end_offset_ : segments_[1]->base_offset();
  std::string text = format("{} segments, {} bytes; the oldest ({} bytes from offset {}, {}): ",
                            segments_.size(), size_bytes(), oldest.size(),
                            oldest.base_offset().value(),
                            is_active ? "which is written to" : "closed");
  if (!is_active && end <= log_start_offset_) {
    return text + format("it lies below the log start {} and goes with the next look at it",
                         log_start_offset_.value());
  }
  if (high_watermark < end) {
    return text + format("not every in-sync replica has it; they have all below offset {}",
                         high_watermark.value());
  }
  if (config_->cleanup_delete) {
    text += kept_by_time(oldest) + "; " + kept_by_size(oldest);
    if (!config_->cleanup_compact) return text;
    text += "; ";
  }
  if (config_->cleanup_compact) {
    text += "compaction keeps the last value of each key";
    if (is_active) text += " and leaves the segment that is written to alone";
    return text;
  }
  return text + "cleanup.policy names nothing that would take it";
}

}  // namespace odradek::broker::log
