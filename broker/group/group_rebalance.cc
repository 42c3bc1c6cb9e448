// A rebalance: everybody joins again, one leader and one protocol are chosen, the generation goes
// up.

#include <algorithm>
#include <utility>

#include "broker/group/group.h"
#include "common/check.h"
#include "common/log/log.h"

namespace odradek::broker::group {

void Group::become(GroupState state, Now now) {
  state_ = state;
  state_since_ms_ = now.wall_ms;
}

void Group::maybe_prepare_rebalance(std::string_view reason, Now now, Outbox& out) {
  if (state_ == GroupState::stable || state_ == GroupState::completing_rebalance ||
      state_ == GroupState::empty) {
    prepare_rebalance(reason, now, out);
  }
}

void Group::prepare_rebalance(std::string_view reason, Now now, Outbox& out) {
  bool was_empty = state_ == GroupState::empty;
  if (state_ == GroupState::completing_rebalance) {
    for (auto& [id, member] : members_) {
      hold(-static_cast<int64_t>(member.assignment.size()));
      member.assignment.clear();
      if (member.waiting_sync) reply_sync(member, Errc::rebalance_in_progress, now, out);
    }
  }
  sync_deadline_ms_ = kNever;
  pending_syncs_.clear();
  become(GroupState::preparing_rebalance, now);
  initial_delay_ = was_empty;
  if (was_empty) {
    // KIP-134: others of a group that starts are likely to come soon
    int64_t delay_ms = std::max(settings_.initial_rebalance_delay_ms, 0);
    joined_during_delay_ = false;
    initial_remaining_ms_ = std::max<int64_t>(rebalance_timeout_ms() - delay_ms, 0);
    join_deadline_ms_ = now.monotonic_ms + delay_ms;
  } else {
    join_deadline_ms_ = now.monotonic_ms + rebalance_timeout_ms();
  }
  wake_at(join_deadline_ms_);
  LOG_INFO("server", "Group {}: prepares a rebalance in generation {}: {}", id_, generation_,
           reason);
}

int32_t Group::rebalance_timeout_ms() const {
  int32_t longest_ms = 0;
  for (const auto& [id, member] : members_)
    longest_ms = std::max(longest_ms, member.rebalance_timeout_ms);
  return longest_ms;
}

bool Group::all_joined() const {
  if (!pending_members_.empty()) return false;
  return std::all_of(members_.begin(), members_.end(),
                     [](const auto& member) { return member.second.waiting_join.has_value(); });
}

// Ends the join phase where that is due. Called at the end of every event.
void Group::settle(Now now, Outbox& out) {
  if (state_ != GroupState::preparing_rebalance) return;
  bool time_is_up = now.monotonic_ms >= join_deadline_ms_;
  if (time_is_up && initial_delay_ && joined_during_delay_ && initial_remaining_ms_ > 0) {
    joined_during_delay_ = false;
    int64_t delay_ms =
        std::min<int64_t>(settings_.initial_rebalance_delay_ms, initial_remaining_ms_);
    initial_remaining_ms_ -= delay_ms;
    join_deadline_ms_ = now.monotonic_ms + delay_ms;
    wake_at(join_deadline_ms_);
    time_is_up = delay_ms <= 0;
  }
  if (time_is_up || (!initial_delay_ && all_joined())) complete_join(now, out);
}

void Group::complete_join(Now now, Outbox& out) {
  std::vector<std::string> absent;
  for (const auto& [id, member] : members_) {
    if (!member.waiting_join && !member.instance_id) absent.push_back(id);
  }
  for (const std::string& id : absent) {
    LOG_INFO("server", "Group {}: member {} did not join again in time and is removed", id_, id);
    remove_member(id, out);
  }
  initial_delay_ = false;
  if (!members_.empty() && !elect_joined_leader()) {
    // only static members are left and none has come back: their sessions decide
    join_deadline_ms_ = now.monotonic_ms + std::max(rebalance_timeout_ms(), 1);
    wake_at(join_deadline_ms_);
    return;
  }
  join_deadline_ms_ = kNever;
  ++generation_;
  pending_syncs_.clear();
  if (members_.empty()) {
    protocol_.reset();
    leader_.reset();
    become(GroupState::empty, now);
    find_subscribed_topics();
    LOG_INFO("server", "Group {}: generation {} is empty", id_, generation_);
    Write write;
    write.group_id = id_;
    write.records.push_back(group_record(id_, to_store()));
    write.purpose = EmptyGroupWrite();
    out.writes.push_back(std::move(write));
    return;
  }
  protocol_ = select_protocol();
  become(GroupState::completing_rebalance, now);
  find_subscribed_topics();
  storing_assignment_ = false;
  LOG_INFO("server", "Group {}: generation {} with {} members, protocol {}", id_, generation_,
           members_.size(), *protocol_);
  for (auto& [id, member] : members_) {
    JoinResponse response = joined(member);
    reply_join(member, std::move(response), out);
    member.is_new = false;
    pending_syncs_.insert(id);
    start_session(member, now);
  }
  sync_deadline_ms_ = now.monotonic_ms + rebalance_timeout_ms();
  wake_at(sync_deadline_ms_);
}

// False where the leader is not back and no other member has joined.
bool Group::elect_joined_leader() {
  const Member* leader = leader_ ? find(*leader_) : nullptr;
  if (leader != nullptr && leader->waiting_join) return true;
  for (const auto& [id, member] : members_) {
    if (!member.waiting_join) continue;
    leader_ = id;
    return true;
  }
  return false;
}

std::set<std::string, std::less<>> Group::common_protocols() const {
  std::set<std::string, std::less<>> common;
  if (members_.empty()) return common;
  for (const MemberProtocol& protocol : members_.begin()->second.protocols) {
    bool shared = std::all_of(members_.begin(), members_.end(), [&](const auto& member) {
      return member.second.supports(protocol.name);
    });
    if (shared) common.insert(protocol.name);
  }
  return common;
}

// Each member votes for the first of its protocols that all know; most votes win, then the leader's
// preference.
std::string Group::select_protocol() const {
  auto candidates = common_protocols();
  std::map<std::string, size_t> votes;
  for (const auto& [id, member] : members_) {
    if (const std::string* vote = member.vote(candidates)) ++votes[*vote];
  }
  CHECK(!votes.empty());  // nobody joins who shares no protocol with the others
  size_t most = 0;
  for (const auto& [name, count] : votes) most = std::max(most, count);
  const Member* leader = leader_ ? find(*leader_) : nullptr;
  if (leader != nullptr) {
    for (const MemberProtocol& protocol : leader->protocols) {
      auto at = votes.find(protocol.name);
      if (at != votes.end() && at->second == most) return protocol.name;
    }
  }
  for (const auto& [name, count] : votes) {
    if (count == most) return name;
  }
  return votes.begin()->first;
}

void Group::remove_member(const std::string& member_id, Outbox& out) {
  auto at = members_.find(member_id);
  if (at == members_.end()) return;
  Member& member = at->second;
  if (member.waiting_join) {
    JoinResponse gone;
    gone.error = Errc::unknown_member_id;
    reply_join(member, std::move(gone), out);
  }
  if (member.waiting_sync) {
    SyncResponse gone;
    gone.error = Errc::unknown_member_id;
    out.replies.push_back({*member.waiting_sync, std::move(gone)});
  }
  hold(-member.held_bytes());
  if (member.instance_id) {
    auto fixed = static_members_.find(*member.instance_id);
    if (fixed != static_members_.end() && fixed->second == member_id) static_members_.erase(fixed);
  }
  pending_syncs_.erase(member_id);
  members_.erase(at);
  if (leader_ == member_id) {
    leader_.reset();
    if (!members_.empty()) leader_ = members_.begin()->first;
  }
}

void Group::member_gone(const std::string& member_id, std::string_view reason, Now now,
                        Outbox& out) {
  remove_member(member_id, out);
  maybe_prepare_rebalance(reason, now, out);
}

void Group::expire_members(Now now, Outbox& out) {
  std::vector<std::string> expired;
  for (auto& [id, member] : members_) {
    if (member.session_deadline_ms > now.monotonic_ms) continue;
    // who waits for us is alive; its session starts again with the reply
    if (!member.is_new && (member.waiting_join || member.waiting_sync)) {
      member.session_deadline_ms = kNever;
    } else {
      expired.push_back(id);
    }
  }
  for (const std::string& id : expired) {
    LOG_INFO("server", "Group {}: the session of member {} is over", id_, id);
    member_gone(id, "a member's session is over", now, out);
  }
}

// Members that joined but never asked for their assignment hold up nobody any longer.
void Group::sync_time_is_up(Now now, Outbox& out) {
  sync_deadline_ms_ = kNever;
  if (pending_syncs_.empty()) return;
  if (state_ != GroupState::completing_rebalance && state_ != GroupState::stable) return;
  std::vector<std::string> silent(pending_syncs_.begin(), pending_syncs_.end());
  for (const std::string& id : silent) {
    LOG_INFO("server", "Group {}: member {} did not ask for its assignment in time and is removed",
             id_, id);
    remove_member(id, out);
  }
  maybe_prepare_rebalance("members did not ask for their assignment", now, out);
}

}  // namespace odradek::broker::group
