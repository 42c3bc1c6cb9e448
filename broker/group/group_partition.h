#pragma once
// GroupPartition: the groups of one __consumer_offsets partition that this broker leads, with what
// stands around the state machines: loading from the log, storing of records, and the requests that
// wait. It lives on the partition's shard and ends there; while it loads, a background thread owns
// the GroupSet.
//
// Records are stored one append after the other, those that queue meanwhile go together; each
// append is replayed into the set before the next one starts, and nobody is answered before.

#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "broker/group/group_set.h"
#include "broker/group/types.h"
#include "broker/replica/partition_manager.h"
#include "common/clock.h"
#include "common/runtime/executor.h"

namespace odradek::broker::group {

// What every GroupPartition of a broker uses; kept alive by each.
struct GroupContext {
  GroupSettings settings;
  const Clock* clock = nullptr;
  runtime::Background* background = nullptr;
  replica::PartitionManager* partitions = nullptr;

  Now now() const { return {clock->monotonic_ms(), clock->wall_ms()}; }
};

class GroupPartition : public std::enable_shared_from_this<GroupPartition> {
 public:
  template <typename T>
  using Awaitable = boost::asio::awaitable<T>;
  using OnReply = std::function<void(ReplyBody)>;
  enum class Status { loading, serving, failed, ended };

  // `deadline_moved` is called on the shard whenever next_deadline_ms() may have become earlier.
  GroupPartition(TopicPartition id, std::shared_ptr<const GroupContext> context,
                 runtime::Executor shard, std::function<void()> deadline_moved);

  const TopicPartition& id() const { return id_; }
  Status status() const { return status_; }
  // nullopt while it serves.
  std::optional<Errc> unready() const;

  // Reads the log up to its end, then serves.
  Awaitable<void> load();
  // No longer the leader, or the broker stops: whoever waits is told not_coordinator.
  void end();

  // Only while it serves. The reply comes once, here or later on this shard, unless the request is
  // forgotten before.
  void join(const JoinRequest& request, RequestToken token, OnReply on_reply);
  void sync(const SyncRequest& request, RequestToken token, OnReply on_reply);
  void commit(const CommitRequest& request, RequestToken token, OnReply on_reply);
  void delete_offsets(const DeleteOffsetsRequest& request, RequestToken token, OnReply on_reply);
  void remove(const std::string& group_id, RequestToken token, OnReply on_reply);
  // Nobody waits for this request's reply any more.
  void forget(const std::string& group_id, RequestToken token);
  std::optional<Errc> heartbeat(const HeartbeatRequest& request);
  LeaveResponse leave(const LeaveRequest& request);
  const GroupSet& groups() const { return *set_; }
  // Also while it loads: it is done afterwards then.
  void topics_deleted(const std::vector<std::string>& topics);

  int64_t next_deadline_ms() const {
    return status_ == Status::serving ? set_->next_deadline_ms() : kNever;
  }
  void tick();

 private:
  void handle(Outbox out);
  void deliver(Reply reply);
  void store_writes();
  Awaitable<void> store_acknowledged(std::vector<Write> writes, Offset first, Offset last);
  // The next writes that go together, taken from the queue.
  std::vector<Write> take_writes();
  Result<Offset> append(const std::vector<Write>& writes, Offset* last);
  Result<Offset> append_batch(const std::vector<Write>& writes, Offset* last);
  void stored(std::vector<Write> writes, Offset first, std::optional<Errc> error, bool in_log);
  Outbox refuse(std::vector<Write> writes, Errc error);

  const TopicPartition id_;
  const std::shared_ptr<const GroupContext> context_;
  const runtime::Executor shard_;
  const std::function<void()> deadline_moved_;
  Status status_ = Status::loading;
  std::unique_ptr<GroupSet> set_;
  std::set<std::string> deleted_while_loading_;

  std::unordered_map<RequestToken, OnReply> waiting_;

  std::deque<Write> writes_;
  size_t queued_bytes_ = 0;
  bool storing_ = false;    // inside of store_writes
  bool in_flight_ = false;  // an append waits for its replicas
  bool store_failed_ = false;
};

}  // namespace odradek::broker::group
