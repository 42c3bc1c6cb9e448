#pragma once
// Requests that only look at the tree or at the connection's watches. They run on the tree thread
// against the last applied state; a watch is registered in the same step as its read.

#include <string_view>

#include "coordinator/pipeline/pipeline.h"
#include "coordinator/server/codec.h"
#include "coordinator/server/server_metrics.h"

namespace odradek::coordinator::server {

struct ReadContext {
  pipeline::Pipeline& pipeline;
  const tree::AuthInfo& auth;
  SessionId session;
  tree::Watcher* watcher;
  ServerMetrics& metrics;
};

// exists, getData, getChildren, getChildren2, getACL, setWatches, setWatches2, checkWatches,
// removeWatches, addWatch, multiRead, getEphemerals, getAllChildrenNumber, whoAmI. kUnimplemented
// for any other. kSystemError where the limit of watches is reached: no watch of the request was set
// then, but of setWatches those before the limit.
Answer answer_read(zookeeper::OpCode op, std::string_view body, const ReadContext& context);

}  // namespace odradek::coordinator::server
