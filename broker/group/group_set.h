#pragma once
// GroupSet: all groups of one __consumer_offsets partition, by id, with one deadline for them all.
// Pure: requests, time and stored records go in, an Outbox comes out. It lives on the partition's
// shard.
//
//   load:   replay(record) for each in the log, then activate()
//   serve:  request → Outbox{replies, writes}; store a write, replay(its records), written(write) →
//   Outbox
// Writes are to be stored and replayed in the order in which they came out.

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "broker/group/group.h"
#include "broker/group/stored_records.h"
#include "broker/group/types.h"

namespace odradek::broker::group {

class GroupSet {
 public:
  // `uuid` gives a fresh random text for each member id. `settings` outlives the set.
  GroupSet(const GroupSettings& settings, std::function<std::string()> uuid);

  void join(const JoinRequest& request, RequestToken token, Now now, Outbox& out);
  void sync(const SyncRequest& request, RequestToken token, Now now, Outbox& out);
  std::optional<Errc> heartbeat(const HeartbeatRequest& request, Now now, Outbox& out);
  LeaveResponse leave(const LeaveRequest& request, Now now, Outbox& out);
  void commit(const CommitRequest& request, RequestToken token, Now now, Outbox& out);
  std::vector<FetchedOffset> fetch(const std::string& group_id,
                                   const std::optional<std::vector<TopicPartition>>& partitions,
                                   bool require_stable) const;
  void delete_offsets(const DeleteOffsetsRequest& request, RequestToken token, Outbox& out);
  // An unknown group is described as Dead, with group_id_not_found (which only DescribeGroups v6
  // tells).
  DescribedGroup describe(const std::string& group_id) const;
  std::vector<ListedGroup> list() const;
  void remove(const std::string& group_id, RequestToken token, Outbox& out);
  void delete_topics(const std::set<std::string>& topics, Outbox& out);
  // The request's connection has gone.
  void forget(const std::string& group_id, RequestToken token, Now now, Outbox& out);
  // This broker no longer leads the partition: answers every waiter.
  void abandon(Errc why, Outbox& out);

  // Runs what is due; call at or after next_deadline_ms() (monotonic).
  void tick(Now now, Outbox& out);
  int64_t next_deadline_ms() const;

  // Error: a record that cannot be read; it is then as if it were not there. `log_offset` is its
  // place in the log; `producer` is given for a record of a transaction, which counts from its
  // commit marker on.
  Result<void> replay(ByteView key, std::optional<ByteView> value, Offset log_offset,
                      std::optional<ProducerId> producer, Now now, Outbox& out);
  // A transaction marker in the log.
  void end_transaction(ProducerId producer, bool commit);
  void activate(Now now, Outbox& out);
  void written(const Write& write, std::optional<Errc> error, Now now, Outbox& out);

  size_t group_count() const { return groups_.size(); }
  size_t offset_count() const;
  uint64_t unknown_records() const { return unknown_records_; }
  const Group* find(const std::string& group_id) const;

 private:
  struct Slot {
    explicit Slot(Group state) : group(std::move(state)) {}
    Group group;
    int64_t registered_ms = kNever;  // in deadlines_
    int64_t counted_bytes = 0;       // in held_bytes_
  };
  using Slots = std::map<std::string, std::unique_ptr<Slot>>;

  Slot* slot(const std::string& group_id);
  Slot& make(const std::string& group_id);
  // Brings deadline and byte count up to date; drops the group where nothing is left of it.
  void touch(Slot& slot);
  void expire_offsets(Now now, Outbox& out);

  const GroupSettings& settings_;
  std::function<std::string()> uuid_;
  Slots groups_;
  std::set<std::pair<int64_t, std::string>> deadlines_;
  int64_t held_bytes_ = 0;
  bool active_ = false;
  int64_t next_expiry_ms_ = kNever;
  std::string expiry_cursor_;  // a round of expiry goes on behind this group
  std::map<ProducerId, std::set<std::string>>
      in_transactions_;  // groups with offsets of an open one
  uint64_t unknown_records_ = 0;
};

}  // namespace odradek::broker::group
