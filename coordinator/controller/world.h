#pragma once
// What a decision may look at, and what it gives back. The controller has no clock, no I/O, no
// threads and no random source of its own: all come in here, so that the service and the simulator
// run the same code.

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "common/error.h"
#include "common/ids.h"
#include "coordinator/tree/operation.h"
#include "coordinator/tree/tree_reader.h"

namespace odradek::coordinator::controller {

struct SessionIds {
  SessionId session;
  int32_t timeout_ms = 0;
  tree::Password password{};
};

// What cannot be computed from the tree.
class Environment {
 public:
  virtual ~Environment() = default;
  virtual Uuid new_uuid() = 0;
  // 0..bound-1; bound is above 0.
  virtual uint32_t random_below(uint32_t bound) = 0;
  // A fresh id and password; the time-out clamped to the tree's limits unless exact.
  virtual SessionIds new_session(int32_t timeout_ms, bool exact) = 0;
};

struct World {
  const tree::TreeState& tree;  // as applied, at or after zxid
  Zxid zxid;
  int64_t now_ms = 0;   // monotonic
  int64_t wall_ms = 0;  // goes into timestamps only
  Environment& environment;
};

// How a transaction ended.
struct Outcome {
  Zxid zxid;
  std::optional<Error> error;  // nothing was done; names the check that refused
  bool ok() const { return !error; }
};

// A transaction to write: all or nothing, as the service's own hand. `settled` is called once it is
// applied or refused, after the controller has observed its commit.
struct Proposal {
  std::vector<tree::Operation> operations;
  SessionId session;  // owner of the ephemerals it makes
  std::function<void(const Outcome&)> settled;
};

struct Settings {
  int64_t settle_ms = 5'000;  // after a delete below a topic nothing is put back for so long
  int64_t config_change_keep_ms = 15 * 60 * 1000;    // as Kafka
  int64_t deleted_keep_ms = 7LL * 24 * 3600 * 1000;  // records of deleted topics
  size_t deleted_keep = 5'000;
  size_t history_deltas = 1'000;  // for brokers that come back
  size_t history_bytes = 4 << 20;
  int32_t producer_id_block = 1'000;
  int32_t max_new_partitions = 10'000;  // of one topic in one request
  int max_tries = 20;  // of one request whose transaction is refused again and again
};

}  // namespace odradek::coordinator::controller
