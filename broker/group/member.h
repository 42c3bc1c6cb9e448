#pragma once
// Member: one consumer in a group, as long as it is in it. Who it is and its assignment are stored
// with the group; its deadline and what it waits for are not.

#include <algorithm>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "broker/group/types.h"

namespace odradek::broker::group {

struct Member {
  std::string id;
  std::optional<std::string> instance_id;  // a static member (KIP-345)
  std::string client_id;
  std::string client_host;
  int32_t rebalance_timeout_ms = 0;
  int32_t session_timeout_ms = 0;
  std::vector<MemberProtocol> protocols;  // in order of preference
  Bytes assignment;

  int64_t session_deadline_ms = kNever;  // monotonic
  bool is_new = false;                   // its first JoinGroup still waits
  std::optional<RequestToken> waiting_join;
  std::optional<RequestToken> waiting_sync;

  bool supports(std::string_view protocol) const { return metadata_of(protocol) != nullptr; }
  // nullptr where the member does not know the protocol.
  const Bytes* metadata_of(std::string_view protocol) const {
    for (const MemberProtocol& own : protocols) {
      if (own.name == protocol) return &own.metadata;
    }
    return nullptr;
  }
  // The first of its protocols that is among the candidates.
  const std::string* vote(const std::set<std::string, std::less<>>& candidates) const {
    for (const MemberProtocol& own : protocols) {
      if (candidates.contains(own.name)) return &own.name;
    }
    return nullptr;
  }
  // What the member makes the coordinator hold.
  int64_t held_bytes() const {
    size_t bytes =
        sizeof(Member) + id.size() * 2 + client_id.size() + client_host.size() + assignment.size();
    for (const MemberProtocol& own : protocols)
      bytes += sizeof own + own.name.size() + own.metadata.size();
    return static_cast<int64_t>(bytes);
  }
};

}  // namespace odradek::broker::group
