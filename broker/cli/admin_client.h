#pragma once
// AdminClient: what the admin tools ask of a cluster, over a small blocking Kafka client. It finds
// brokers from the bootstrap list, speaks the highest version that both sides know, sends each
// request to who can answer it (any broker, the controller, a group's coordinator, a partition's
// leader), and tries again until its time-out. Everything throws KafkaError. Lives on the tool's
// only thread.

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "broker/cli/client_properties.h"
#include "broker/cli/kafka_connection.h"
#include "broker/cli/kafka_error.h"
#include "common/ids.h"
#include "proto/kafka/describe_configs.h"
#include "proto/kafka/describe_groups.h"
#include "proto/kafka/describe_log_dirs.h"
#include "proto/kafka/list_groups.h"
#include "proto/kafka/metadata.h"

namespace odradek::broker::cli {

struct Node {
  int32_t id = -1;
  std::string host;
  int32_t port = 0;
  std::optional<std::string> rack;
};

struct Cluster {
  std::vector<Node> nodes;
  int32_t controller_id = -1;
  std::vector<kafka::MetadataResponse::Topic> topics;
};

struct NewTopic {
  std::string name;
  std::optional<int32_t> partitions;          // nothing: the broker's default
  std::optional<int16_t> replication_factor;  // likewise
  std::vector<std::vector<int32_t>> assignment;
  std::map<std::string, std::string> configs;
};

struct CommittedOffset {
  int64_t offset = -1;  // -1: none
  int32_t leader_epoch = -1;
  std::string metadata;
};

// Special timestamps of ListOffsets.
inline constexpr int64_t kLatest = -1;
inline constexpr int64_t kEarliest = -2;
inline constexpr int64_t kMaxTimestamp = -3;

struct OffsetAnswer {
  int64_t offset = -1;
  int64_t timestamp = -1;
  int16_t error = 0;
};

struct DescribedGroup {
  kafka::DescribeGroupsResponse::DescribedGroup group;
  Node coordinator;
};

struct ListedGroup {
  std::string id;
  std::string state;  // empty where the broker's version does not tell
};

class AdminClient {
 public:
  // `bootstrap`: HOST:PORT,...; `properties`: --command-config, of which client.id,
  // request.timeout.ms and default.api.timeout.ms count.
  AdminClient(const std::string& bootstrap, const Properties& properties);
  // How long one call may take, tries and pauses included.
  void set_api_timeout_ms(int64_t ms) { api_timeout_ms_ = ms; }

  // --- brokers
  Cluster describe_cluster();
  std::map<int16_t, VersionRange> api_versions(const Node& node);

  // --- topics
  std::vector<std::string> list_topics(bool internal_too);  // sorted
  // Sorted by name, partitions by number. A name that is not there throws its error.
  std::vector<kafka::MetadataResponse::Topic> describe_topics(
      const std::vector<std::string>& names);
  // Every topic that there is.
  std::vector<kafka::MetadataResponse::Topic> describe_all_topics();
  void create_topic(const NewTopic& topic);
  void delete_topics(const std::vector<std::string>& names);
  struct Increase {
    int32_t total;
    std::vector<std::vector<int32_t>>
        assignment;  // of the new partitions; empty: the broker decides
  };
  void create_partitions(const std::map<std::string, Increase>& increases);

  // --- configs. Types of KIP-133.
  enum class Resource : int8_t { topic = 2, broker = 4, broker_logger = 8 };
  using ConfigEntry = kafka::DescribeConfigsResponse::DescribeConfigsResourceResult;
  std::map<std::string, std::vector<ConfigEntry>> describe_configs(
      Resource type, const std::vector<std::string>& names, bool synonyms);
  struct ConfigChange {
    std::string name;
    std::optional<std::string> value;  // nothing: remove
  };
  void alter_configs(Resource type, const std::string& name,
                     const std::vector<ConfigChange>& changes);

  // --- offsets
  std::map<TopicPartition, OffsetAnswer> list_offsets(
      const std::map<TopicPartition, int64_t>& timestamps);

  // --- records and where they lie
  struct DeletedRecords {
    int64_t low_watermark = -1;
    int16_t error = 0;
  };
  // Keeps the records from these offsets on; -1: none below the high watermark.
  std::map<TopicPartition, DeletedRecords> delete_records(
      const std::map<TopicPartition, int64_t>& offsets);
  using LogDirectory = kafka::DescribeLogDirsResponse::DescribeLogDirsResult;
  // Of one broker. `topics`: all their partitions; empty: every topic.
  // With `explain_kept` an Odradek broker says of each replica why its oldest data is still there.
  std::vector<LogDirectory> describe_log_dirs(const Node& node,
                                              const std::vector<std::string>& topics,
                                              bool explain_kept = false);

  // --- consumer groups
  std::vector<ListedGroup> list_groups(const std::vector<std::string>& states);
  DescribedGroup describe_group(const std::string& group);
  std::map<TopicPartition, CommittedOffset> committed_offsets(const std::string& group);
  void alter_offsets(const std::string& group,
                     const std::map<TopicPartition, CommittedOffset>& offsets);
  void delete_group(const std::string& group);
  struct OffsetDeletion {
    int16_t error = 0;  // of the whole request
    std::map<TopicPartition, int16_t> partitions;
  };
  OffsetDeletion delete_offsets(const std::string& group,
                                const std::vector<TopicPartition>& partitions);

 private:
  // Who shall answer.
  struct Target {
    enum class Kind { any, controller, node, group } kind = Kind::any;
    Node node;
    std::string group;
  };
  using Encoder = std::function<void(ByteWriter&, int16_t)>;
  struct Versions {
    int16_t min;
    int16_t max;
  };
  struct Answer {
    Bytes body;
    int16_t version;
  };

  template <typename Response, typename Request>
  Response send(const Target& target, const Request& request, std::string_view call,
                int64_t deadline_ms, int16_t max_version = Request::kMaxVersion,
                int16_t min_version = Request::kMinVersion);
  Answer exchange(const Target& target, int16_t api_key, Versions versions, const Encoder& encode,
                  std::string_view call, int64_t deadline_ms);
  KafkaConnection* connection(const Target& target, std::string_view call, int64_t deadline_ms);
  KafkaConnection* open(const std::string& key, const Node& node, int64_t deadline_ms);
  KafkaConnection* open_any(int64_t deadline_ms);
  Cluster metadata(const std::optional<std::vector<std::string>>& topics, std::string_view call,
                   int64_t deadline_ms);
  // The leaders of all partitions of the topics that the keys name; -1 where there is none, nothing
  // where the partition is not there. Their nodes go to `nodes`.
  std::map<TopicPartition, int32_t> leaders_of(const std::map<TopicPartition, int64_t>& partitions,
                                               std::string_view call, int64_t deadline_ms,
                                               std::vector<Node>& nodes);
  // Asks each partition's leader, one request a broker, and again until the deadline where a leader
  // is only moving. `fill(request, row, value)` sets what belongs to the request and to a
  // partition's row in it; `read(row)` makes the answer of one. `min_version` is looked at when the
  // requests are filled.
  template <typename Request, typename Response, typename Answered, typename Fill, typename Read>
  std::map<TopicPartition, Answered> ask_leaders(std::map<TopicPartition, int64_t> questions,
                                                 std::string_view call, Fill fill, Read read,
                                                 int16_t max_version, const int16_t& min_version);
  Node find_coordinator(const std::string& group, int64_t deadline_ms);
  int64_t deadline() const { return odradek::cli::now_ms() + api_timeout_ms_; }
  // Runs `attempt` until it does not throw a retriable error, or the deadline is near.
  template <typename Fn>
  auto with_retries(int64_t deadline_ms, Fn attempt);
  void pause(int64_t deadline_ms);

  std::vector<Node> bootstrap_;
  std::string client_id_;
  int64_t request_timeout_ms_ = 30'000;
  int64_t api_timeout_ms_ = 60'000;
  std::map<std::string, KafkaConnection> connections_;  // by host:port
  std::string any_;                                     // the connection that Kind::any uses
  std::optional<Node> controller_;
  std::map<std::string, Node> coordinators_;
};

}  // namespace odradek::broker::cli
