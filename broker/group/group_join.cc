// JoinGroup: who becomes a member, and under which id.

#include <utility>

#include "broker/group/group.h"
#include "common/log/log.h"

namespace odradek::broker::group {

namespace {

Reply refused(RequestToken token, std::string member_id, Errc error) {
  JoinResponse response;
  response.error = error;
  response.member_id = std::move(member_id);
  return {token, std::move(response)};
}

bool same_protocols(const Member& member, const JoinRequest& request) {
  return member.protocols == request.protocols;
}

}  // namespace

void Group::join(const JoinRequest& request, RequestToken token, Now now, Outbox& out) {
  if (state_ == GroupState::dead) {
    out.replies.push_back(refused(token, request.member_id, Errc::coordinator_not_available));
    return;
  }
  if (!accepts(request.member_id)) {
    if (members_.contains(request.member_id))
      member_gone(request.member_id, "the group is full", now, out);
    pending_members_.erase(request.member_id);
    out.replies.push_back(refused(token, "", Errc::group_max_size_reached));
  } else if (!supports(request)) {
    out.replies.push_back(refused(token, request.member_id, Errc::inconsistent_group_protocol));
  } else if (request.member_id.empty()) {
    join_new(request, token, now, out);
  } else {
    join_known(request, token, now, out);
  }
  settle(now, out);
}

bool Group::accepts(const std::string& member_id) const {
  const Member* member = find(member_id);
  size_t limit = static_cast<size_t>(settings_.max_size);
  switch (state_) {
    case GroupState::empty:
    case GroupState::dead:
      return true;
    case GroupState::preparing_rebalance: {
      // while it rebalances those who joined first stay, whoever they were before
      if (member != nullptr && member->waiting_join) return true;
      size_t waiting = 0;
      for (const auto& [id, other] : members_) waiting += other.waiting_join ? 1 : 0;
      return waiting < limit;
    }
    case GroupState::completing_rebalance:
    case GroupState::stable:
      return member != nullptr || members_.size() < limit;
  }
  return false;
}

// All members have to share a protocol type and at least one protocol.
bool Group::supports(const JoinRequest& request) const {
  if (request.protocols.empty()) return false;
  if (members_.empty()) return !request.protocol_type.empty();
  if (protocol_type_ != request.protocol_type) return false;
  // A member that joins again is measured against the others, itself left out.
  for (const MemberProtocol& protocol : request.protocols) {
    bool shared = true;
    for (const auto& [id, member] : members_) {
      if (id == request.member_id) continue;
      if (request.instance_id && member.instance_id == request.instance_id) continue;
      if (!member.supports(protocol.name)) {
        shared = false;
        break;
      }
    }
    if (shared) return true;
  }
  return false;
}

void Group::join_new(const JoinRequest& request, RequestToken token, Now now, Outbox& out) {
  if (request.instance_id) {
    auto at = static_members_.find(*request.instance_id);
    if (at != static_members_.end()) {
      replace_static_member(request, std::string(at->second), token, now, out);
      return;
    }
    add_member(request, new_member_id(request), token, now, out);
    return;
  }
  if (!request.require_known_member_id) {
    add_member(request, new_member_id(request), token, now, out);
    return;
  }
  // KIP-394: the client takes its id first, so that one that never comes back leaves no member
  // behind
  if (pending_members_.size() >= static_cast<size_t>(settings_.max_pending_members)) {
    out.replies.push_back(refused(token, "", Errc::coordinator_not_available));
    return;
  }
  std::string member_id = new_member_id(request);
  int64_t deadline_ms = now.monotonic_ms + request.session_timeout_ms;
  pending_members_.emplace(member_id, deadline_ms);
  wake_at(deadline_ms);
  out.replies.push_back(refused(token, std::move(member_id), Errc::member_id_required));
}

void Group::join_known(const JoinRequest& request, RequestToken token, Now now, Outbox& out) {
  if (pending_members_.contains(request.member_id) && !request.instance_id) {
    add_member(request, request.member_id, token, now, out);
    return;
  }
  if (auto error = check_member(request.member_id, request.instance_id)) {
    out.replies.push_back(refused(token, request.member_id, *error));
    return;
  }
  Member& member = *find(request.member_id);
  switch (state_) {
    case GroupState::preparing_rebalance:
      update_member(member, request, token, out);
      break;
    case GroupState::completing_rebalance:
      if (same_protocols(member, request)) {
        // it did not get the reply of this generation: the same again
        out.replies.push_back({token, joined(member)});
        start_session(member, now);
      } else {
        update_member(member, request, token, out);
        maybe_prepare_rebalance("a member joined with other metadata", now, out);
      }
      break;
    case GroupState::stable:
      if (leader_ == member.id || !same_protocols(member, request)) {
        // by joining again the leader asks for a new assignment (its topics' partitions changed)
        std::string_view reason = leader_ == member.id ? "the leader joined again"
                                                       : "a member joined with other metadata";
        update_member(member, request, token, out);
        maybe_prepare_rebalance(reason, now, out);
      } else {
        JoinResponse response = joined(member);
        response.members.clear();
        out.replies.push_back({token, std::move(response)});
        start_session(member, now);
      }
      break;
    case GroupState::empty:
    case GroupState::dead:
      out.replies.push_back(refused(token, request.member_id, Errc::unknown_member_id));
      break;
  }
}

void Group::add_member(const JoinRequest& request, const std::string& member_id, RequestToken token,
                       Now now, Outbox& out) {
  Member member;
  member.id = member_id;
  member.instance_id = request.instance_id;
  member.client_id = request.client_id;
  member.client_host = request.client_host;
  member.rebalance_timeout_ms = request.rebalance_timeout_ms;
  member.session_timeout_ms = request.session_timeout_ms;
  member.protocols = request.protocols;
  member.is_new = true;
  member.waiting_join = token;
  // It has no id to send heartbeats with, so the session does not run yet; but it must not wait for
  // ever: whoever asked and went would hold up every rebalance.
  member.session_deadline_ms = now.monotonic_ms + settings_.new_member_join_timeout_ms;
  wake_at(member.session_deadline_ms);

  if (members_.empty()) protocol_type_ = request.protocol_type;
  if (!leader_ || !members_.contains(*leader_)) leader_ = member_id;
  if (state_ == GroupState::preparing_rebalance && generation_ == 0) joined_during_delay_ = true;
  pending_members_.erase(member_id);
  if (request.instance_id) static_members_[*request.instance_id] = member_id;
  hold(member.held_bytes());
  members_.emplace(member_id, std::move(member));
  LOG_INFO("server", "Group {}: member {} ({} at {}) joins in state {}{}{}", id_, member_id,
           request.client_id, request.client_host, name_of(state_),
           request.reason.empty() ? "" : ": ", request.reason);
  maybe_prepare_rebalance("a member joined", now, out);
}

void Group::update_member(Member& member, const JoinRequest& request, RequestToken token,
                          Outbox& out) {
  hold(-member.held_bytes());
  member.protocols = request.protocols;
  member.rebalance_timeout_ms = request.rebalance_timeout_ms;
  member.session_timeout_ms = request.session_timeout_ms;
  hold(member.held_bytes());
  // an earlier JoinGroup of the same member has lost its reader
  if (member.waiting_join)
    out.replies.push_back(refused(*member.waiting_join, member.id, Errc::rebalance_in_progress));
  member.waiting_join = token;
}

// KIP-345: the instance came back under a new member id. The old id is fenced, its place and
// assignment stay.
void Group::replace_static_member(const JoinRequest& request, const std::string& old_id,
                                  RequestToken token, Now now, Outbox& out) {
  std::string previous_leader = leader_.value_or("");
  std::string new_id = new_member_id(request);
  Members::node_type node = members_.extract(old_id);
  node.key() = new_id;
  Member& member = node.mapped();
  if (member.waiting_join)
    out.replies.push_back(refused(*member.waiting_join, old_id, Errc::fenced_instance_id));
  if (member.waiting_sync) {
    SyncResponse fenced;
    fenced.error = Errc::fenced_instance_id;
    out.replies.push_back({*member.waiting_sync, std::move(fenced)});
  }
  member.waiting_join.reset();
  member.waiting_sync.reset();
  hold(-member.held_bytes());
  member.id = new_id;
  member.client_id = request.client_id;
  member.client_host = request.client_host;
  hold(member.held_bytes());
  static_members_[*request.instance_id] = new_id;
  if (leader_ == old_id) leader_ = new_id;
  if (pending_syncs_.erase(old_id) > 0) pending_syncs_.insert(new_id);
  Member& placed = members_.insert(std::move(node)).position->second;
  update_member(placed, request, token, out);
  start_session(placed, now);
  LOG_INFO("server", "Group {}: static member {} is {} now, was {}", id_, *request.instance_id,
           new_id, old_id);

  switch (state_) {
    case GroupState::stable:
      if (protocol_ == select_protocol()) {
        // nothing that the assignment depends on changed: only the new id is stored
        Write write;
        write.group_id = id_;
        write.records.push_back(group_record(id_, to_store()));
        StaticMemberWrite purpose;
        purpose.token = token;
        purpose.member_id = new_id;
        purpose.previous_leader = std::move(previous_leader);
        purpose.supports_skip_assignment = request.supports_skip_assignment;
        write.purpose = std::move(purpose);
        out.writes.push_back(std::move(write));
      } else {
        maybe_prepare_rebalance("a static member came back with other protocols", now, out);
      }
      break;
    case GroupState::completing_rebalance:
      // the leader may be assigning to the old id at this moment
      prepare_rebalance("a static member came back", now, out);
      break;
    case GroupState::preparing_rebalance:
    case GroupState::empty:
    case GroupState::dead:
      break;
  }
}

JoinResponse Group::joined(const Member& member) const {
  JoinResponse response;
  response.member_id = member.id;
  response.generation = generation_;
  response.protocol_type = protocol_type_;
  response.protocol_name = protocol_;
  response.leader = leader_.value_or("");
  if (leader_ != member.id) return response;
  for (const auto& [id, other] : members_) {
    JoinedMember row;
    row.member_id = id;
    row.instance_id = other.instance_id;
    if (const Bytes* metadata = other.metadata_of(protocol_.value_or(""))) row.metadata = *metadata;
    response.members.push_back(std::move(row));
  }
  return response;
}

void Group::reply_join(Member& member, JoinResponse response, Outbox& out) {
  if (!member.waiting_join) return;
  out.replies.push_back({*std::exchange(member.waiting_join, std::nullopt), std::move(response)});
}

}  // namespace odradek::broker::group
