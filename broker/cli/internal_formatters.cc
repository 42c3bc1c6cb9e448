#include "broker/cli/internal_formatters.h"

#include "common/bytes/byte_reader.h"
#include "proto/kafka/records/group_metadata.h"
#include "proto/kafka/records/offset_commit.h"

namespace odradek::broker::cli {
namespace {

constexpr int16_t kLastOffsetKey = 1;  // record types 0 and 1 are offsets, 2 is a group

// "[group,topic,partition]::OffsetAndMetadata(...)"; "::NULL" for a tombstone.
class OffsetsFormatter : public MessageFormatter {
 public:
  Result<void> write(const ConsumedRecord& record, std::string& out) override {
    if (!record.key) return {};
    ByteReader in(*record.key);
    int16_t type = in.i16();
    if (!in.ok() || type > kLastOffsetKey) return {};
    auto key = kafka::OffsetCommitKey::decode(in, 0);
    if (!key) return key.error();
    std::string text =
        "[" + key->group + "," + key->topic + "," + std::to_string(key->partition) + "]::";
    if (!record.value) {
      out += text + "NULL\n";
      return {};
    }
    ByteReader body(*record.value);
    int16_t version = body.i16();
    auto value = kafka::OffsetCommitValue::decode(body, version);
    if (!value) return value.error();
    std::string epoch = value->leader_epoch < 0
                            ? "Optional.empty"
                            : "Optional[" + std::to_string(value->leader_epoch) + "]";
    std::string expire = value->expire_timestamp < 0
                             ? "None"
                             : "Some(" + std::to_string(value->expire_timestamp) + ")";
    out += text + "OffsetAndMetadata(offset=" + std::to_string(value->offset) +
           ", leaderEpoch=" + epoch + ", metadata=" + value->metadata +
           ", commitTimestamp=" + std::to_string(value->commit_timestamp) +
           ", expireTimestamp=" + expire + ")\n";
    return {};
  }
};

// "group::GroupMetadata(...)"; "::NULL" for a tombstone.
class GroupFormatter : public MessageFormatter {
 public:
  Result<void> write(const ConsumedRecord& record, std::string& out) override {
    if (!record.key) return {};
    ByteReader in(*record.key);
    int16_t type = in.i16();
    if (!in.ok() || type != kafka::GroupMetadataKey::kRecordType) return {};
    auto key = kafka::GroupMetadataKey::decode(in, 0);
    if (!key) return key.error();
    if (!record.value) {
      out += key->group + "::NULL\n";
      return {};
    }
    ByteReader body(*record.value);
    int16_t version = body.i16();
    auto value = kafka::GroupMetadataValue::decode(body, version);
    if (!value) return value.error();
    std::string members;
    for (const auto& member : value->members) {
      members += (members.empty() ? "" : ", ") + member.member_id;
    }
    out += key->group + "::GroupMetadata(groupId=" + key->group +
           ", generation=" + std::to_string(value->generation) + ", protocolType=Some(" +
           value->protocol_type +
           "), currentState=" + (value->members.empty() ? "Empty" : "Stable") + ", members=Map(" +
           members + "))\n";
    return {};
  }
};

}  // namespace

std::unique_ptr<MessageFormatter> make_internal_formatter(std::string_view name) {
  if (name == "OffsetsMessageFormatter") return std::make_unique<OffsetsFormatter>();
  if (name == "GroupMetadataMessageFormatter") return std::make_unique<GroupFormatter>();
  return nullptr;
}

}  // namespace odradek::broker::cli
