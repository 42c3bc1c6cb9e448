#pragma once
// Keys and values of the tree in a Store; the byte tables are in LAYOUT.md beside this file.

#include <string>
#include <string_view>

#include "common/result.h"
#include "coordinator/tree/tree_reader.h"
#include "coordinator/tree/types.h"

namespace odradek::coordinator::store {

// Counters of the whole tree, in one key that every batch writes.
struct Totals {
  Zxid last_zxid;
  int64_t nodes = 0;
  int64_t data_bytes = 0;
  int64_t ephemerals = 0;
  SessionId last_session;  // the last id given out
  uint32_t last_acl = 0;   // the last number of an interned ACL
};

std::string node_key(std::string_view path);
// All children of a path begin so.
std::string children_prefix(std::string_view path);
// Znodes of a depth whose parent is strictly below `path` ("" for the root) begin so.
std::string level_prefix_below(size_t depth, std::string_view path);
std::string_view all_nodes_prefix();
// The path behind node_key.
std::string path_in_key(std::string_view key);
// The name behind children_prefix.
std::string_view name_in_key(std::string_view key, std::string_view prefix);

std::string session_key(SessionId session);
std::string_view all_sessions_prefix();
SessionId session_in_key(std::string_view key);
std::string ephemeral_key(SessionId session, std::string_view path);
std::string ephemerals_prefix(SessionId session);
std::string swept_key(std::string_view path);  // containers and TTL znodes
std::string_view all_swept_prefix();
std::string_view all_ephemerals_prefix();
std::string_view all_acls_prefix();
std::string acl_key(uint32_t number);                   // number → ACL
std::string acl_content_key(std::string_view encoded);  // ACL → number
std::string_view totals_key();
std::string_view fence_key();
std::string_view chain_key();  // the number of the commit; RocksStore's own
// Where the tree was imported from a ZooKeeper: the greatest zxid in its files.
std::string_view imported_key();
// Where the store was restored from a backup: the last zxid before it went on. What clients saw
// under a smaller one may be another history.
std::string_view restored_key();

std::string encode_node(const tree::Znode& node, uint32_t acl_number);
// The ACL's number apart; the node's acl is left open.
Result<tree::Znode> decode_node(std::string_view value, uint32_t& acl_number, bool with_data);
std::string encode_session(const tree::SessionRecord& record);
Result<tree::SessionRecord> decode_session(std::string_view value);
std::string encode_acl(const tree::Acl& acl);
Result<tree::Acl> decode_acl(std::string_view value);
std::string encode_totals(const Totals& totals);
Result<Totals> decode_totals(std::string_view value);
std::string encode_zxid(Zxid zxid);
Result<Zxid> decode_zxid(std::string_view value);

}  // namespace odradek::coordinator::store
