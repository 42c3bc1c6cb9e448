#include "coordinator/pipeline/quota_log.h"

#include "common/log/log.h"

namespace odradek::coordinator::pipeline {

namespace {
constexpr int64_t kEveryMs = 60'000;
constexpr size_t kMaxEntries = 1000;
}  // namespace

void QuotaLog::note(const std::string& text, int64_t now_ms) {
  std::string key = text.substr(0, text.rfind('['));
  key += text.find("[bytes") == std::string::npos ? 'c' : 'b';
  auto at = entries_.find(key);
  if (at != entries_.end() && now_ms - at->second.said_ms < kEveryMs) {
    ++at->second.left_out;
    return;
  }
  if (at == entries_.end()) {
    if (entries_.size() >= kMaxEntries) entries_.clear();
    at = entries_.emplace(std::move(key), Entry()).first;
  }
  if (at->second.left_out > 0) {
    LOG_WARN("zookeeper", "{} ({} times more since it was said last)", text, at->second.left_out);
  } else {
    LOG_WARN("zookeeper", "{}", text);
  }
  at->second = Entry{now_ms, 0};
}

}  // namespace odradek::coordinator::pipeline
