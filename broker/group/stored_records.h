#pragma once
// The records of __consumer_offsets: what Kafka 2.5 to 4.x write is read, what 2.5 and 3.5 write is
// written (offsets in value version 3, or 1 where an expiry is stored; group metadata in version
// 3). The page beside it is stored_records.md.

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "broker/group/types.h"
#include "common/bytes/byte_reader.h"
#include "common/ids.h"
#include "common/result.h"

namespace odradek::broker::group {

struct OffsetKey {
  std::string group_id;
  TopicPartition partition;
};

struct StoredOffset {
  int64_t offset = -1;
  int32_t leader_epoch = -1;
  std::string metadata;
  int64_t commit_ms = -1;  // wall clock
  int64_t expire_ms = -1;  // wall clock; -1: by the group's state (KIP-211)
  Uuid topic_id;           // value version 4; zero: not known
  bool operator==(const StoredOffset&) const = default;
};

struct StoredMember {
  std::string id;
  std::optional<std::string> instance_id;
  std::string client_id;
  std::string client_host;
  int32_t rebalance_timeout_ms = -1;
  int32_t session_timeout_ms = 0;
  Bytes subscription;
  Bytes assignment;
  bool operator==(const StoredMember&) const = default;
};

struct StoredGroup {
  std::string protocol_type;
  int32_t generation = 0;
  std::optional<std::string> protocol;
  std::optional<std::string> leader;
  int64_t state_since_ms = -1;  // wall clock; -1: not known
  std::vector<StoredMember> members;
  bool operator==(const StoredGroup&) const = default;
};

// A record that is not ours to read: groups of the protocol of KIP-848, share groups, what later
// versions add.
struct UnknownRecord {
  int16_t type = -1;
};

struct OffsetRecord {
  OffsetKey key;
  std::optional<StoredOffset> value;  // none: a tombstone
};
struct GroupRecord {
  std::string group_id;
  std::optional<StoredGroup> value;  // none: a tombstone
};
using DecodedRecord = std::variant<OffsetRecord, GroupRecord, UnknownRecord>;

// Error: malformed, unsupported_version (a value newer than 4).
Result<DecodedRecord> decode_record(ByteView key, std::optional<ByteView> value);

StoredRecord offset_record(const OffsetKey& key, const StoredOffset& value);
StoredRecord offset_tombstone(const OffsetKey& key);
StoredRecord group_record(const std::string& group_id, const StoredGroup& value);
StoredRecord group_tombstone(const std::string& group_id);

// The topics of a consumer's subscription (ConsumerProtocolSubscription behind its version);
// nullopt where the bytes are no such thing, as other users of the group protocol send them.
std::optional<std::vector<std::string>> subscribed_topics(ByteView subscription);

}  // namespace odradek::broker::group
