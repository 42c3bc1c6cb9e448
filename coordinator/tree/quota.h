#pragma once
// Quotas, as ZooKeeper 3.8 has them. A quota on /a/b is two znodes, zookeeper_limits and
// zookeeper_stats, below /zookeeper/quota/a/b. Each write of a znode at or below /a/b brings the
// stats up to date in its own transaction; of several quotas on the way up the nearest counts. A
// stats znode changes its data and nothing else of it: no version, no time, no event.

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/result.h"
#include "coordinator/tree/rules.h"
#include "coordinator/tree/types.h"

namespace odradek::coordinator::tree {

inline constexpr std::string_view kQuotaRoot = "/zookeeper/quota";
inline constexpr std::string_view kQuotaLimits = "zookeeper_limits";
inline constexpr std::string_view kQuotaStats = "zookeeper_stats";

std::string quota_limits_path(std::string_view path);
std::string quota_stats_path(std::string_view path);
// Of ".../zookeeper_limits" or ".../zookeeper_stats" below the quota root: the path that it is
// for, "" for the root itself. Nothing for any other.
std::optional<std::string_view> quota_of(std::string_view node, std::string_view kind);

// The text of both znodes: "count=5,bytes=-1=;byteHardLimit=-1;countHardLimit=7". -1: no limit.
class QuotaNumbers {
 public:
  static constexpr const char* kCount = "count";
  static constexpr const char* kBytes = "bytes";
  static constexpr const char* kCountHardLimit = "countHardLimit";
  static constexpr const char* kByteHardLimit = "byteHardLimit";

  QuotaNumbers() = default;
  QuotaNumbers(int64_t count, int64_t bytes) {
    set(kCount, count);
    set(kBytes, bytes);
  }
  // Keys without meaning are kept. malformed where ZooKeeper could not read it.
  static Result<QuotaNumbers> parse(std::string_view text);

  int64_t get(std::string_view key) const;  // -1 where it is not there
  void set(const std::string& key, int64_t value) { numbers_[key] = value; }
  std::string text() const;

 private:
  std::map<std::string, int64_t, std::less<>> numbers_;
};

// The paths that have a quota: all that is looked at where there is none. It shows what is in
// flight too; tree thread.
class QuotaPaths {
 public:
  void add(std::string_view path) {
    if (!path.empty()) paths_.emplace(path);
  }
  void remove(std::string_view path) {
    if (auto at = paths_.find(path); at != paths_.end()) paths_.erase(at);
  }
  bool empty() const { return paths_.empty(); }
  bool contains(std::string_view path) const { return paths_.contains(path); }
  const std::set<std::string, std::less<>>& all() const { return paths_; }

 private:
  std::set<std::string, std::less<>> paths_;
};

// What stands at and below a path: znodes and the bytes of their data.
struct SubtreeTotals {
  int64_t count = 0;
  int64_t bytes = 0;
};

// A limit that a write reached beyond; for a line in the log.
struct QuotaExcess {
  std::string path;  // that has the quota
  std::string text;
};

class Preparation;

// Before a create or a setData: quota_exceeded where a hard limit is in force and would be passed.
// `bytes` and `count` are what the write adds; a number that it does not change is not looked at.
// Limits that are passed without being in force are added to `excesses`.
Result<void> check_quota(Preparation& tree, const Rules& rules, std::string_view path,
                         int64_t bytes, int64_t count, std::vector<QuotaExcess>* excesses);

// Behind a create (+1), delete (-1) or setData (0) of the znode in `tree`.
void count_in_quota(Preparation& tree, std::string_view path, int64_t bytes, int64_t count);

// Behind the create or delete of any znode: a limits znode begins or ends a quota, a new stats
// znode is given the present numbers.
void note_quota_node(Preparation& tree, std::string_view path, bool created);

// Gives every stats znode its numbers, counted anew; those that had them are not written.
void recount_quotas(Preparation& tree, const QuotaPaths& paths);

}  // namespace odradek::coordinator::tree
