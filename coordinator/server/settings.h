#pragma once
// What the port 2181 is told by zookeeper.properties, as plain values.

#include <cstdint>
#include <set>
#include <string>

#include "common/result.h"
#include "coordinator/pipeline/container_sweep.h"
#include "coordinator/server/auth_settings.h"
#include "coordinator/server/operations_settings.h"
#include "coordinator/tree/rules.h"

namespace odradek::config {
class Settings;
}

namespace odradek::coordinator::server {

struct ServerSettings {
  std::string data_dir;      // as the file says it
  std::string data_log_dir;  // data_dir unless the file says otherwise; only looked at for
                             // ZooKeeper's own data
  // The tree's own folder, beside ZooKeeper's version-2.
  std::string store_dir() const { return data_dir + "/odradek"; }
  std::string client_port_address;  // empty: every address
  uint16_t client_port = 2181;
  int backlog = -1;  // clientPortListenBacklog; -1: the system's
  int32_t tick_ms = 3000;
  int32_t min_session_timeout_ms = 6000;
  int32_t max_session_timeout_ms = 60000;
  int32_t max_client_connections = 60;  // of one address; 0: any number
  int32_t max_connections = 0;          // in all; 0: any number
  uint8_t server_id = 0;
  size_t jute_max_buffer = 1048575;  // of one request
  int32_t global_outstanding_limit = 1000;
  std::set<std::string> four_letter_words = {"srvr"};  // that are answered; "*": all
  OperationsSettings operations;
  bool single_member = false;  // a server.N line names this server alone
  tree::Rules rules;
  bool trust_empty_snapshot = false;  // of ZooKeeper's data: logs alone are a whole history
  pipeline::ContainerSweepOptions containers;
  AuthSettings auth;
  int64_t peer_log_lines = 20;  // a minute, about what one address does wrong
  int64_t fsync_warning_ms = 1000;
  int64_t broker_grace_ms = 1000;  // until a broker whose connection broke is failed over
  int64_t topic_settle_ms = 5000;  // after a delete below a topic by hand nothing is put back
};

// From zookeeper.properties, without `auth`. bad_setting, one line, where values do not go together.
// Limits of memory that the file leaves open follow from the budget.
Result<ServerSettings> server_settings(const config::Settings& settings,
                                       size_t memory_budget_bytes = kDefaultMemoryBudget);
// With `auth`, which sets the rules' schemes.
Result<ServerSettings> server_settings(const config::Settings& settings,
                                       const std::vector<config::JavaProperty>& java,
                                       fs::FileSystem& file_system,
                                       size_t memory_budget_bytes = kDefaultMemoryBudget);

}  // namespace odradek::coordinator::server
