#pragma once
// SimProducer: sends numbered records, several batches in flight on one connection. Idempotent, it sends again what was
// not acknowledged when the connection broke, with the same sequences; else it gives such records up, as they may be
// there or not.

#include <deque>
#include <set>
#include <string>
#include <vector>

#include "tests/sim/sim_partition.h"

namespace odradek::sim {

class SimProducer {
 public:
  SimProducer(World& world, SimPartition& partition, int number, bool idempotent)
      : world_(world), partition_(partition), number_(number), idempotent_(idempotent) {}

  void start() { connect(); }
  void disconnected() { connect(); }
  // What of `values` is this producer's must be in the order of sending, each once, nothing acknowledged missing.
  void check(const std::vector<std::string>& values);
  int acknowledged() const { return static_cast<int>(acknowledged_.size()); }

 private:
  struct Batch {
    int first = 0;
    int count = 0;
    bool sent = false;
  };
  void connect();
  void pump();
  void send(Batch& batch);
  void answered(int first, const Result<broker::log::AppendInfo>& info);
  Bytes encode(const Batch& batch) const;
  std::string value(int record) const { return std::to_string(number_) + ":" + std::to_string(record); }

  World& world_;
  SimPartition& partition_;
  const int number_;
  const bool idempotent_;
  std::deque<Batch> batches_;  // not acknowledged, oldest first
  int next_ = 0;
  std::set<int> acknowledged_;
  uint64_t life_ = 0;
  int64_t arrives_ms_ = 0;  // of the last request on this connection: the next one comes behind it
};

}  // namespace odradek::sim
