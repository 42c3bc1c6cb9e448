#pragma once
// ProducerIds hands out producer ids from blocks that the coordinator gives. Lives on one executor;
// next() hops there from any shard. Ids of a block that are left at a stop are never given out.

#include <boost/asio/awaitable.hpp>
#include <functional>
#include <optional>

#include "broker/metadata/coordinator_client.h"
#include "common/ids.h"
#include "common/result.h"
#include "common/runtime/executor.h"
#include "common/runtime/timer.h"

namespace odradek::broker::api {

class ProducerIds {
 public:
  using Allocate = std::function<boost::asio::awaitable<Result<metadata::ProducerIdBlock>>()>;
  ProducerIds(runtime::Executor home, Allocate allocate)
      : home_(home), allocate_(std::move(allocate)) {}

  // Fails where the coordinator cannot be asked.
  boost::asio::awaitable<Result<ProducerId>> next();

 private:
  boost::asio::awaitable<Result<ProducerId>> next_here();

  const runtime::Executor home_;
  const Allocate allocate_;
  int64_t next_ = 0;
  int64_t left_ = 0;
  bool asking_ = false;
  std::optional<Error> failure_;  // of the last question
  runtime::Signal answered_;
};

}  // namespace odradek::broker::api
