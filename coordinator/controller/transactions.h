#pragma once
// The transactions that more than one decision writes: lists of operations built from the facts.
// Pure.

#include <string>
#include <string_view>
#include <vector>

#include "coordinator/controller/facts.h"
#include "coordinator/tree/operation.h"

namespace odradek::coordinator::controller {

using Operations = std::vector<tree::Operation>;

// Refuses the transaction where this cluster's /controller is not the one that the facts know
// (design decision 4).
void add_lead_check(const ClusterFacts& facts, Operations& operations);
// Refuses it where the broker is gone or registered anew.
void add_broker_check(const ClusterFacts& facts, BrokerId id, Operations& operations);

// A znode of our own: clients may read it.
tree::CreateOp own_create(std::string path, std::string data, bool sequential = false);

// The ledger becomes the record of a deletion.
void add_retirement(const ClusterFacts& facts, std::string_view name, const TopicFacts& topic,
                    Operations& operations);
// A topic with its states, led by the first replica of each list. `assignments` name living
// brokers.
void add_new_topic(const ClusterFacts& facts, std::string_view name, const Uuid& id,
                   const std::vector<std::vector<BrokerId>>& assignments,
                   const metadata::ConfigMap& configs, Operations& operations);
// All that stands under a topic's name goes, and a record says so.
void add_topic_deletion(const ClusterFacts& facts, std::string_view name, const TopicFacts& topic,
                        Operations& operations);
// /config/changes/config_change_N, for the tools and brokers that watch it.
void add_config_change(const ClusterFacts& facts, const std::string& entity_path,
                       Operations& operations);

metadata::TopicZnode znode_of(const TopicFacts& topic);

}  // namespace odradek::coordinator::controller
