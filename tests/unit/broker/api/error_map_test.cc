#include "broker/api/error_map.h"

#include <gtest/gtest.h>

namespace odradek::broker::api {
namespace {

struct Row {
  Errc from;
  int16_t to;
  const char* name;
};

TEST(ErrorMap, GivesKafkasNumbers) {
  const Row rows[] = {
      {Errc::offset_out_of_range, 1, "OFFSET_OUT_OF_RANGE"},
      {Errc::corrupt_record, 2, "CORRUPT_MESSAGE"},
      {Errc::unknown_topic_or_partition, 3, "UNKNOWN_TOPIC_OR_PARTITION"},
      {Errc::not_leader_or_follower, 6, "NOT_LEADER_OR_FOLLOWER"},
      {Errc::record_too_large, 10, "MESSAGE_TOO_LARGE"},
      {Errc::invalid_topic_name, 17, "INVALID_TOPIC_EXCEPTION"},
      {Errc::record_list_too_large, 18, "RECORD_LIST_TOO_LARGE"},
      {Errc::not_enough_replicas, 19, "NOT_ENOUGH_REPLICAS"},
      {Errc::invalid_required_acks, 21, "INVALID_REQUIRED_ACKS"},
      {Errc::invalid_timestamp, 32, "INVALID_TIMESTAMP"},
      {Errc::unsupported_version, 35, "UNSUPPORTED_VERSION"},
      {Errc::topic_exists, 36, "TOPIC_ALREADY_EXISTS"},
      {Errc::invalid_partitions, 37, "INVALID_PARTITIONS"},
      {Errc::invalid_replication_factor, 38, "INVALID_REPLICATION_FACTOR"},
      {Errc::invalid_config, 40, "INVALID_CONFIG"},
      {Errc::out_of_order_sequence, 45, "OUT_OF_ORDER_SEQUENCE_NUMBER"},
      {Errc::invalid_producer_epoch, 47, "INVALID_PRODUCER_EPOCH"},
      {Errc::transactional_id_refused, 53, "TRANSACTIONAL_ID_AUTHORIZATION_FAILED"},
      {Errc::disk_full, 56, "KAFKA_STORAGE_ERROR"},
      {Errc::fenced_leader_epoch, 74, "FENCED_LEADER_EPOCH"},
      {Errc::unknown_leader_epoch, 75, "UNKNOWN_LEADER_EPOCH"},
      {Errc::invalid_record, 87, "INVALID_RECORD"},
      {Errc::unknown_topic_id, 100, "UNKNOWN_TOPIC_ID"},
  };
  for (const Row& row : rows) {
    EXPECT_EQ(wire(to_kafka(row.from)), row.to) << row.name;
    EXPECT_EQ(name_of(to_kafka(row.from)), row.name);
  }
}

}  // namespace
}  // namespace odradek::broker::api
