#include "broker/group/stored_records.h"

#include <algorithm>
#include <utility>

#include "common/format.h"
#include "proto/kafka/records/consumer_protocol.h"
#include "proto/kafka/records/group_metadata.h"
#include "proto/kafka/records/offset_commit.h"

namespace odradek::broker::group {

namespace {

constexpr int16_t kOffsetVersion = 3;
constexpr int16_t kExpiringOffsetVersion = 1;  // the only one that has a time of expiry
constexpr int16_t kGroupVersion = 3;

template <typename Message>
Bytes behind(int16_t number, const Message& message, int16_t version) {
  ByteWriter out;
  out.i16(number);
  message.encode(out, version);
  return out.take();
}

Bytes encoded_key(const OffsetKey& key) {
  kafka::OffsetCommitKey message;
  message.group = key.group_id;
  message.topic = key.partition.topic;
  message.partition = key.partition.partition.value();
  return behind(kafka::OffsetCommitKey::kRecordType, message, 0);
}

Bytes encoded_key(const std::string& group_id) {
  kafka::GroupMetadataKey message;
  message.group = group_id;
  return behind(kafka::GroupMetadataKey::kRecordType, message, 0);
}

template <typename Message>
Result<Message> decode_value(ByteView value) {
  ByteReader in(value);
  int16_t version = in.i16();
  if (!in.ok()) return Error(Errc::malformed, "a value without a version");
  if (version < Message::kMinVersion || version > Message::kMaxVersion) {
    return Error(Errc::unsupported_version, format("value version {}", version));
  }
  return Message::decode(in, version);
}

Result<DecodedRecord> decode_offset(ByteReader& in, std::optional<ByteView> value) {
  // record type 0 has the same fields
  auto key = kafka::OffsetCommitKey::decode(in, 0);
  if (!key) return key.error();
  OffsetRecord record;
  record.key.group_id = std::move(key->group);
  record.key.partition = {std::move(key->topic), PartitionId(key->partition)};
  if (!value) return DecodedRecord(std::move(record));
  auto message = decode_value<kafka::OffsetCommitValue>(*value);
  if (!message) return message.error();
  StoredOffset stored;
  stored.offset = message->offset;
  stored.leader_epoch = message->leader_epoch;
  stored.metadata = std::move(message->metadata);
  stored.commit_ms = message->commit_timestamp;
  stored.expire_ms = message->expire_timestamp;
  stored.topic_id = message->topic_id;
  record.value = std::move(stored);
  return DecodedRecord(std::move(record));
}

Result<DecodedRecord> decode_group(ByteReader& in, std::optional<ByteView> value) {
  auto key = kafka::GroupMetadataKey::decode(in, 0);
  if (!key) return key.error();
  GroupRecord record;
  record.group_id = std::move(key->group);
  if (!value) return DecodedRecord(std::move(record));
  auto message = decode_value<kafka::GroupMetadataValue>(*value);
  if (!message) return message.error();
  StoredGroup stored;
  stored.protocol_type = std::move(message->protocol_type);
  stored.generation = message->generation;
  stored.protocol = std::move(message->protocol);
  stored.leader = std::move(message->leader);
  stored.state_since_ms = message->current_state_timestamp;
  for (auto& row : message->members) {
    StoredMember member;
    member.id = std::move(row.member_id);
    member.instance_id = std::move(row.group_instance_id);
    member.client_id = std::move(row.client_id);
    member.client_host = std::move(row.client_host);
    member.rebalance_timeout_ms = row.rebalance_timeout;
    member.session_timeout_ms = row.session_timeout;
    member.subscription = std::move(row.subscription);
    member.assignment = std::move(row.assignment);
    stored.members.push_back(std::move(member));
  }
  record.value = std::move(stored);
  return DecodedRecord(std::move(record));
}

}  // namespace

Result<DecodedRecord> decode_record(ByteView key, std::optional<ByteView> value) {
  ByteReader in(key);
  int16_t type = in.i16();
  if (!in.ok()) return Error(Errc::malformed, "a key without a type");
  switch (type) {
    case kafka::LegacyOffsetCommitKey::kRecordType:
    case kafka::OffsetCommitKey::kRecordType:
      return decode_offset(in, value);
    case kafka::GroupMetadataKey::kRecordType:
      return decode_group(in, value);
    default:
      return DecodedRecord(UnknownRecord{type});
  }
}

StoredRecord offset_record(const OffsetKey& key, const StoredOffset& value) {
  kafka::OffsetCommitValue message;
  message.offset = value.offset;
  message.metadata = value.metadata;
  message.commit_timestamp = value.commit_ms;
  int16_t version = kOffsetVersion;
  if (value.expire_ms >= 0) {
    version = kExpiringOffsetVersion;
    message.expire_timestamp = value.expire_ms;
  } else {
    message.leader_epoch = value.leader_epoch;
  }
  return {encoded_key(key), behind(version, message, version)};
}

StoredRecord offset_tombstone(const OffsetKey& key) { return {encoded_key(key), std::nullopt}; }

StoredRecord group_record(const std::string& group_id, const StoredGroup& value) {
  kafka::GroupMetadataValue message;
  message.protocol_type = value.protocol_type;
  message.generation = value.generation;
  message.protocol = value.protocol;
  message.leader = value.leader;
  message.current_state_timestamp = value.state_since_ms;
  for (const StoredMember& member : value.members) {
    kafka::GroupMetadataValue::MemberMetadata row;
    row.member_id = member.id;
    row.group_instance_id = member.instance_id;
    row.client_id = member.client_id;
    row.client_host = member.client_host;
    row.rebalance_timeout = member.rebalance_timeout_ms;
    row.session_timeout = member.session_timeout_ms;
    row.subscription = member.subscription;
    row.assignment = member.assignment;
    message.members.push_back(std::move(row));
  }
  return {encoded_key(group_id), behind(kGroupVersion, message, kGroupVersion)};
}

StoredRecord group_tombstone(const std::string& group_id) {
  return {encoded_key(group_id), std::nullopt};
}

std::optional<std::vector<std::string>> subscribed_topics(ByteView subscription) {
  ByteReader in(subscription);
  int16_t version = in.i16();
  if (!in.ok() || version < 0) return std::nullopt;
  // The topics stand first in every version. Reading no further forgives clients that write the
  // rest differently.
  auto message = kafka::ConsumerProtocolSubscription::decode(in, 0);
  if (!message) return std::nullopt;
  return std::move(message->topics);
}

}  // namespace odradek::broker::group
