// SyncGroup: the leader's assignment is stored, then handed out.

#include <utility>

#include "broker/group/group.h"

namespace odradek::broker::group {

std::optional<Errc> Group::check_sync(const SyncRequest& request) const {
  if (state_ == GroupState::dead) return Errc::coordinator_not_available;
  if (auto error = check_member(request.member_id, request.instance_id)) return error;
  if (request.generation != generation_) return Errc::illegal_generation;
  if (request.protocol_type && request.protocol_type != protocol_type_)
    return Errc::inconsistent_group_protocol;
  if (request.protocol_name && request.protocol_name != protocol_)
    return Errc::inconsistent_group_protocol;
  if (state_ == GroupState::empty) return Errc::unknown_member_id;
  if (state_ == GroupState::preparing_rebalance) return Errc::rebalance_in_progress;
  return std::nullopt;
}

void Group::sync(const SyncRequest& request, RequestToken token, Now now, Outbox& out) {
  if (auto error = check_sync(request)) {
    SyncResponse response;
    response.error = error;
    out.replies.push_back({token, std::move(response)});
    return;
  }
  Member& member = *find(request.member_id);
  pending_syncs_.erase(member.id);
  if (pending_syncs_.empty()) sync_deadline_ms_ = kNever;
  if (member.waiting_sync) {
    // an earlier SyncGroup of the same member has lost its reader
    SyncResponse stale;
    stale.error = Errc::rebalance_in_progress;
    out.replies.push_back({*member.waiting_sync, std::move(stale)});
  }
  member.waiting_sync = token;
  if (state_ == GroupState::stable) {
    reply_sync(member, std::nullopt, now, out);
    return;
  }
  if (leader_ == member.id && !storing_assignment_) store_assignment(request, out);
}

void Group::store_assignment(const SyncRequest& request, Outbox& out) {
  StoredGroup group = to_store();
  for (StoredMember& member : group.members) {
    // whom the leader left out has nothing to do in this generation
    auto at = request.assignments.find(member.id);
    member.assignment = at == request.assignments.end() ? Bytes() : at->second;
  }
  Write write;
  write.group_id = id_;
  write.records.push_back(group_record(id_, group));
  write.purpose = AssignmentWrite{generation_};
  storing_assignment_ = true;
  out.writes.push_back(std::move(write));
}

void Group::reply_sync(Member& member, std::optional<Errc> error, Now now, Outbox& out) {
  SyncResponse response;
  response.error = error;
  if (!error) {
    response.protocol_type = protocol_type_;
    response.protocol_name = protocol_;
    response.assignment = member.assignment;
  }
  out.replies.push_back({*std::exchange(member.waiting_sync, std::nullopt), std::move(response)});
  start_session(member, now);
}

StoredGroup Group::to_store() const {
  StoredGroup group;
  group.protocol_type = protocol_type_.value_or("");
  group.generation = generation_;
  group.protocol = protocol_;
  group.leader = leader_;
  group.state_since_ms = state_since_ms_;
  for (const auto& [id, member] : members_) {
    StoredMember stored;
    stored.id = id;
    stored.instance_id = member.instance_id;
    stored.client_id = member.client_id;
    stored.client_host = member.client_host;
    stored.rebalance_timeout_ms = member.rebalance_timeout_ms;
    stored.session_timeout_ms = member.session_timeout_ms;
    if (const Bytes* metadata = member.metadata_of(protocol_.value_or("")))
      stored.subscription = *metadata;
    stored.assignment = member.assignment;
    group.members.push_back(std::move(stored));
  }
  return group;
}

}  // namespace odradek::broker::group
