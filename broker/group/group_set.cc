#include "broker/group/group_set.h"

#include <algorithm>
#include <utility>

#include "common/log/log.h"

namespace odradek::broker::group {

namespace {
// Tombstones of one step of expiry; a round over many groups takes several steps with room for
// others between them.
constexpr size_t kTombstonesPerStep = 5'000;
constexpr size_t kGroupsPerStep = 20'000;
constexpr int64_t kExpiryStepMs = 100;

Reply join_refused(RequestToken token, const std::string& member_id, Errc error) {
  JoinResponse response;
  response.error = error;
  response.member_id = member_id;
  return {token, std::move(response)};
}
}  // namespace

GroupSet::GroupSet(const GroupSettings& settings, std::function<std::string()> uuid)
    : settings_(settings), uuid_(std::move(uuid)) {}

GroupSet::Slot* GroupSet::slot(const std::string& group_id) {
  auto at = groups_.find(group_id);
  return at == groups_.end() ? nullptr : at->second.get();
}

const Group* GroupSet::find(const std::string& group_id) const {
  auto at = groups_.find(group_id);
  return at == groups_.end() ? nullptr : &at->second->group;
}

GroupSet::Slot& GroupSet::make(const std::string& group_id) {
  auto& place = groups_[group_id];
  if (!place) {
    place = std::make_unique<Slot>(Group(group_id, settings_, uuid_));
    Outbox nothing;
    if (active_) place->group.activate(Now(), nothing);
  }
  return *place;
}

void GroupSet::touch(Slot& slot) {
  held_bytes_ += slot.group.held_bytes() - slot.counted_bytes;
  slot.counted_bytes = slot.group.held_bytes();
  bool vacant = active_ && slot.group.is_vacant();
  int64_t deadline_ms = vacant ? kNever : slot.group.deadline_ms();
  if (deadline_ms != slot.registered_ms) {
    if (slot.registered_ms != kNever) deadlines_.erase({slot.registered_ms, slot.group.id()});
    if (deadline_ms != kNever) deadlines_.insert({deadline_ms, slot.group.id()});
    slot.registered_ms = deadline_ms;
  }
  if (vacant) groups_.erase(std::string(slot.group.id()));
}

void GroupSet::join(const JoinRequest& request, RequestToken token, Now now, Outbox& out) {
  if (request.group_id.empty()) {
    out.replies.push_back(join_refused(token, request.member_id, Errc::invalid_group_id));
    return;
  }
  if (request.session_timeout_ms < settings_.min_session_timeout_ms ||
      request.session_timeout_ms > settings_.max_session_timeout_ms) {
    out.replies.push_back(join_refused(token, request.member_id, Errc::invalid_session_timeout));
    return;
  }
  Slot* place = slot(request.group_id);
  if (place == nullptr && !request.member_id.empty()) {
    out.replies.push_back(join_refused(token, request.member_id, Errc::unknown_member_id));
    return;
  }
  int64_t wanted_bytes = 0;
  for (const MemberProtocol& protocol : request.protocols) {
    wanted_bytes += static_cast<int64_t>(protocol.name.size() + protocol.metadata.size());
  }
  if (held_bytes_ + wanted_bytes > settings_.max_member_bytes) {
    LOG_WARN(
        "server",
        "Group {}: a member is refused, members of this partition's groups hold {} bytes already",
        request.group_id, held_bytes_);
    out.replies.push_back(join_refused(token, request.member_id, Errc::coordinator_not_available));
    return;
  }
  if (place == nullptr) place = &make(request.group_id);
  place->group.join(request, token, now, out);
  touch(*place);
}

void GroupSet::sync(const SyncRequest& request, RequestToken token, Now now, Outbox& out) {
  SyncResponse refused;
  if (request.group_id.empty()) {
    refused.error = Errc::invalid_group_id;
  } else if (Slot* place = slot(request.group_id)) {
    place->group.sync(request, token, now, out);
    touch(*place);
    return;
  } else {
    refused.error = Errc::unknown_member_id;
  }
  out.replies.push_back({token, std::move(refused)});
}

std::optional<Errc> GroupSet::heartbeat(const HeartbeatRequest& request, Now now, Outbox& out) {
  if (request.group_id.empty()) return Errc::invalid_group_id;
  Slot* place = slot(request.group_id);
  if (place == nullptr) return Errc::unknown_member_id;
  auto error = place->group.heartbeat(request, now);
  touch(*place);
  return error;
}

LeaveResponse GroupSet::leave(const LeaveRequest& request, Now now, Outbox& out) {
  LeaveResponse response;
  if (request.group_id.empty()) {
    response.error = Errc::invalid_group_id;
  } else if (Slot* place = slot(request.group_id)) {
    response = place->group.leave(request, now, out);
    touch(*place);
  } else {
    response.members.assign(request.members.size(), Errc::unknown_member_id);
  }
  return response;
}

void GroupSet::commit(const CommitRequest& request, RequestToken token, Now now, Outbox& out) {
  Slot* place = slot(request.group_id);
  if (place == nullptr) {
    if (request.generation >= 0) {
      // the group is relying on Kafka for its membership, and is not known here
      CommitResponse response;
      response.offsets.assign(request.offsets.size(), Errc::illegal_generation);
      out.replies.push_back({token, std::move(response)});
      return;
    }
    place = &make(request.group_id);
  }
  place->group.commit(request, token, now, out);
  touch(
      *place);  // a group that begins with this commit is made again when its records are replayed
}

std::vector<FetchedOffset> GroupSet::fetch(
    const std::string& group_id, const std::optional<std::vector<TopicPartition>>& partitions,
    bool require_stable) const {
  if (const Group* group = find(group_id)) return group->fetch(partitions, require_stable);
  std::vector<FetchedOffset> rows;
  if (!partitions) return rows;
  for (const TopicPartition& partition : *partitions) {
    FetchedOffset row;
    row.partition = partition;
    rows.push_back(std::move(row));
  }
  return rows;
}

void GroupSet::delete_offsets(const DeleteOffsetsRequest& request, RequestToken token,
                              Outbox& out) {
  DeleteOffsetsResponse refused;
  if (request.group_id.empty()) {
    refused.error = Errc::invalid_group_id;
  } else if (Slot* place = slot(request.group_id)) {
    place->group.delete_offsets(request, token, out);
    touch(*place);
    return;
  } else {
    refused.error = Errc::group_id_not_found;
  }
  out.replies.push_back({token, std::move(refused)});
}

DescribedGroup GroupSet::describe(const std::string& group_id) const {
  if (const Group* group = find(group_id)) return group->describe();
  DescribedGroup unknown;
  unknown.error = Errc::group_id_not_found;
  unknown.group_id = group_id;
  unknown.state = name_of(GroupState::dead);
  return unknown;
}

std::vector<ListedGroup> GroupSet::list() const {
  std::vector<ListedGroup> rows;
  rows.reserve(groups_.size());
  for (const auto& [id, place] : groups_) {
    ListedGroup row;
    row.group_id = id;
    row.protocol_type = place->group.protocol_type().value_or("");
    row.state = name_of(place->group.state());
    rows.push_back(std::move(row));
  }
  return rows;
}

void GroupSet::remove(const std::string& group_id, RequestToken token, Outbox& out) {
  if (Slot* place = slot(group_id)) {
    place->group.remove(token, out);
    touch(*place);
    return;
  }
  out.replies.push_back({token, DeleteGroupResponse{Errc::group_id_not_found}});
}

void GroupSet::delete_topics(const std::set<std::string>& topics, Outbox& out) {
  for (auto& [id, place] : groups_) place->group.delete_topics(topics, out);
}

void GroupSet::forget(const std::string& group_id, RequestToken token, Now now, Outbox& out) {
  if (Slot* place = slot(group_id)) {
    place->group.forget(token, now, out);
    touch(*place);
  }
}

void GroupSet::abandon(Errc why, Outbox& out) {
  for (auto& [id, place] : groups_) place->group.abandon(why, out);
}

int64_t GroupSet::next_deadline_ms() const {
  if (groups_.empty()) return kNever;
  return deadlines_.empty() ? next_expiry_ms_
                            : std::min(next_expiry_ms_, deadlines_.begin()->first);
}

void GroupSet::tick(Now now, Outbox& out) {
  // what is due now, not what its work makes due: each group once
  std::vector<std::string> due;
  for (const auto& [deadline_ms, id] : deadlines_) {
    if (deadline_ms > now.monotonic_ms) break;
    due.push_back(id);
  }
  for (const std::string& id : due) {
    if (Slot* place = slot(id)) {
      place->group.tick(now, out);
      touch(*place);
    }
  }
  if (next_expiry_ms_ <= now.monotonic_ms) expire_offsets(now, out);
}

void GroupSet::expire_offsets(Now now, Outbox& out) {
  size_t tombstones = 0;
  size_t looked_at = 0;
  auto at = groups_.lower_bound(expiry_cursor_);
  for (; at != groups_.end() && tombstones < kTombstonesPerStep && looked_at < kGroupsPerStep;
       ++at, ++looked_at) {
    tombstones += at->second->group.expire(now, kTombstonesPerStep - tombstones, out);
  }
  bool done = at == groups_.end();
  expiry_cursor_ = done ? std::string() : at->first;
  next_expiry_ms_ =
      now.monotonic_ms + (done ? settings_.offsets_retention_check_ms : kExpiryStepMs);
}

Result<void> GroupSet::replay(ByteView key, std::optional<ByteView> value, Offset log_offset,
                              std::optional<ProducerId> producer, Now now, Outbox& out) {
  auto decoded = decode_record(key, value);
  if (!decoded) return decoded.error();
  if (const auto* offset = std::get_if<OffsetRecord>(&*decoded)) {
    const std::string& id = offset->key.group_id;
    if (!offset->value && slot(id) == nullptr) return {};
    make(id).group.replay(*offset, log_offset, producer);
    if (producer && offset->value) in_transactions_[*producer].insert(id);
  } else if (const auto* group = std::get_if<GroupRecord>(&*decoded)) {
    if (!group->value) {
      if (Slot* place = slot(group->group_id)) place->group.replay_removed();
      return {};
    }
    Slot& place = make(group->group_id);
    place.group.replay(*group->value, now, out);
    touch(place);
  } else {
    ++unknown_records_;
  }
  return {};
}

void GroupSet::end_transaction(ProducerId producer, bool commit) {
  auto ended = in_transactions_.extract(producer);
  if (ended.empty()) return;
  for (const std::string& id : ended.mapped()) {
    if (Slot* place = slot(id)) place->group.end_transaction(producer, commit);
  }
}

void GroupSet::activate(Now now, Outbox& out) {
  active_ = true;
  next_expiry_ms_ = now.monotonic_ms + settings_.offsets_retention_check_ms;
  for (auto at = groups_.begin(); at != groups_.end();) {
    Slot& place = *(at++)->second;  // touch may drop it
    place.group.activate(now, out);
    touch(place);
  }
}

void GroupSet::written(const Write& write, std::optional<Errc> error, Now now, Outbox& out) {
  Slot& place = make(
      write.group_id);  // it may have nothing stored, and still somebody who waits for the answer
  place.group.written(write, error, now, out);
  touch(place);
}

size_t GroupSet::offset_count() const {
  size_t count = 0;
  for (const auto& [id, place] : groups_) count += place->group.offsets().size();
  return count;
}

}  // namespace odradek::broker::group
