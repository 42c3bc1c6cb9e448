#pragma once
// What ZooKeeper counts when it loads a tree: the znodes and bytes below each path with a quota.

#include "coordinator/exchange/import_tree.h"

namespace odradek::coordinator::exchange {

// Writes zookeeper_stats beside each zookeeper_limits below /zookeeper/quota. Their stats stay.
void count_quotas(ImportTree& tree);

}  // namespace odradek::coordinator::exchange
