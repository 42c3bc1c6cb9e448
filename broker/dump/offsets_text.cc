// What __consumer_offsets holds, in the words of Kafka's dump tool.

#include "broker/dump/output.h"
#include "broker/dump/paths.h"
#include "broker/dump/record_text.h"
#include "common/bytes/hash.h"
#include "common/format.h"
#include "common/ids.h"
#include "proto/kafka/records/consumer_protocol.h"
#include "proto/kafka/records/group_metadata.h"
#include "proto/kafka/records/offset_commit.h"

namespace odradek::broker::dump {
namespace {

constexpr int16_t kLastOffsetKey = 1;  // keys 0 and 1 are offsets, 2 is a group
constexpr std::string_view kDeleted = "<DELETE>";

Error underflow() { return exception("java.nio.BufferUnderflowException", ""); }
Error undecodable(const Error& error) {
  return exception("java.lang.RuntimeException", error.what());
}

// A number's hexadecimal digits, in capitals: without zeros in front, as Java prints a number.
std::string hex_number(ByteView bytes) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  if (bytes.empty()) return "";
  std::string text;
  for (char c : bytes) {
    text += kDigits[static_cast<uint8_t>(c) >> 4];
    text += kDigits[static_cast<uint8_t>(c) & 15];
  }
  size_t first = text.find_first_not_of('0');
  return first == std::string::npos ? "0" : text.substr(first);
}

// A JSON string as Jackson writes it: only what must be escaped is.
std::string json_string(std::string_view text) {
  std::string out = "\"";
  for (char c : text) {
    switch (c) {
      case '"':
        out += "\\\"";
        break;
      case '\\':
        out += "\\\\";
        break;
      case '\b':
        out += "\\b";
        break;
      case '\f':
        out += "\\f";
        break;
      case '\n':
        out += "\\n";
        break;
      case '\r':
        out += "\\r";
        break;
      case '\t':
        out += "\\t";
        break;
      default:
        if (static_cast<uint8_t>(c) < 0x20) {
          out += format("\\u{:04X}", static_cast<int>(c));
        } else {
          out += c;
        }
    }
  }
  return out + "\"";
}

// "MEMBER=[t-0, t-1]", the user data behind a colon.
Result<std::string> member_text(const kafka::GroupMetadataValue& group,
                                const kafka::GroupMetadataValue::MemberMetadata& member) {
  std::string text = member.member_id + "=";
  if (group.protocol_type != "consumer") return text + hex_number(member.assignment);
  ByteReader reader(member.assignment);
  int16_t version = reader.i16();
  if (!reader.ok() || version < 0) {
    return exception("org.apache.kafka.common.protocol.types.SchemaException",
                     "Buffer underflow while parsing consumer protocol's header");
  }
  version = std::min(version, kafka::ConsumerProtocolAssignment::kMaxVersion);
  auto assignment = kafka::ConsumerProtocolAssignment::decode(reader, version);
  if (!assignment) {
    return exception("org.apache.kafka.common.protocol.types.SchemaException",
                     "Buffer underflow while parsing consumer protocol's assignment");
  }
  std::string list;
  for (const auto& topic : assignment->assigned_partitions) {
    for (int32_t partition : topic.partitions) {
      list += (list.empty() ? "" : ", ") +
              TopicPartition{topic.topic, PartitionId(partition)}.to_string();
    }
  }
  text += "[" + list + "]";
  std::string user_data = hex_number(assignment->user_data.value_or(""));
  return user_data.empty() ? text : text + ":" + user_data;
}

Result<std::string> group_text(ByteView bytes) {
  ByteReader reader(bytes);
  int16_t version = reader.i16();
  if (!reader.ok()) return underflow();
  if (version < kafka::GroupMetadataValue::kMinVersion ||
      version > kafka::GroupMetadataValue::kMaxVersion) {
    return exception("java.lang.IllegalStateException",
                     format("Unknown group metadata message version: {}", version));
  }
  auto group = kafka::GroupMetadataValue::decode(reader, version);
  if (!group) return undecodable(group.error());
  std::vector<int32_t> hashes;
  for (const auto& member : group->members) hashes.push_back(java_hash(member.member_id));
  std::string members;
  for (size_t i : hash_table_order(hashes, hash_table_size(hashes.size()))) {
    Result<std::string> member = member_text(*group, group->members[i]);
    if (!member) return member.error();
    members += (members.empty() ? "" : ",") + *member;
  }
  return format(R"({{"protocolType":{},"protocol":{},"generationId":{},"assignment":{}}})",
                json_string(group->protocol_type),
                group->protocol ? json_string(*group->protocol) : "null", group->generation,
                json_string("{" + members + "}"));
}

Result<std::string> offset_text(ByteView bytes) {
  ByteReader reader(bytes);
  int16_t version = reader.i16();
  if (!reader.ok()) return underflow();
  if (version < kafka::OffsetCommitValue::kMinVersion ||
      version > kafka::OffsetCommitValue::kMaxVersion) {
    return exception("java.lang.IllegalStateException",
                     format("Unknown offset message version: {}", version));
  }
  auto value = kafka::OffsetCommitValue::decode(reader, version);
  if (!value) return undecodable(value.error());
  std::string text = format("offset={}", value->offset);
  return value->metadata.empty() ? text : text + ",metadata=" + value->metadata;
}

class OffsetsDecoder : public RecordDecoder {
 public:
  Result<RecordText> decode(const DumpedRecord& record) const override {
    if (!record.key) {
      return exception(
          "org.apache.kafka.common.KafkaException",
          "Failed to decode message using offset topic decoder (message had a missing key)");
    }
    ByteReader reader(*record.key);
    int16_t type = reader.i16();
    if (!reader.ok()) return underflow();
    RecordText text;
    Result<std::string> value = std::string(kDeleted);
    if (type >= 0 && type <= kLastOffsetKey) {
      auto key = kafka::OffsetCommitKey::decode(reader, 0);
      if (!key) return underflow();
      TopicPartition id{key->topic, PartitionId(key->partition)};
      text.key = "offset_commit::group=" + key->group + ",partition=" + id.to_string();
      if (record.value) value = offset_text(*record.value);
    } else if (type == kafka::GroupMetadataKey::kRecordType) {
      auto key = kafka::GroupMetadataKey::decode(reader, 0);
      if (!key) return underflow();
      text.key = "group_metadata::group=" + key->group;
      if (record.value) value = group_text(*record.value);
    } else {
      return RecordText{format("unknown::version={}", type), std::nullopt};
    }
    if (!value) return value.error();
    text.value = std::move(*value);
    return text;
  }
};

}  // namespace

std::unique_ptr<RecordDecoder> offsets_decoder() { return std::make_unique<OffsetsDecoder>(); }

}  // namespace odradek::broker::dump
