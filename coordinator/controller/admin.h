#pragma once
// The admin calls of brokers: what they carry and what they answer. Each item (topic,
// configuration) is one transaction of its own. The answer comes when the image shows the changes;
// `zxid` is that image's.

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "coordinator/controller/call.h"
#include "coordinator/controller/topic_rules.h"

namespace odradek::coordinator::controller {

template <typename Item>
struct Reply {
  std::optional<Error> error;  // of the call as a whole; no items then
  Zxid zxid;
  std::vector<Item> items;  // in the order of the request
};
template <typename Item>
using ReplyDone = std::function<void(Reply<Item>)>;

struct TopicItem {
  std::string name;
  std::optional<Error> error;
  Uuid id;
  int32_t partitions = -1;
  int32_t replication_factor = -1;
};

struct NewTopic {
  std::string name;
  int32_t partitions = -1;
  int32_t replication_factor = -1;
  std::map<int32_t, std::vector<BrokerId>> assignments;
  metadata::ConfigMap configs;
};

struct TopicToDelete {
  std::string name;
  Uuid id;  // zero: any
};

struct MorePartitions {
  std::string name;
  int32_t total = 0;
  Assignments assignments;  // of the new ones; empty: chosen here
};

struct ConfigChange {
  bool broker = false;  // else a topic
  std::string name;     // topic; broker id as text, empty: the cluster-wide default
  bool incremental = false;
  std::vector<std::pair<std::string, std::optional<std::string>>>
      changes;  // no value: the override goes
};

struct ConfigItem {
  bool broker = false;
  std::string name;
  std::optional<Error> error;
};

struct ProducerIdBlock {
  std::optional<Error> error;
  int64_t first = 0;
  int32_t size = 0;
};

struct IsrChange {
  std::string topic;
  Uuid topic_id;
  PartitionId partition;
  LeaderEpoch leader_epoch;
  int32_t partition_epoch = -1;
  std::vector<BrokerId> isr;
};

struct IsrItem {
  std::string topic;
  PartitionId partition;
  std::optional<Error> error;
  metadata::Partition now;
};

std::shared_ptr<Call> make_create_topics(Caller caller, std::vector<NewTopic> topics,
                                         bool validate_only, int64_t deadline_ms,
                                         ReplyDone<TopicItem> done);
std::shared_ptr<Call> make_delete_topics(Caller caller, std::vector<TopicToDelete> topics,
                                         int64_t deadline_ms, ReplyDone<TopicItem> done);
std::shared_ptr<Call> make_create_partitions(Caller caller, std::vector<MorePartitions> topics,
                                             bool validate_only, int64_t deadline_ms,
                                             ReplyDone<TopicItem> done);
std::shared_ptr<Call> make_alter_configs(Caller caller, std::vector<ConfigChange> changes,
                                         bool validate_only, int64_t deadline_ms,
                                         ReplyDone<ConfigItem> done);
std::shared_ptr<Call> make_allocate_producer_ids(Caller caller, int64_t deadline_ms,
                                                 ReplyDone<ProducerIdBlock> done);
std::shared_ptr<Call> make_alter_partition(Caller caller, std::vector<IsrChange> changes,
                                           int64_t deadline_ms, ReplyDone<IsrItem> done);
// Leaders go to other in-sync replicas. The answer names what the broker still leads though it has
// other replicas.
std::shared_ptr<Call> make_controlled_shutdown(Caller caller, const ClusterFacts& facts,
                                               int64_t deadline_ms, ReplyDone<TopicPartition> done);

}  // namespace odradek::coordinator::controller
