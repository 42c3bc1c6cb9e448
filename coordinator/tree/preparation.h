#pragma once
// Preparation: one write being checked. It reads the applied state with the overlay laid over it
// and its own changes over that, and gathers those changes. Dropped, it leaves no trace. It lives
// for one call on the tree thread.

#include <array>
#include <cstddef>
#include <map>
#include <memory>
#include <memory_resource>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "coordinator/tree/overlay.h"
#include "coordinator/tree/tree_reader.h"
#include "coordinator/tree/txn.h"

namespace odradek::coordinator::tree {

class Preparation final : public TreeState {
 public:
  // `quotas`, where given, shows what is in flight and outlives the preparation.
  Preparation(const TreeState& applied, const Overlay& overlay, Zxid zxid, int64_t time_ms,
              SessionId session, const QuotaPaths* quotas = nullptr);

  Zxid zxid() const { return zxid_; }
  int64_t time_ms() const { return time_ms_; }

  ZnodeRef find(std::string_view path) const override;
  std::optional<Znode> get(std::string_view path) const override;
  std::optional<Stat> stat(std::string_view path) const override;
  std::optional<std::vector<std::string>> children(std::string_view path) const override;
  std::optional<SessionRecord> session(SessionId session) const override;
  std::vector<std::string> ephemerals(SessionId session) const override;
  SubtreeTotals subtree(std::string_view path) const override;

  bool has_quotas() const { return !quota_changes_.empty() || (quotas_ && !quotas_->empty()); }
  bool has_quota(std::string_view path) const;
  void set_quota(std::string_view path, bool has) { quota_changes_[std::string(path)] = has; }

  // As get, without a copy; null where there is no znode. Good until the znode is written.
  const Znode* peek(std::string_view path) const;

  // New final states. The caller has checked that the operation is allowed and keeps parents'
  // counters right.
  void put(std::string_view path, Znode node);
  // The znode, which must exist, to be changed in place.
  Znode& edit(std::string_view path);
  void remove(std::string_view path);
  void put_session(SessionId session, const SessionRecord& record);
  void remove_session(SessionId session);
  // Of a znode that is there still, or already.
  void record(Change::Kind kind, std::string_view path, const Stat& stat);

  Txn take();

 private:
  // What is known of a znode: read once, then perhaps written.
  struct Entry {
    ZnodeRef state;
    std::shared_ptr<Znode> own;  // the state, where it was made here and may be changed
    bool written = false;
    // before this write, for the totals and the side keys
    bool existed = false;
    SessionId owner_before;
    bool swept_before = false;
    int64_t bytes_before = 0;
  };
  Entry& entry(std::string_view path) const;

  const TreeState& applied_;
  const Overlay& overlay_;
  const Zxid zxid_;
  const int64_t time_ms_;
  // Most writes look at two znodes, which find room here.
  mutable std::array<std::byte, 640> room_;
  mutable std::pmr::monotonic_buffer_resource memory_{room_.data(), room_.size()};
  mutable std::pmr::map<std::pmr::string, Entry, std::less<>> nodes_{&memory_};
  std::map<SessionId, std::optional<SessionRecord>> sessions_;
  const QuotaPaths* quotas_;
  std::map<std::string, bool, std::less<>> quota_changes_;
  Commit commit_;
};

}  // namespace odradek::coordinator::tree
