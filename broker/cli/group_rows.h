#pragma once
// The rows that kafka-consumer-groups prints: the joined view of a group's members, its committed
// offsets and the ends of the logs. Gathered through AdminClient; throws KafkaError.

#include <optional>
#include <string>
#include <vector>

#include "broker/cli/admin_client.h"

namespace odradek::broker::cli {

struct OffsetRow {
  std::string group;
  std::string topic;
  int32_t partition = 0;
  std::optional<int64_t> committed;
  std::optional<int64_t> log_end;
  std::string consumer_id = "-";
  std::string host = "-";
  std::string client_id = "-";

  std::optional<int64_t> lag() const;
};

struct MemberRow {
  std::string group;
  std::string consumer_id;
  std::string instance_id;  // empty: none
  std::string host;
  std::string client_id;
  std::vector<TopicPartition> assignment;  // sorted
};

// What a member was assigned, from the bytes that the group's leader gave it; empty where they are
// not understood.
std::vector<TopicPartition> parse_assignment(const std::string& bytes);
std::vector<OffsetRow> offset_rows(AdminClient& client, const DescribedGroup& described);
// Members with the most partitions first.
std::vector<MemberRow> member_rows(const DescribedGroup& described);

// --- printing
void print_offsets(const std::vector<OffsetRow>& rows);
void print_members(const std::vector<MemberRow>& rows, bool verbose);
void print_state(const DescribedGroup& described);

}  // namespace odradek::broker::cli
