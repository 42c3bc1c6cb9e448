#pragma once
// Broker: the parts of one broker put together, started and stopped in order.
//
// Start: log directories → registration (waits for the coordinator), meanwhile the logs are opened
// and recovered → logs as the cluster image says → groups → clients are let in; where a recovery
// takes long they are let in before its end, and told to ask again for the partitions in it. Stop: no new clients → leaders move away
// → connections → groups → logs closed and checkpointed → session ended. Its own steps run on the
// first shard.

#include <atomic>
#include <memory>
#include <optional>

#include "broker/api/broker_settings.h"
#include "broker/api/fetch_session.h"
#include "broker/api/handler.h"
#include "broker/api/producer_ids.h"
#include "broker/group/group_manager.h"
#include "broker/log/log_manager.h"
#include "broker/metadata/coordinator_client.h"
#include "broker/replica/partition_manager.h"
#include "broker/server/options.h"
#include "broker/server/server.h"
#include "common/clock.h"
#include "common/fs/real_file_system.h"
#include "common/result.h"
#include "common/runtime/background.h"
#include "common/runtime/shards.h"
#include "common/runtime/timer.h"

namespace odradek::broker::server {

class Broker {
 public:
  explicit Broker(Options options);
  ~Broker();

  // Starts, serves until stop() is asked for or something ends it, and stops. An error is one line
  // for a person.
  Result<void> run();
  // From any thread: run() ends orderly.
  void ask_to_stop();

 private:
  runtime::awaitable<void> open_logs();
  void make_parts();
  metadata::Registration registration() const;
  runtime::awaitable<Result<void>> start();
  runtime::awaitable<void> serve();
  runtime::awaitable<void> stop();
  void on_image(metadata::ImagePtr before, metadata::ImagePtr image,
                const metadata::ImageChange& change);
  void end_with(Error error);

  Options options_;
  fs::RealFileSystem files_;
  SystemClock clock_;
  runtime::Shards shards_;
  runtime::Background background_;
  api::BrokerSettings settings_;
  std::unique_ptr<log::LogManager> logs_;
  std::unique_ptr<metadata::CoordinatorClient> coordinator_;
  std::unique_ptr<replica::PartitionManager> partitions_;
  std::unique_ptr<group::GroupManager> groups_;
  std::unique_ptr<api::FetchSessions> fetch_sessions_;
  std::unique_ptr<api::ProducerIds> producer_ids_;
  api::Services services_;
  std::unique_ptr<Server> server_;

  // on the first shard
  bool stopping_ = false;
  bool registering_ = false;  // waiting for the first registration
  std::optional<Error> failure_;
  runtime::Signal stop_asked_;
};

}  // namespace odradek::broker::server
