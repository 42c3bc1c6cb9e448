#pragma once
// A GroupSet with a log in memory and a clock that moves by hand. Writes are stored at once, unless
// the test holds or refuses them.

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "broker/group/group_set.h"
#include "common/clock.h"
#include "proto/kafka/records/consumer_protocol.h"

namespace odradek::broker::group {

class GroupHarness {
 public:
  explicit GroupHarness(GroupSettings settings = fast()) : settings_(settings) { restart(); }

  static GroupSettings fast() {
    GroupSettings settings;
    settings.initial_rebalance_delay_ms = 0;
    return settings;
  }

  // A new process: what is in the log is replayed, nothing else is known.
  void restart() {
    set_ =
        std::make_unique<GroupSet>(settings_, [this] { return "id" + std::to_string(++uuids_); });
    replies_.clear();
    held_.clear();
    Outbox out;
    for (size_t i = 0; i < log_.size(); ++i) {
      std::optional<ByteView> value;
      if (log_[i].value) value = *log_[i].value;
      auto done = set_->replay(log_[i].key, value, Offset(static_cast<int64_t>(i)), std::nullopt,
                               now(), out);
      if (!done) std::abort();
    }
    set_->activate(now(), out);
    handle(std::move(out));
  }

  Now now() const { return {clock_.monotonic_ms(), clock_.wall_ms()}; }
  // Time passes in steps, so that every deadline is met on its way.
  void advance_ms(int64_t ms) {
    int64_t end_ms = clock_.monotonic_ms() + ms;
    while (clock_.monotonic_ms() < end_ms) {
      int64_t next_ms =
          std::min(std::max(set_->next_deadline_ms(), clock_.monotonic_ms() + 1), end_ms);
      clock_.advance_ms(next_ms - clock_.monotonic_ms());
      Outbox out;
      set_->tick(now(), out);
      handle(std::move(out));
    }
  }

  RequestToken join(JoinRequest request) {
    Outbox out;
    set_->join(request, ++tokens_, now(), out);
    handle(std::move(out));
    return tokens_;
  }
  RequestToken sync(SyncRequest request) {
    Outbox out;
    set_->sync(request, ++tokens_, now(), out);
    handle(std::move(out));
    return tokens_;
  }
  std::optional<Errc> heartbeat(HeartbeatRequest request) {
    Outbox out;
    auto error = set_->heartbeat(request, now(), out);
    handle(std::move(out));
    return error;
  }
  LeaveResponse leave(LeaveRequest request) {
    Outbox out;
    auto response = set_->leave(request, now(), out);
    handle(std::move(out));
    return response;
  }
  RequestToken commit(CommitRequest request) {
    Outbox out;
    set_->commit(request, ++tokens_, now(), out);
    handle(std::move(out));
    return tokens_;
  }
  RequestToken delete_offsets(DeleteOffsetsRequest request) {
    Outbox out;
    set_->delete_offsets(request, ++tokens_, out);
    handle(std::move(out));
    return tokens_;
  }
  RequestToken remove(const std::string& group_id) {
    Outbox out;
    set_->remove(group_id, ++tokens_, out);
    handle(std::move(out));
    return tokens_;
  }
  void delete_topic(const std::string& topic) {
    Outbox out;
    set_->delete_topics({topic}, out);
    handle(std::move(out));
  }
  void forget(const std::string& group_id, RequestToken token) {
    Outbox out;
    set_->forget(group_id, token, now(), out);
    handle(std::move(out));
  }

  // nullopt: the request still waits.
  template <typename Response>
  std::optional<Response> reply(RequestToken token) const {
    auto at = replies_.find(token);
    if (at == replies_.end()) return std::nullopt;
    return std::get<Response>(at->second);
  }

  void hold_writes(bool hold) {
    hold_ = hold;
    if (hold) return;
    auto held = std::exchange(held_, {});
    Outbox out;
    out.writes = std::move(held);
    handle(std::move(out));
  }
  void fail_writes(std::optional<Errc> error) { write_error_ = error; }

  GroupSet& set() { return *set_; }
  const Group* group(const std::string& id) const { return set_->find(id); }
  std::string state(const std::string& id) const { return set_->describe(id).state; }
  const std::vector<StoredRecord>& log() const { return log_; }
  GroupSettings& settings() { return settings_; }
  ManualClock& clock() { return clock_; }

  // The newest stored value of a group, replayed from the log by itself.
  std::optional<StoredGroup> stored_group(const std::string& id) const {
    std::optional<StoredGroup> newest;
    for (const StoredRecord& record : log_) {
      std::optional<ByteView> value;
      if (record.value) value = *record.value;
      auto decoded = decode_record(record.key, value);
      if (const auto* found = std::get_if<GroupRecord>(&*decoded);
          found != nullptr && found->group_id == id) {
        newest = found->value;
      }
    }
    return newest;
  }

 private:
  void handle(Outbox out) {
    for (Reply& reply : out.replies) replies_.emplace(reply.token, std::move(reply.body));
    for (Write& write : out.writes) {
      if (hold_) {
        held_.push_back(std::move(write));
      } else {
        store(write);
      }
    }
  }
  void store(const Write& write) {
    Outbox out;
    if (!write_error_) {
      for (const StoredRecord& record : write.records) {
        std::optional<ByteView> value;
        if (record.value) value = *record.value;
        auto done = set_->replay(record.key, value, Offset(static_cast<int64_t>(log_.size())),
                                 std::nullopt, now(), out);
        if (!done) std::abort();
        log_.push_back(record);
      }
    }
    set_->written(write, write_error_, now(), out);
    handle(std::move(out));
  }

  GroupSettings settings_;
  ManualClock clock_;
  int uuids_ = 0;
  RequestToken tokens_ = 0;
  std::unique_ptr<GroupSet> set_;
  std::map<RequestToken, ReplyBody> replies_;
  std::vector<StoredRecord> log_;
  std::vector<Write> held_;
  bool hold_ = false;
  std::optional<Errc> write_error_;
};

// What a consumer that subscribes to these topics sends.
inline Bytes subscription(const std::vector<std::string>& topics) {
  kafka::ConsumerProtocolSubscription message;
  message.topics = topics;
  ByteWriter out;
  out.i16(1);
  message.encode(out, 1);
  return out.take();
}

inline JoinRequest join_request(const std::string& group, const std::string& member = "",
                                const std::vector<std::string>& protocols = {"range"}) {
  JoinRequest request;
  request.group_id = group;
  request.member_id = member;
  request.client_id = "client";
  request.client_host = "/127.0.0.1";
  request.session_timeout_ms = 10'000;
  request.rebalance_timeout_ms = 60'000;
  request.protocol_type = "consumer";
  for (const std::string& protocol : protocols)
    request.protocols.push_back({protocol, subscription({"t1"})});
  return request;
}

inline SyncRequest sync_request(const std::string& group, const std::string& member,
                                int32_t generation, std::map<std::string, Bytes> assignments = {}) {
  SyncRequest request;
  request.group_id = group;
  request.member_id = member;
  request.generation = generation;
  request.assignments = std::move(assignments);
  return request;
}

inline CommitRequest commit_request(const std::string& group, const std::string& member,
                                    int32_t generation, const std::string& topic, int32_t partition,
                                    int64_t offset) {
  CommitRequest request;
  request.group_id = group;
  request.member_id = member;
  request.generation = generation;
  OffsetToCommit row;
  row.partition = {topic, PartitionId(partition)};
  row.offset = offset;
  request.offsets.push_back(std::move(row));
  return request;
}

}  // namespace odradek::broker::group
