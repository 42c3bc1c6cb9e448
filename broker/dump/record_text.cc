#include "broker/dump/record_text.h"

#include <set>

#include "broker/dump/output.h"
#include "broker/dump/paths.h"
#include "common/bytes/hash.h"
#include "common/bytes/utf8.h"
#include "common/format.h"
#include "common/ids.h"
#include "proto/kafka/records/transaction_log.h"

namespace odradek::broker::dump {
namespace {

class StringDecoder : public RecordDecoder {
 public:
  Result<RecordText> decode(const DumpedRecord& record) const override {
    RecordText text;
    if (record.key) text.key = replace_malformed(*record.key);
    if (record.value) text.value = replace_malformed(*record.value);
    return text;
  }
};

std::string_view state_name(int8_t status) {
  switch (status) {
    case 0:
      return "Empty";
    case 1:
      return "Ongoing";
    case 2:
      return "PrepareCommit";
    case 3:
      return "PrepareAbort";
    case 4:
      return "CompleteCommit";
    case 5:
      return "CompleteAbort";
    case 6:
      return "Dead";
    case 7:
      return "PrepareEpochFence";
    default:
      return {};
  }
}

// "[a-0,b-1]" in the order of Kafka's set, into which the partitions of one topic after the other come.
std::string partitions_text(const kafka::TransactionLogValue& value) {
  std::vector<std::string> names;
  std::vector<int32_t> hashes;
  size_t table = 16;
  if (value.transaction_partitions) {
    std::set<std::pair<std::string, int32_t>> seen;
    for (const auto& topic : *value.transaction_partitions) {
      std::set<int32_t> fresh(topic.partition_ids.begin(), topic.partition_ids.end());
      // a set that is added announces its size
      while (table < (fresh.size() + 1) * 4 / 3) table *= 2;
      for (int32_t partition : topic.partition_ids) {
        if (!seen.emplace(topic.topic, partition).second) continue;
        names.push_back(TopicPartition{topic.topic, PartitionId(partition)}.to_string());
        uint32_t hash = 31 * (31 + static_cast<uint32_t>(partition)) +
                        static_cast<uint32_t>(java_hash(topic.topic));
        hashes.push_back(static_cast<int32_t>(hash));
      }
    }
  }
  table = std::max(table, hash_table_size(names.size()));
  std::string text;
  for (size_t i : hash_table_order(hashes, table)) text += (text.empty() ? "" : ",") + names[i];
  return "[" + text + "]";
}

class TransactionDecoder : public RecordDecoder {
 public:
  Result<RecordText> decode(const DumpedRecord& record) const override {
    if (!record.key) return exception("java.lang.NullPointerException", "");
    ByteReader reader(*record.key);
    int16_t version = reader.i16();
    if (!reader.ok()) return exception("java.nio.BufferUnderflowException", "");
    if (version != kafka::TransactionLogKey::kRecordType)
      return RecordText{format("unknown::version={}", version), std::nullopt};
    auto key = kafka::TransactionLogKey::decode(reader, 0);
    if (!key) return exception("java.lang.RuntimeException", key.error().what());
    RecordText text;
    text.key = "transaction_metadata::transactionalId=" + key->transactional_id;
    Result<std::string> value = value_text(record);
    if (!value) return value.error();
    text.value = std::move(*value);
    return text;
  }

 private:
  static Result<std::string> value_text(const DumpedRecord& record) {
    if (!record.value) return std::string("<DELETE>");
    ByteReader reader(*record.value);
    int16_t version = reader.i16();
    if (!reader.ok()) return exception("java.nio.BufferUnderflowException", "");
    if (version < kafka::TransactionLogValue::kMinVersion ||
        version > kafka::TransactionLogValue::kMaxVersion) {
      return exception(
          "java.lang.IllegalStateException",
          format("Unknown version {} from the transaction log message value", version));
    }
    auto value = kafka::TransactionLogValue::decode(reader, version);
    if (!value) return exception("java.lang.RuntimeException", value.error().what());
    std::string_view state = state_name(value->transaction_status);
    if (state.empty()) {
      return exception("java.lang.IllegalStateException",
                       format("Unknown transaction status byte {} from the transaction status "
                              "message",
                              value->transaction_status));
    }
    return format(
        "producerId:{},producerEpoch:{},state={},partitions={},txnLastUpdateTimestamp={},"
        "txnTimeoutMs={}",
        value->producer_id, value->producer_epoch, state,
        state == "Empty" ? "[]" : partitions_text(*value),
        value->transaction_last_update_timestamp_ms, value->transaction_timeout_ms);
  }
};

}  // namespace

std::unique_ptr<RecordDecoder> string_decoder() { return std::make_unique<StringDecoder>(); }
std::unique_ptr<RecordDecoder> transaction_decoder() {
  return std::make_unique<TransactionDecoder>();
}

}  // namespace odradek::broker::dump
