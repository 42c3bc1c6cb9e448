#pragma once
// prepare: an operation against the state → its effect, or the error that ZooKeeper gives. Pure: no
// I/O, no clock; the order of the checks is ZooKeeper's, since clients see which error comes first.

#include "common/result.h"
#include "coordinator/tree/operation.h"
#include "coordinator/tree/preparation.h"
#include "coordinator/tree/rules.h"

namespace odradek::coordinator::tree {

struct PrepareContext {
  const AuthInfo& auth;
  SessionId session;  // owner of ephemerals
  const Rules& rules;
  std::vector<QuotaExcess>* excesses = nullptr;  // limits that were passed without being in force
};

// Adds the operation's effect to the preparation. On an error the preparation may not be used any
// more.
Result<OperationResult> prepare(const Operation& operation, const PrepareContext& context,
                                Preparation& preparation);

// The znodes of a new tree: /, /zookeeper, /zookeeper/quota, /zookeeper/config.
void prepare_new_tree(Preparation& preparation);

}  // namespace odradek::coordinator::tree
