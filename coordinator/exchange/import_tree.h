#pragma once
// ImportTree: the tree that an import writes, in a BulkStore. Znodes that transactions touch stand in
// a cache of bounded size and are written when it is full. It keeps counters, side keys, ACL numbers
// and sessions right; what a transaction means is its callers' business.
//
// The first failure of the store stays (status); after it nothing is found and nothing is written.
// One thread.

#include <map>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "coordinator/store/bulk_store.h"
#include "coordinator/store/layout.h"
#include "coordinator/tree/types.h"

namespace odradek::coordinator::exchange {

class ImportTree {
 public:
  // An ACL that a znode refers to and that is not there (yet).
  static constexpr uint32_t kMissingAcl = UINT32_MAX;

  ImportTree(store::BulkStore& store, size_t cache_bytes);

  Result<void> status() const;

  // ---- znodes. Pointers are good until the znode is removed, and until settle.
  // Null where there is none.
  const tree::Znode* find(std::string_view path);
  // To be changed in place, its data by set_data.
  tree::Znode* edit(std::string_view path);
  void set_data(tree::Znode& node, std::optional<Bytes> data);
  // A znode that is not there. Its parent's counters are the caller's.
  void add(const std::string& path, tree::Znode node);
  void remove(const std::string& path);
  // Names of children, in no order.
  std::vector<std::string> children(const std::string& path);
  // A znode and all that is below it; nothing where it is not there.
  struct Extent {
    int64_t nodes = 0;
    int64_t data_bytes = 0;
  };
  Extent extent_of(const std::string& path);
  // Between two transactions: makes room in the cache.
  void settle();

  // As add, for a znode as a snapshot has it: straight to the store.
  void load(const std::string& path, const tree::Znode& node, uint32_t acl_number);
  // Counts children of a znode that was loaded without them; false where it is not there.
  bool add_loaded_children(const std::string& path, int32_t children);

  // ---- ACLs
  uint32_t number_of(const tree::AclRef& acl);

  // ---- sessions, with their time-outs in milliseconds
  void put_session(SessionId session, int32_t timeout_ms) { sessions_[session] = timeout_ms; }
  void remove_session(SessionId session) { sessions_.erase(session); }
  bool has_session(SessionId session) const { return sessions_.contains(session); }
  const std::map<SessionId, int32_t>& sessions() const { return sessions_; }
  // Paths of the session's ephemerals.
  std::vector<std::string> ephemerals(SessionId session);
  // Sessions that own ephemerals.
  std::vector<SessionId> owners();

  // The greatest zxid in any stat that was loaded.
  Zxid greatest_zxid() const { return greatest_zxid_; }
  // The path of a znode whose ACL is missing, if there is one.
  std::optional<std::string> without_acl();

  // Writes the sessions with the passwords that ZooKeeper gave them, and the totals; the last zxid
  // and session are the caller's. Znodes all stand in the store then.
  Result<store::Totals> finish(Zxid last_zxid, SessionId last_session);

 private:
  struct Entry {
    std::optional<tree::Znode> node;
    bool changed = false;
  };

  Entry& entry(std::string_view path);
  tree::AclRef acl_of_number(uint32_t number) const;
  void write_side_keys(const std::string& path, const tree::Stat& stat, bool there);
  void count(const std::string& path, const tree::Znode& node, int sign);
  void write_changed();
  void note(const Result<void>& outcome);

  store::BulkStore& store_;
  const size_t cache_bytes_;
  std::unordered_map<std::string, Entry> cache_;
  size_t cached_bytes_ = 0;
  std::unordered_map<std::string, uint32_t> acl_numbers_;  // by encoded content
  std::vector<tree::AclRef> acls_;                         // by number
  std::map<SessionId, int32_t> sessions_;
  store::Totals totals_;
  Zxid greatest_zxid_;
  size_t missing_acls_ = 0;  // how many znodes were loaded without theirs
  std::optional<Error> failure_;
};

}  // namespace odradek::coordinator::exchange
