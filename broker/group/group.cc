#include "broker/group/group.h"

#include <algorithm>
#include <utility>

#include "common/check.h"
#include "common/log/log.h"

namespace odradek::broker::group {

std::string_view name_of(GroupState state) {
  switch (state) {
    case GroupState::empty:
      return "Empty";
    case GroupState::preparing_rebalance:
      return "PreparingRebalance";
    case GroupState::completing_rebalance:
      return "CompletingRebalance";
    case GroupState::stable:
      return "Stable";
    case GroupState::dead:
      return "Dead";
  }
  return "Unknown";
}

Group::Group(std::string id, const GroupSettings& settings,
             const std::function<std::string()>& uuid)
    : id_(std::move(id)), settings_(settings), uuid_(uuid) {}

bool Group::is_vacant() const {
  return state_ == GroupState::empty && members_.empty() && pending_members_.empty() &&
         offsets_.empty() && !offsets_.has_pending() && !has_record_ && generation_ == 0;
}

std::optional<Errc> Group::check_member(const std::string& member_id,
                                        const std::optional<std::string>& instance_id) const {
  if (instance_id) {
    auto at = static_members_.find(*instance_id);
    if (at == static_members_.end()) return Errc::unknown_member_id;
    if (at->second != member_id) return Errc::fenced_instance_id;
  }
  if (!members_.contains(member_id)) return Errc::unknown_member_id;
  return std::nullopt;
}

Member* Group::find(const std::string& member_id) {
  auto at = members_.find(member_id);
  return at == members_.end() ? nullptr : &at->second;
}

const Member* Group::find(const std::string& member_id) const {
  auto at = members_.find(member_id);
  return at == members_.end() ? nullptr : &at->second;
}

void Group::start_session(Member& member, Now now) {
  member.session_deadline_ms = now.monotonic_ms + member.session_timeout_ms;
  wake_at(member.session_deadline_ms);
}

// Deadlines that moved away since leave deadline_ms_ too early; it is made exact only when it is
// reached.
void Group::find_deadline() {
  deadline_ms_ = std::min(join_deadline_ms_, sync_deadline_ms_);
  for (const auto& [id, member] : members_) wake_at(member.session_deadline_ms);
  for (const auto& [id, deadline_ms] : pending_members_) wake_at(deadline_ms);
}

std::string Group::new_member_id(const JoinRequest& request) const {
  // the whole id has to fit into a string of the protocol (32767 bytes)
  constexpr size_t kMaxPrefix = 32'000;
  std::string prefix = request.instance_id ? *request.instance_id : request.client_id;
  if (prefix.size() > kMaxPrefix) {
    size_t end = kMaxPrefix;
    while (end > 0 && (static_cast<unsigned char>(prefix[end]) & 0xc0) == 0x80) --end;
    prefix.resize(end);
  }
  return prefix + "-" + uuid_();
}

std::optional<Errc> Group::heartbeat(const HeartbeatRequest& request, Now now) {
  if (state_ == GroupState::dead) return Errc::coordinator_not_available;
  if (auto error = check_member(request.member_id, request.instance_id)) return error;
  if (request.generation != generation_) return Errc::illegal_generation;
  if (state_ == GroupState::empty) return Errc::unknown_member_id;
  start_session(*find(request.member_id), now);
  if (state_ == GroupState::preparing_rebalance) return Errc::rebalance_in_progress;
  return std::nullopt;
}

LeaveResponse Group::leave(const LeaveRequest& request, Now now, Outbox& out) {
  LeaveResponse response;
  if (state_ == GroupState::dead) {
    response.error = Errc::coordinator_not_available;
    return response;
  }
  for (const LeavingMember& leaving : request.members) {
    std::string member_id = leaving.member_id;
    if (member_id.empty()) {
      // an administrator removes a static member by its instance id alone
      auto at =
          leaving.instance_id ? static_members_.find(*leaving.instance_id) : static_members_.end();
      if (at == static_members_.end()) {
        response.members.push_back(Errc::unknown_member_id);
        continue;
      }
      member_id = at->second;
    } else if (pending_members_.erase(member_id) > 0) {
      response.members.push_back(std::nullopt);
      continue;
    } else if (auto error = check_member(member_id, leaving.instance_id)) {
      response.members.push_back(error);
      continue;
    }
    LOG_INFO("server", "Group {}: member {} leaves{}{}", id_, member_id,
             leaving.reason.empty() ? "" : ": ", leaving.reason);
    member_gone(member_id, "a member left", now, out);
    response.members.push_back(std::nullopt);
  }
  settle(now, out);
  return response;
}

void Group::tick(Now now, Outbox& out) {
  if (now.monotonic_ms < deadline_ms_) return;
  std::erase_if(pending_members_,
                [&](const auto& pending) { return pending.second <= now.monotonic_ms; });
  expire_members(now, out);
  if (sync_deadline_ms_ <= now.monotonic_ms) sync_time_is_up(now, out);
  settle(now, out);
  find_deadline();
}

void Group::forget(RequestToken token, Now now, Outbox& out) {
  for (auto& [id, member] : members_) {
    if (member.waiting_sync == token) {
      member.waiting_sync.reset();
      start_session(member, now);
      return;
    }
    if (member.waiting_join == token) {
      member.waiting_join.reset();
      // it may come back under its id within its session
      member.is_new = false;
      start_session(member, now);
      return;
    }
  }
}

void Group::abandon(Errc why, Outbox& out) {
  for (auto& [id, member] : members_) {
    if (member.waiting_join) {
      JoinResponse response;
      response.error = why;
      response.member_id = member.id;
      reply_join(member, std::move(response), out);
    }
    if (member.waiting_sync) {
      SyncResponse response;
      response.error = why;
      out.replies.push_back(
          {*std::exchange(member.waiting_sync, std::nullopt), std::move(response)});
    }
  }
}

DescribedGroup Group::describe() const {
  DescribedGroup described;
  described.group_id = id_;
  described.state = name_of(state_);
  described.protocol_type = protocol_type_.value_or("");
  bool stable = state_ == GroupState::stable;
  if (stable) described.protocol = protocol_.value_or("");
  for (const auto& [id, member] : members_) {
    DescribedMember row;
    row.member_id = id;
    row.instance_id = member.instance_id;
    row.client_id = member.client_id;
    row.client_host = member.client_host;
    if (stable) {
      if (const Bytes* metadata = member.metadata_of(described.protocol)) row.metadata = *metadata;
      row.assignment = member.assignment;
    }
    described.members.push_back(std::move(row));
  }
  return described;
}

void Group::remove(RequestToken token, Outbox& out) {
  DeleteGroupResponse response;
  if (state_ == GroupState::dead) {
    response.error = Errc::group_id_not_found;
  } else if (state_ != GroupState::empty || !pending_members_.empty()) {
    response.error = Errc::non_empty_group;
  } else {
    Write write;
    write.group_id = id_;
    write.purpose = DeleteGroupWrite{token};
    write.splittable = true;
    offsets_.for_each([&](const TopicPartition& partition, const StoredOffset&) {
      write.records.push_back(offset_tombstone({id_, partition}));
    });
    if (has_record_ || generation_ > 0 || write.records.empty())
      write.records.push_back(group_tombstone(id_));
    state_ = GroupState::dead;  // nobody joins while the tombstones are stored
    out.writes.push_back(std::move(write));
    return;
  }
  out.replies.push_back({token, std::move(response)});
}

void Group::replay(const OffsetRecord& record, Offset log_offset,
                   std::optional<ProducerId> producer) {
  if (!record.value) {
    offsets_.erase(record.key.partition);
  } else if (producer) {
    offsets_.put_pending(*producer, record.key.partition, *record.value, log_offset);
  } else {
    offsets_.put(record.key.partition, *record.value, log_offset);
  }
}

void Group::replay(const StoredGroup& record, Now now, Outbox& out) {
  has_record_ = true;
  if (!active_) {
    restore(record, now);
    return;
  }
  // Stored by this group itself. A rebalance that began meanwhile has made it history, but for the
  // record's being there.
  if (record.generation != generation_) return;
  for (const StoredMember& stored : record.members) {
    if (Member* member = find(stored.id)) {
      hold(static_cast<int64_t>(stored.assignment.size()) -
           static_cast<int64_t>(member->assignment.size()));
      member->assignment = stored.assignment;
    }
  }
  if (state_ == GroupState::completing_rebalance) {
    become(GroupState::stable, now);
    for (auto& [id, member] : members_) {
      if (member.waiting_sync) reply_sync(member, std::nullopt, now, out);
    }
  }
}

void Group::replay_removed() {
  has_record_ = false;
  if (active_ && !members_.empty()) return;  // joined anew while the tombstone was being stored
  generation_ = 0;
  protocol_type_.reset();
  protocol_.reset();
  leader_.reset();
  members_.clear();
  static_members_.clear();
  held_bytes_ = 0;
  state_ = GroupState::empty;
}

void Group::restore(const StoredGroup& record, Now now) {
  members_.clear();
  static_members_.clear();
  held_bytes_ = 0;
  generation_ = record.generation;
  protocol_type_.reset();
  if (!record.protocol_type.empty()) protocol_type_ = record.protocol_type;
  protocol_ = record.protocol;
  leader_ = record.leader;
  state_since_ms_ = record.state_since_ms;
  for (const StoredMember& stored : record.members) {
    Member member;
    member.id = stored.id;
    member.instance_id = stored.instance_id;
    member.client_id = stored.client_id;
    member.client_host = stored.client_host;
    member.session_timeout_ms = stored.session_timeout_ms;
    member.rebalance_timeout_ms =
        stored.rebalance_timeout_ms >= 0 ? stored.rebalance_timeout_ms : stored.session_timeout_ms;
    member.protocols.push_back({record.protocol.value_or(""), stored.subscription});
    member.assignment = stored.assignment;
    if (stored.instance_id) static_members_[*stored.instance_id] = stored.id;
    hold(member.held_bytes());
    members_.insert_or_assign(stored.id, std::move(member));
  }
  state_ = members_.empty() ? GroupState::empty : GroupState::stable;
  // a record without a leader cannot keep one; any member can assign
  if (!members_.empty() && (!leader_ || !members_.contains(*leader_)))
    leader_ = members_.begin()->first;
}

void Group::activate(Now now, Outbox& out) {
  active_ = true;
  find_subscribed_topics();
  for (auto& [id, member] : members_) start_session(member, now);
  if (members_.size() > static_cast<size_t>(settings_.max_size)) {
    prepare_rebalance("the group is above group.max.size", now, out);
  }
}

void Group::written(const Write& write, std::optional<Errc> error, Now now, Outbox& out) {
  if (const auto* assignment = std::get_if<AssignmentWrite>(&write.purpose)) {
    storing_assignment_ = false;
    if (!error || state_ != GroupState::completing_rebalance ||
        assignment->generation != generation_)
      return;
    LOG_WARN("server",
             "Group {}: the assignment of generation {} could not be stored ({}); it rebalances",
             id_, generation_, name_of(*error));
    for (auto& [id, member] : members_) {
      if (member.waiting_sync) reply_sync(member, error, now, out);
    }
    maybe_prepare_rebalance("the assignment could not be stored", now, out);
    settle(now, out);
  } else if (std::holds_alternative<EmptyGroupWrite>(write.purpose)) {
    if (error)
      LOG_WARN("server", "Group {}: that it is empty could not be stored ({})", id_,
               name_of(*error));
  } else if (const auto* static_member = std::get_if<StaticMemberWrite>(&write.purpose)) {
    Member* member = find(static_member->member_id);
    if (member == nullptr || member->waiting_join != static_member->token) return;
    JoinResponse response = joined(*member);
    bool is_leader = leader_ == member->id;
    if (error) {
      response = JoinResponse();
      response.error = error;
    } else if (static_member->supports_skip_assignment) {
      response.skip_assignment = is_leader;
    } else {
      // before JoinGroup v9 it must not take itself for the leader: a stable group takes no
      // assignment
      response.members.clear();
      response.leader = static_member->previous_leader;
    }
    reply_join(*member, std::move(response), out);
    start_session(*member, now);
  } else if (const auto* offsets = std::get_if<OffsetsWrite>(&write.purpose)) {
    CommitResponse response = offsets->response;
    for (auto& row : response.offsets) {
      if (!row) row = error;
    }
    out.replies.push_back({offsets->token, std::move(response)});
  } else if (const auto* deleted = std::get_if<DeleteOffsetsWrite>(&write.purpose)) {
    DeleteOffsetsResponse response = deleted->response;
    for (auto& row : response.partitions) {
      if (!row) row = error;
    }
    out.replies.push_back({deleted->token, std::move(response)});
  } else if (const auto* removed = std::get_if<DeleteGroupWrite>(&write.purpose)) {
    // gone, or, where the tombstones were not stored, as before
    if (state_ == GroupState::dead) state_ = GroupState::empty;
    out.replies.push_back({removed->token, DeleteGroupResponse{error}});
  }
}

}  // namespace odradek::broker::group
