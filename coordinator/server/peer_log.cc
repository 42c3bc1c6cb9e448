#include "coordinator/server/peer_log.h"

#include "common/log/log.h"

namespace odradek::coordinator::server {

namespace {
constexpr int64_t kMinuteMs = 60'000;
// Beyond that many addresses the others share one entry.
constexpr size_t kMaxAddresses = 10'000;
}  // namespace

bool PeerLog::warn(const std::string& address, const std::string& text) {
  int64_t now_ms = clock_.monotonic_ms();
  auto at = entries_.find(address);
  if (at == entries_.end()) {
    at = entries_.emplace(entries_.size() < kMaxAddresses ? address : "others", Entry()).first;
    if (at->second.lines == 0) at->second.since_ms = now_ms;
  }
  Entry& entry = at->second;
  if (now_ms - entry.since_ms >= kMinuteMs) {
    if (entry.left_out > 0) say_left_out(at->first, entry.left_out);
    entry = Entry{now_ms, 0, 0};
  }
  if (entry.lines >= lines_per_minute_) {
    ++entry.left_out;
    return false;
  }
  ++entry.lines;
  LOG_WARN("zookeeper", "{}", text);
  return true;
}

void PeerLog::sweep() {
  int64_t now_ms = clock_.monotonic_ms();
  for (auto at = entries_.begin(); at != entries_.end();) {
    if (now_ms - at->second.since_ms < kMinuteMs) {
      ++at;
      continue;
    }
    if (at->second.left_out > 0) say_left_out(at->first, at->second.left_out);
    at = entries_.erase(at);
  }
}

void PeerLog::say_left_out(const std::string& address, int64_t left_out) {
  LOG_WARN("zookeeper",
           "{} more lines about /{} were left out in the last minute (odradek.peer.log.lines)",
           left_out, address);
}

}  // namespace odradek::coordinator::server
