#pragma once
// A broker registers: its chroot and Kafka's persistent znodes are made where they are missing, its
// id is given, its session and its ephemeral znode are made, all in one transaction. The same
// broker (the same data directories) supersedes its former session in that transaction, so that a
// restart never waits.

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "coordinator/controller/call.h"
#include "coordinator/metadata/cluster_image.h"

namespace odradek::coordinator::controller {

struct RegistrationRequest {
  BrokerId broker_id{-1};  // -1: one is given, above reserved_broker_max_id
  int32_t reserved_broker_max_id = 1000;
  bool broker_id_generation_enable = true;
  std::vector<metadata::Endpoint> endpoints;
  std::optional<std::string> rack;
  std::vector<Uuid> directories;
  Uuid incarnation;
  std::string cluster_id;  // as the broker's meta.properties have it; empty: none
  int32_t session_timeout_ms = 18'000;
  int32_t jmx_port = -1;
  bool delete_topic_enable = true;
  bool unclean_leader_election_enable = false;
};

struct Registration {
  BrokerId broker_id{-1};
  std::string cluster_id;
  int64_t broker_epoch = -1;
  SessionIds session;
  SessionId superseded;  // 0: none
};

using RegistrationDone = std::function<void(Result<Registration>)>;

std::shared_ptr<Call> make_registration(RegistrationRequest request, int64_t deadline_ms,
                                        RegistrationDone done);

// "" or "/a/b": no empty, "." or ".." part, nothing below /zookeeper.
Result<void> check_chroot(const std::string& chroot);

}  // namespace odradek::coordinator::controller
