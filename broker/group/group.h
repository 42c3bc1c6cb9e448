#pragma once
// Group: the state machine of one group of the classic protocol: members, generations, rebalances,
// offsets.
//
//              join                       all joined / time is up
//   Empty ───────────▶ PreparingRebalance ───────────────────────▶ CompletingRebalance
//     ▲                  ▲      │    ▲                                │  leader's assignment
//     └──── none joined ─┼──────┘    └────── join, leave, time ───────┤  is stored
//                        └──────────────────── Stable ◀───────────────┘
//
// Messages and time go in, replies and records to write go out; it waits for nobody. It lives on
// the shard of its
// __consumer_offsets partition. What is committed (generation with assignments, offsets) is changed
// by replay() alone, which runs the same way for a record just stored and for one read at the
// start. Members that join, votes, deadlines and waiting requests are not stored: after a crash
// members keep their last generation and have a whole session time-out to be heard of again.

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "broker/group/member.h"
#include "broker/group/offset_table.h"
#include "broker/group/stored_records.h"
#include "broker/group/types.h"

namespace odradek::broker::group {

enum class GroupState { empty, preparing_rebalance, completing_rebalance, stable, dead };

// As Kafka's tools print it.
std::string_view name_of(GroupState state);

class Group {
 public:
  // `uuid` gives the random part of member ids.
  Group(std::string id, const GroupSettings& settings, const std::function<std::string()>& uuid);

  const std::string& id() const { return id_; }
  GroupState state() const { return state_; }
  int32_t generation() const { return generation_; }
  const std::optional<std::string>& protocol_type() const { return protocol_type_; }
  const OffsetTable& offsets() const { return offsets_; }
  size_t member_count() const { return members_.size(); }
  int64_t held_bytes() const { return held_bytes_; }
  // Nothing stored and nobody there: it can be forgotten without a trace.
  bool is_vacant() const;
  // The earliest moment (monotonic) at which tick() has something to do, or an earlier one.
  int64_t deadline_ms() const { return deadline_ms_; }

  // --- the group protocol ---
  void join(const JoinRequest& request, RequestToken token, Now now, Outbox& out);
  void sync(const SyncRequest& request, RequestToken token, Now now, Outbox& out);
  std::optional<Errc> heartbeat(const HeartbeatRequest& request, Now now);
  LeaveResponse leave(const LeaveRequest& request, Now now, Outbox& out);
  // Runs what is due.
  void tick(Now now, Outbox& out);
  // The request's connection has gone: its reply has no reader.
  void forget(RequestToken token, Now now, Outbox& out);
  // The broker no longer leads: every waiter is answered with the error.
  void abandon(Errc why, Outbox& out);

  // --- offsets ---
  void commit(const CommitRequest& request, RequestToken token, Now now, Outbox& out);
  std::vector<FetchedOffset> fetch(const std::optional<std::vector<TopicPartition>>& partitions,
                                   bool require_stable) const;
  void delete_offsets(const DeleteOffsetsRequest& request, RequestToken token, Outbox& out);
  // Tombstones for what is past its time (KIP-211), at most `limit`; with the last one the group
  // goes too. Returns how many.
  size_t expire(Now now, size_t limit, Outbox& out);
  void delete_topics(const std::set<std::string>& topics, Outbox& out);

  // --- administration ---
  DescribedGroup describe() const;
  void remove(RequestToken token, Outbox& out);

  // --- what is stored ---
  // Offsets belong to an open transaction where `producer` is given.
  void replay(const OffsetRecord& record, Offset log_offset, std::optional<ProducerId> producer);
  void replay(const StoredGroup& record, Now now, Outbox& out);
  // The group's tombstone.
  void replay_removed();
  void end_transaction(ProducerId producer, bool commit) {
    offsets_.end_transaction(producer, commit);
  }
  // After the last record: sessions start.
  void activate(Now now, Outbox& out);
  // A write of this group has ended; on success its records have been replayed already.
  void written(const Write& write, std::optional<Errc> error, Now now, Outbox& out);

 private:
  using Members = std::map<std::string, Member>;

  // group_join.cc
  void join_new(const JoinRequest& request, RequestToken token, Now now, Outbox& out);
  void join_known(const JoinRequest& request, RequestToken token, Now now, Outbox& out);
  void add_member(const JoinRequest& request, const std::string& member_id, RequestToken token,
                  Now now, Outbox& out);
  void update_member(Member& member, const JoinRequest& request, RequestToken token, Outbox& out);
  void replace_static_member(const JoinRequest& request, const std::string& old_id,
                             RequestToken token, Now now, Outbox& out);
  bool accepts(const std::string& member_id) const;
  bool supports(const JoinRequest& request) const;
  JoinResponse joined(const Member& member) const;
  void reply_join(Member& member, JoinResponse response, Outbox& out);

  // group_rebalance.cc
  void maybe_prepare_rebalance(std::string_view reason, Now now, Outbox& out);
  void prepare_rebalance(std::string_view reason, Now now, Outbox& out);
  bool all_joined() const;
  void settle(Now now, Outbox& out);
  void complete_join(Now now, Outbox& out);
  bool elect_joined_leader();
  std::string select_protocol() const;
  std::set<std::string, std::less<>> common_protocols() const;
  void remove_member(const std::string& member_id, Outbox& out);
  void member_gone(const std::string& member_id, std::string_view reason, Now now, Outbox& out);
  void expire_members(Now now, Outbox& out);
  void sync_time_is_up(Now now, Outbox& out);
  int32_t rebalance_timeout_ms() const;
  void become(GroupState state, Now now);

  // group_sync.cc
  std::optional<Errc> check_sync(const SyncRequest& request) const;
  void store_assignment(const SyncRequest& request, Outbox& out);
  void reply_sync(Member& member, std::optional<Errc> error, Now now, Outbox& out);
  StoredGroup to_store() const;

  // group.cc
  std::optional<Errc> check_member(const std::string& member_id,
                                   const std::optional<std::string>& instance_id) const;
  Member* find(const std::string& member_id);
  const Member* find(const std::string& member_id) const;
  void start_session(Member& member, Now now);
  void wake_at(int64_t deadline_ms) { deadline_ms_ = std::min(deadline_ms_, deadline_ms); }
  void find_deadline();
  void find_subscribed_topics();
  void restore(const StoredGroup& record, Now now);
  void hold(int64_t bytes) { held_bytes_ += bytes; }
  std::string new_member_id(const JoinRequest& request) const;

  // group_offsets.cc
  std::optional<Errc> check_commit(const CommitRequest& request) const;
  bool may_expire(const TopicPartition& partition, const StoredOffset& offset, Now now) const;
  bool is_subscribed(const std::string& topic) const;
  void add_tombstones(const std::vector<TopicPartition>& partitions, Write& write) const;

  const std::string id_;
  const GroupSettings& settings_;
  const std::function<std::string()>& uuid_;

  // stored
  int32_t generation_ = 0;
  std::optional<std::string> protocol_type_;
  std::optional<std::string> protocol_;
  std::optional<std::string> leader_;
  int64_t state_since_ms_ = -1;  // wall clock; -1: an old record did not say
  bool has_record_ = false;      // a group record stands in the log
  OffsetTable offsets_;

  // not stored
  GroupState state_ = GroupState::empty;
  bool active_ = false;  // loading has ended
  Members members_;
  std::map<std::string, std::string> static_members_;  // instance id → member id
  std::map<std::string, int64_t>
      pending_members_;                  // id given out, not yet joined with it → deadline
  std::set<std::string> pending_syncs_;  // joined this generation, not yet synced
  std::optional<std::set<std::string>>
      subscribed_topics_;  // of a consumer group whose subscriptions can be read
  int64_t join_deadline_ms_ = kNever;
  int64_t sync_deadline_ms_ = kNever;
  bool initial_delay_ = false;  // the first rebalance of a group waits for company
  int64_t initial_remaining_ms_ = 0;
  bool joined_during_delay_ = false;
  bool storing_assignment_ = false;
  int64_t deadline_ms_ = kNever;
  int64_t held_bytes_ = 0;
};

}  // namespace odradek::broker::group
