#include "broker/cli/group_rows.h"

#include <algorithm>
#include <cstdio>
#include <set>

#include "common/cli/text.h"
#include "proto/kafka/records/consumer_protocol.h"

namespace odradek::broker::cli {
namespace {

using odradek::cli::pad_right;

std::string shown(const std::optional<int64_t>& number) {
  return number ? std::to_string(*number) : "-";
}

}  // namespace

std::optional<int64_t> OffsetRow::lag() const {
  if (!committed || !log_end || *committed < 0) return std::nullopt;
  return *log_end - *committed;
}

std::vector<TopicPartition> parse_assignment(const std::string& bytes) {
  std::vector<TopicPartition> found;
  ByteReader in(bytes);
  int16_t version = in.i16();
  if (!in.ok() || version < 0) return found;
  auto assignment = kafka::ConsumerProtocolAssignment::decode(
      in, std::min(version, kafka::ConsumerProtocolAssignment::kMaxVersion));
  if (!assignment) return found;
  for (const auto& topic : assignment->assigned_partitions) {
    for (int32_t partition : topic.partitions)
      found.push_back({topic.topic, PartitionId(partition)});
  }
  std::sort(found.begin(), found.end());
  return found;
}

std::vector<MemberRow> member_rows(const DescribedGroup& described) {
  std::vector<MemberRow> rows;
  for (const auto& member : described.group.members) {
    rows.push_back({described.group.group_id, member.member_id,
                    member.group_instance_id.value_or(""), member.client_host, member.client_id,
                    parse_assignment(member.member_assignment)});
  }
  std::stable_sort(rows.begin(), rows.end(), [](const auto& a, const auto& b) {
    return a.assignment.size() > b.assignment.size();
  });
  return rows;
}

std::vector<OffsetRow> offset_rows(AdminClient& client, const DescribedGroup& described) {
  auto committed = client.committed_offsets(described.group.group_id);
  std::vector<OffsetRow> rows;
  std::set<TopicPartition> assigned;
  auto add = [&](const TopicPartition& partition, const MemberRow* member) {
    OffsetRow row;
    row.group = described.group.group_id;
    row.topic = partition.topic;
    row.partition = partition.partition.value();
    if (auto found = committed.find(partition); found != committed.end())
      row.committed = found->second.offset;
    if (member) {
      row.consumer_id = member->consumer_id;
      row.host = member->host;
      row.client_id = member->client_id;
    }
    rows.push_back(std::move(row));
  };
  for (const auto& member : member_rows(described)) {
    for (const auto& partition : member.assignment) {
      assigned.insert(partition);
      add(partition, &member);
    }
  }
  for (const auto& [partition, offset] : committed) {
    if (!assigned.contains(partition)) add(partition, nullptr);
  }
  std::map<TopicPartition, int64_t> questions;
  for (const auto& row : rows) questions[{row.topic, PartitionId(row.partition)}] = kLatest;
  auto ends = client.list_offsets(questions);
  for (auto& row : rows) {
    auto end = ends.find({row.topic, PartitionId(row.partition)});
    if (end != ends.end() && end->second.error == 0 && end->second.offset >= 0)
      row.log_end = end->second.offset;
  }
  return rows;
}

void print_offsets(const std::vector<OffsetRow>& rows) {
  size_t group = 15;
  size_t topic = 15;
  size_t consumer = 15;
  size_t host = 15;
  for (const auto& row : rows) {
    group = std::max(group, row.group.size());
    topic = std::max(topic, row.topic.size());
    consumer = std::max(consumer, row.consumer_id.size());
    host = std::max(host, row.host.size());
  }
  auto line = [&](const std::string& g, const std::string& t, const std::string& p,
                  const std::string& current, const std::string& end, const std::string& lag,
                  const std::string& c, const std::string& h, const std::string& client) {
    std::string text = pad_right(g, group) + " " + pad_right(t, topic) + " " + pad_right(p, 10) +
                       " " + pad_right(current, 15) + " " + pad_right(end, 15) + " " +
                       pad_right(lag, 15) + " " + pad_right(c, consumer) + " " +
                       pad_right(h, host) + " " + client;
    std::puts(text.c_str());
  };
  std::putchar('\n');
  line("GROUP", "TOPIC", "PARTITION", "CURRENT-OFFSET", "LOG-END-OFFSET", "LAG", "CONSUMER-ID",
       "HOST", "CLIENT-ID");
  for (const auto& row : rows) {
    line(row.group, row.topic, std::to_string(row.partition), shown(row.committed),
         shown(row.log_end), shown(row.lag()), row.consumer_id, row.host, row.client_id);
  }
}

void print_members(const std::vector<MemberRow>& rows, bool verbose) {
  size_t group = 15;
  size_t consumer = 15;
  size_t instance = 17;
  size_t host = 15;
  size_t client = 15;
  bool instances = false;
  for (const auto& row : rows) {
    group = std::max(group, row.group.size());
    consumer = std::max(consumer, row.consumer_id.size());
    instance = std::max(instance, row.instance_id.size());
    host = std::max(host, row.host.size());
    client = std::max(client, row.client_id.size());
    instances = instances || !row.instance_id.empty();
  }
  auto line = [&](const std::string& g, const std::string& c, const std::string& i,
                  const std::string& h, const std::string& id, const std::string& count,
                  const std::string& assignment) {
    std::string text = pad_right(g, group) + " " + pad_right(c, consumer) + " ";
    if (instances) text += pad_right(i, instance) + " ";
    text += pad_right(h, host) + " " + pad_right(id, client) + " " + pad_right(count, 15) + " ";
    if (verbose) text += assignment;
    std::puts(text.c_str());
  };
  std::putchar('\n');
  line("GROUP", "CONSUMER-ID", "GROUP-INSTANCE-ID", "HOST", "CLIENT-ID", "#PARTITIONS",
       "ASSIGNMENT");
  for (const auto& row : rows) {
    std::map<std::string, std::vector<std::string>> by_topic;
    for (const auto& partition : row.assignment) {
      by_topic[partition.topic].push_back(std::to_string(partition.partition.value()));
    }
    std::vector<std::string> topics;
    for (const auto& [topic, partitions] : by_topic) {
      topics.push_back(topic + "(" + odradek::cli::join(partitions, ",") + ")");
    }
    line(row.group, row.consumer_id, row.instance_id, row.host, row.client_id,
         std::to_string(row.assignment.size()),
         topics.empty() ? "-" : odradek::cli::join(topics, ", "));
  }
}

void print_state(const DescribedGroup& described) {
  const auto& group = described.group;
  std::string coordinator = described.coordinator.host + ":" +
                            std::to_string(described.coordinator.port) + " (" +
                            std::to_string(described.coordinator.id) + ")";
  size_t width = std::max<size_t>(25, coordinator.size());
  auto line = [width](const std::string& g, const std::string& c, const std::string& strategy,
                      const std::string& state, const std::string& members) {
    std::string text = pad_right(g, width) + " " + pad_right(c, 25) + " " +
                       pad_right(strategy, 20) + " " + pad_right(state, 15) + " " + members;
    std::puts(text.c_str());
  };
  std::putchar('\n');
  line("GROUP", "COORDINATOR (ID)", "ASSIGNMENT-STRATEGY", "STATE", "#MEMBERS");
  line(group.group_id, coordinator, group.protocol_data, group.group_state,
       std::to_string(group.members.size()));
}

}  // namespace odradek::broker::cli
