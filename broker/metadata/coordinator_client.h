#pragma once
// CoordinatorClient: this broker's one stream to the coordinator, and the admin calls beside it.
//
// It registers the broker, sends heartbeats, and keeps the newest Image. While the coordinator is
// not there it waits and tries again (one line in the log at first, then rarely); the last image
// stays in use. When the stream breaks the session is resumed; when the session is over ("expired")
// the broker registers anew and gets a new broker epoch. Only a refusal ends it: another broker
// with this id lives, the chroot belongs to a foreign controller, the cluster id is another one.
//
// Its state lives on the executor given to the constructor (one thread). gRPC's threads post there
// in their first line. image() and the admin calls may be used from any shard; a call resumes on
// its caller's executor.

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "broker/metadata/image.h"
#include "common/ids.h"
#include "common/result.h"

namespace odradek::broker::metadata {

struct Registration {
  BrokerId broker_id{-1};  // -1: the coordinator gives one, above reserved_broker_max_id
  int32_t reserved_broker_max_id = 1000;
  bool broker_id_generation_enable = true;
  std::vector<Endpoint> endpoints;  // advertised
  std::optional<std::string> rack;
  std::vector<Uuid>
      directory_ids;  // identity of the data directories: the random ids beside meta.properties
  Uuid incarnation;   // random, new at each start of the process
  std::string cluster_id;              // from meta.properties; empty: not known yet
  std::string zookeeper_connect;       // "host:port[,host:port...][/chroot]"
  int32_t session_timeout_ms = 18000;  // zookeeper.session.timeout.ms
  int32_t jmx_port = -1;
  bool delete_topic_enable = true;              // delete.topic.enable
  bool unclean_leader_election_enable = false;  // unclean.leader.election.enable
};

struct Registered {
  BrokerId broker_id{-1};
  std::string cluster_id;
  int64_t broker_epoch = -1;
};

// A topic to make. Give either counts or assignments. Defaults (num.partitions,
// default.replication.factor) are filled in by the caller: -1 is refused here.
struct NewTopic {
  NewTopic() = default;
  NewTopic(std::string topic, int32_t count, int16_t factor)
      : name(std::move(topic)), partitions(count), replication_factor(factor) {}
  std::string name;
  int32_t partitions = 1;
  int16_t replication_factor = 1;
  std::map<PartitionId, std::vector<BrokerId>> assignments;  // where not empty, counts are -1
  ConfigMap configs;                                         // already checked by the caller
};

struct TopicResult {
  std::string name;
  std::optional<Error> error;
  Uuid id;
  int32_t partitions = -1;
  int16_t replication_factor = -1;
};

struct TopicToDelete {
  std::string name;
  Uuid id;  // zero: whatever topic has the name
};

struct NewPartitions {
  std::string topic;
  int32_t total_count = 0;
  std::vector<std::vector<BrokerId>>
      assignments;  // of the new ones only; empty: the coordinator chooses
};

enum class ConfigEntity { topic, broker };
enum class ConfigOp { set, remove };

struct ConfigChange {
  ConfigEntity entity = ConfigEntity::topic;
  std::string name;  // topic; broker id as text, empty for the cluster-wide default
  // false: `set` replaces all overrides (AlterConfigs). true: only what is named changes
  // (IncrementalAlterConfigs; the caller has turned APPEND and SUBTRACT into the whole value).
  bool incremental = false;
  std::vector<std::tuple<std::string, ConfigOp, std::string>> changes;
};

struct ConfigResult {
  ConfigEntity entity = ConfigEntity::topic;
  std::string name;
  std::optional<Error> error;
};

struct ProducerIdBlock {
  ProducerId first;
  int32_t size = 0;
};

struct IsrChange {
  TopicPartition partition;
  Uuid topic_id;
  LeaderEpoch leader_epoch;
  int32_t partition_epoch = -1;  // the state version that the leader decided on
  std::vector<BrokerId> isr;
};

struct IsrResult {
  TopicPartition partition;
  std::optional<Error> error;
  Partition now;  // as the tree has it, where there is no error
};

using ImageHandler =
    std::function<void(ImagePtr before, ImagePtr after, const ImageChange& change)>;

class CoordinatorClient {
 public:
  template <typename T>
  using Awaitable = boost::asio::awaitable<T>;
  using Executor = boost::asio::any_io_executor;
  using Timeout = std::chrono::milliseconds;

  // `home` runs one thing at a time; it must outlive the client's stop().
  explicit CoordinatorClient(Executor home);
  ~CoordinatorClient();
  CoordinatorClient(const CoordinatorClient&) = delete;
  CoordinatorClient& operator=(const CoordinatorClient&) = delete;

  // Called on `executor` after each new image, in order, none left out. image() already gives
  // `after` then. Set before start().
  void on_image(Executor executor, ImageHandler handler);
  // Called on the home executor when a later registration is refused: this broker has to end. Set
  // before start().
  void on_refused(std::function<void(Error)> handler);

  // Starts to connect; returns at once. A wrong zookeeper.connect is the only error.
  Result<void> start(Registration registration);

  // Waits for the first registration and the first image. Waits as long as the coordinator is not
  // there; an error is a refusal with its remedy, or Errc::cancelled after stop().
  Awaitable<Result<Registered>> registered();
  // The registration that holds now (broker_epoch -1 before the first one).
  Registered registration() const;

  // Never null: an empty image (zxid 0) before the first one. From any thread.
  ImagePtr image() const;
  // True while a registered stream is up.
  bool connected() const;

  // The calls. The outer Result fails where the coordinator could not be asked: Errc::unavailable,
  // timed_out, stale_broker_epoch, session_expired. A call that changed the tree returns after
  // image() shows the change (or its time is over: then the answer stands all the same).
  Awaitable<Result<std::vector<TopicResult>>> create_topics(std::vector<NewTopic> topics,
                                                            bool validate_only, Timeout timeout);
  Awaitable<Result<std::vector<TopicResult>>> delete_topics(std::vector<TopicToDelete> topics,
                                                            Timeout timeout);
  Awaitable<Result<std::vector<TopicResult>>> create_partitions(std::vector<NewPartitions> topics,
                                                                bool validate_only,
                                                                Timeout timeout);
  Awaitable<Result<std::vector<ConfigResult>>> alter_configs(std::vector<ConfigChange> changes,
                                                             bool validate_only, Timeout timeout);
  Awaitable<Result<ProducerIdBlock>> allocate_producer_ids(Timeout timeout);
  Awaitable<Result<std::vector<IsrResult>>> alter_partition(std::vector<IsrChange> changes,
                                                            Timeout timeout);
  // Moves leaders off this broker where another in-sync replica lives; returns the partitions that
  // it still leads.
  Awaitable<Result<std::vector<TopicPartition>>> controlled_shutdown(Timeout timeout);

  // Ends the session (the broker's znode goes at once), the stream and every call in flight. Then
  // nothing is called any more.
  Awaitable<void> stop();

 private:
  class Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace odradek::broker::metadata
