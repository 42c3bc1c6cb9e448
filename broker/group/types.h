#pragma once
// What goes into the group state machines and what comes out of them. No wire types, no clocks, no
// executors here.

#include <cstdint>
#include <functional>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "common/bytes/byte_writer.h"
#include "common/error.h"
#include "common/ids.h"

namespace odradek::broker::group {

// Both clocks of one moment: deadlines run on the monotonic one, what is stored carries the wall
// clock.
struct Now {
  int64_t monotonic_ms = 0;
  int64_t wall_ms = 0;
};

inline constexpr int64_t kNever = std::numeric_limits<int64_t>::max();

// server.properties, read at the start.
struct GroupSettings {
  int32_t min_session_timeout_ms = 6'000;      // group.min.session.timeout.ms
  int32_t max_session_timeout_ms = 1'800'000;  // group.max.session.timeout.ms
  int32_t initial_rebalance_delay_ms = 3'000;  // group.initial.rebalance.delay.ms
  int32_t max_size = 2'147'483'647;            // group.max.size, members of one group
  int32_t new_member_join_timeout_ms =
      300'000;  // a first JoinGroup waits no longer (not a setting of Kafka's)
  int32_t max_pending_members = 10'000;  // ids given out and not yet used, a group
  int64_t max_member_bytes = 64 << 20;   // subscriptions and assignments of one offsets partition
  int64_t offsets_retention_ms = 604'800'000;         // offsets.retention.minutes
  int64_t offsets_retention_check_ms = 600'000;       // offsets.retention.check.interval.ms
  int32_t offset_metadata_max_bytes = 4'096;          // offset.metadata.max.bytes
  int16_t offsets_commit_required_acks = -1;          // offsets.commit.required.acks
  int32_t offsets_commit_timeout_ms = 5'000;          // offsets.commit.timeout.ms
  int32_t offsets_load_buffer_bytes = 5'242'880;      // offsets.load.buffer.size
  int32_t offsets_topic_partitions = 50;              // offsets.topic.num.partitions
  int16_t offsets_topic_replication_factor = 3;       // offsets.topic.replication.factor
  int32_t offsets_topic_segment_bytes = 104'857'600;  // offsets.topic.segment.bytes
  int8_t offsets_topic_compression =
      0;  // offsets.topic.compression.codec, by its number in a batch
};

// Names a request that waits for its reply. Given out by the caller, unique in one GroupSet.
using RequestToken = uint64_t;

struct MemberProtocol {
  std::string name;
  Bytes metadata;
  bool operator==(const MemberProtocol&) const = default;
};

struct JoinRequest {
  std::string group_id;
  std::string member_id;                   // empty: not known yet
  std::optional<std::string> instance_id;  // KIP-345
  std::string client_id;
  std::string client_host;  // "/127.0.0.1"
  int32_t session_timeout_ms = 0;
  int32_t rebalance_timeout_ms = 0;
  std::string protocol_type;
  std::vector<MemberProtocol> protocols;  // in order of preference
  bool require_known_member_id = false;   // JoinGroup v4, KIP-394
  bool supports_skip_assignment = false;  // JoinGroup v9, KIP-814
  std::string reason;                     // KIP-800, for the log
};

struct JoinedMember {
  std::string member_id;
  std::optional<std::string> instance_id;
  Bytes metadata;
};

struct JoinResponse {
  std::optional<Errc> error;
  std::string member_id;
  int32_t generation = -1;
  std::optional<std::string> protocol_type;
  std::optional<std::string> protocol_name;
  std::string leader;
  bool skip_assignment = false;
  std::vector<JoinedMember> members;  // for the leader only
};

struct SyncRequest {
  std::string group_id;
  std::string member_id;
  std::optional<std::string> instance_id;
  int32_t generation = -1;
  std::optional<std::string> protocol_type;  // SyncGroup v5, KIP-559
  std::optional<std::string> protocol_name;
  std::map<std::string, Bytes> assignments;  // by member id; from the leader only
};

struct SyncResponse {
  std::optional<Errc> error;
  std::optional<std::string> protocol_type;
  std::optional<std::string> protocol_name;
  Bytes assignment;
};

struct HeartbeatRequest {
  std::string group_id;
  std::string member_id;
  std::optional<std::string> instance_id;
  int32_t generation = -1;
};

struct LeavingMember {
  std::string member_id;  // empty: named by instance_id alone
  std::optional<std::string> instance_id;
  std::string reason;
};

struct LeaveRequest {
  std::string group_id;
  std::vector<LeavingMember> members;
};

struct LeaveResponse {
  std::optional<Errc> error;                 // of the whole request
  std::vector<std::optional<Errc>> members;  // in the request's order
};

struct OffsetToCommit {
  TopicPartition partition;
  Uuid topic_id;  // zero: not known
  int64_t offset = -1;
  int32_t leader_epoch = -1;
  std::string metadata;
  int64_t commit_ms = -1;  // OffsetCommit v1 only; -1: now
};

struct CommitRequest {
  std::string group_id;
  std::string member_id;
  std::optional<std::string> instance_id;
  int32_t generation = -1;    // -1: a consumer outside of the group's protocol
  int64_t retention_ms = -1;  // OffsetCommit v2-4
  std::vector<OffsetToCommit> offsets;
};

struct CommitResponse {
  std::vector<std::optional<Errc>> offsets;  // in the request's order
};

struct FetchedOffset {
  TopicPartition partition;
  int64_t offset = -1;  // -1: none is committed
  int32_t leader_epoch = -1;
  std::string metadata;
  std::optional<Errc> error;
};

struct DeleteOffsetsRequest {
  std::string group_id;
  std::vector<TopicPartition> partitions;
};

struct DeleteOffsetsResponse {
  std::optional<Errc> error;                    // of the whole request
  std::vector<std::optional<Errc>> partitions;  // in the request's order
};

struct DeleteGroupResponse {
  std::optional<Errc> error;
};

struct DescribedMember {
  std::string member_id;
  std::optional<std::string> instance_id;
  std::string client_id;
  std::string client_host;
  Bytes metadata;
  Bytes assignment;
};

struct DescribedGroup {
  std::optional<Errc> error;
  std::string group_id;
  std::string state;          // as Kafka's tools print it
  std::string protocol_type;  // empty: a group that only stores offsets
  std::string protocol;
  std::vector<DescribedMember> members;
};

struct ListedGroup {
  std::string group_id;
  std::string protocol_type;
  std::string state;
};

// A record for __consumer_offsets; without a value a tombstone.
struct StoredRecord {
  Bytes key;
  std::optional<Bytes> value;
};

// What a write was for: it tells the group what to do when the records are stored, or when that
// failed.
struct AssignmentWrite {
  int32_t generation = -1;
};
struct EmptyGroupWrite {};
struct StaticMemberWrite {
  RequestToken token = 0;
  std::string member_id;
  std::string previous_leader;  // what clients before JoinGroup v9 are told
  bool supports_skip_assignment = false;
};
struct OffsetsWrite {
  RequestToken token = 0;
  CommitResponse response;  // where a row has no error yet it gets the write's
};
struct DeleteOffsetsWrite {
  RequestToken token = 0;
  DeleteOffsetsResponse response;
};
struct DeleteGroupWrite {
  RequestToken token = 0;
};
struct CleanupWrite {};  // expired offsets, offsets of deleted topics

using WritePurpose = std::variant<AssignmentWrite, EmptyGroupWrite, StaticMemberWrite, OffsetsWrite,
                                  DeleteOffsetsWrite, DeleteGroupWrite, CleanupWrite>;

struct Write {
  std::string group_id;
  std::vector<StoredRecord> records;
  WritePurpose purpose;
  bool splittable = false;  // tombstones: may be stored as several batches
};

using ReplyBody = std::variant<JoinResponse, SyncResponse, CommitResponse, DeleteOffsetsResponse,
                               DeleteGroupResponse>;

struct Reply {
  RequestToken token = 0;
  ReplyBody body;
};

// What one step asks of its surroundings. Writes are stored in this order; each is handed back to
// GroupSet::written.
struct Outbox {
  std::vector<Reply> replies;
  std::vector<Write> writes;
};

}  // namespace odradek::broker::group
