// A group's offsets: who may commit, what is given back, what goes with time.

#include <utility>

#include "broker/group/group.h"
#include "common/log/log.h"

namespace odradek::broker::group {

namespace {
constexpr std::string_view kConsumerProtocolType = "consumer";
}

std::optional<Errc> Group::check_commit(const CommitRequest& request) const {
  if (state_ == GroupState::dead) return Errc::coordinator_not_available;
  // the group only keeps offsets here
  if (request.generation < 0 && state_ == GroupState::empty) return std::nullopt;
  if (request.generation < 0 && request.member_id.empty() && !request.instance_id)
    return Errc::unknown_member_id;
  if (auto error = check_member(request.member_id, request.instance_id)) return error;
  if (request.generation != generation_) return Errc::illegal_generation;
  // It knows this generation, so it has joined, but not what it is assigned: what it commits is not
  // its own any more.
  if (state_ == GroupState::completing_rebalance) return Errc::rebalance_in_progress;
  return std::nullopt;
}

void Group::commit(const CommitRequest& request, RequestToken token, Now now, Outbox& out) {
  CommitResponse response;
  if (auto error = check_commit(request)) {
    response.offsets.assign(request.offsets.size(), error);
    out.replies.push_back({token, std::move(response)});
    return;
  }
  // a commit is a sign of life too
  if (Member* member = find(request.member_id)) start_session(*member, now);
  Write write;
  write.group_id = id_;
  for (const OffsetToCommit& wanted : request.offsets) {
    if (wanted.metadata.size() > static_cast<size_t>(settings_.offset_metadata_max_bytes)) {
      response.offsets.push_back(Errc::offset_metadata_too_large);
      continue;
    }
    StoredOffset value;
    value.offset = wanted.offset;
    value.leader_epoch = wanted.leader_epoch;
    value.metadata = wanted.metadata;
    value.commit_ms = wanted.commit_ms >= 0 ? wanted.commit_ms : now.wall_ms;
    if (request.retention_ms >= 0) value.expire_ms = value.commit_ms + request.retention_ms;
    write.records.push_back(offset_record({id_, wanted.partition}, value));
    response.offsets.push_back(std::nullopt);
  }
  if (write.records.empty()) {
    out.replies.push_back({token, std::move(response)});
    return;
  }
  OffsetsWrite purpose;
  purpose.token = token;
  purpose.response = std::move(response);
  write.purpose = std::move(purpose);
  out.writes.push_back(std::move(write));
}

std::vector<FetchedOffset> Group::fetch(
    const std::optional<std::vector<TopicPartition>>& partitions, bool require_stable) const {
  std::vector<FetchedOffset> rows;
  auto add = [&](const TopicPartition& partition, const StoredOffset* stored) {
    FetchedOffset row;
    row.partition = partition;
    if (require_stable && offsets_.is_pending(partition)) {
      row.error = Errc::unstable_offset_commit;  // KIP-447
    } else if (stored != nullptr) {
      row.offset = stored->offset;
      row.leader_epoch = stored->leader_epoch;
      row.metadata = stored->metadata;
    }
    rows.push_back(std::move(row));
  };
  if (partitions) {
    for (const TopicPartition& partition : *partitions) add(partition, offsets_.find(partition));
  } else {
    offsets_.for_each([&](const TopicPartition& partition, const StoredOffset& stored) {
      add(partition, &stored);
    });
  }
  return rows;
}

void Group::delete_offsets(const DeleteOffsetsRequest& request, RequestToken token, Outbox& out) {
  DeleteOffsetsResponse response;
  bool has_members = state_ != GroupState::empty;
  if (state_ == GroupState::dead) {
    response.error = Errc::group_id_not_found;
  } else if (has_members && protocol_type_ != kConsumerProtocolType) {
    response.error = Errc::non_empty_group;  // what its members read is not known
  }
  if (response.error) {
    out.replies.push_back({token, std::move(response)});
    return;
  }
  std::vector<TopicPartition> gone;
  for (const TopicPartition& partition : request.partitions) {
    bool in_use = has_members && is_subscribed(partition.topic);
    response.partitions.push_back(in_use ? std::optional(Errc::group_subscribed_to_topic)
                                         : std::nullopt);
    if (!in_use && offsets_.find(partition) != nullptr) gone.push_back(partition);
  }
  if (gone.empty()) {
    out.replies.push_back({token, std::move(response)});
    return;
  }
  Write write;
  write.group_id = id_;
  write.splittable = true;
  add_tombstones(gone, write);
  DeleteOffsetsWrite purpose;
  purpose.token = token;
  purpose.response = std::move(response);
  write.purpose = std::move(purpose);
  out.writes.push_back(std::move(write));
}

void Group::add_tombstones(const std::vector<TopicPartition>& partitions, Write& write) const {
  for (const TopicPartition& partition : partitions)
    write.records.push_back(offset_tombstone({id_, partition}));
}

bool Group::is_subscribed(const std::string& topic) const {
  return !subscribed_topics_ || subscribed_topics_->contains(topic);
}

// KIP-211: while a group has members its offsets stay, but for topics it no longer subscribes to.
bool Group::may_expire(const TopicPartition& partition, const StoredOffset& offset, Now now) const {
  if (offsets_.is_pending(partition)) return false;
  int64_t since_ms = offset.commit_ms;
  if (protocol_type_) {
    if (state_ == GroupState::empty) {
      if (state_since_ms_ >= 0) since_ms = state_since_ms_;
    } else if (state_ == GroupState::stable && *protocol_type_ == kConsumerProtocolType &&
               subscribed_topics_) {
      if (subscribed_topics_->contains(partition.topic)) return false;
    } else {
      return false;
    }
  }
  if (offset.expire_ms >= 0) return now.wall_ms >= offset.expire_ms;
  return now.wall_ms - since_ms >= settings_.offsets_retention_ms;
}

size_t Group::expire(Now now, size_t limit, Outbox& out) {
  if (state_ == GroupState::dead) return 0;
  auto gone = offsets_.select(
      [&](const TopicPartition& partition, const StoredOffset& offset) {
        return may_expire(partition, offset, now);
      },
      limit);
  bool last = state_ == GroupState::empty && pending_members_.empty() && !offsets_.has_pending() &&
              gone.size() == offsets_.size();
  Write write;
  write.group_id = id_;
  write.splittable = true;
  write.purpose = CleanupWrite();
  add_tombstones(gone, write);
  if (last && (has_record_ || generation_ > 0)) write.records.push_back(group_tombstone(id_));
  if (write.records.empty()) return 0;
  size_t count = write.records.size();
  LOG_INFO("server", "Group {}: {} offsets have expired{}", id_, gone.size(),
           last ? " and the group with them" : "");
  out.writes.push_back(std::move(write));
  return count;
}

void Group::delete_topics(const std::set<std::string>& topics, Outbox& out) {
  if (state_ == GroupState::dead) return;
  auto gone = offsets_.select([&](const TopicPartition& partition,
                                  const StoredOffset&) { return topics.contains(partition.topic); },
                              offsets_.size());
  if (gone.empty()) return;
  Write write;
  write.group_id = id_;
  write.splittable = true;
  write.purpose = CleanupWrite();
  add_tombstones(gone, write);
  out.writes.push_back(std::move(write));
}

void Group::find_subscribed_topics() {
  subscribed_topics_.reset();
  if (protocol_type_ != kConsumerProtocolType) return;
  std::set<std::string> topics;
  if (!members_.empty()) {
    if (!protocol_) return;
    for (const auto& [id, member] : members_) {
      const Bytes* metadata = member.metadata_of(*protocol_);
      auto own = metadata != nullptr ? subscribed_topics(*metadata) : std::nullopt;
      if (!own) return;
      topics.insert(own->begin(), own->end());
    }
  }
  subscribed_topics_ = std::move(topics);
}

}  // namespace odradek::broker::group
