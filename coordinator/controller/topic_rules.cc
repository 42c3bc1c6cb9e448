#include "coordinator/controller/topic_rules.h"

#include <algorithm>
#include <set>

#include "coordinator/controller/placement.h"

namespace odradek::coordinator::controller {

namespace {

constexpr size_t kMaxNameLength = 249;

bool is_name_char(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
         c == '_' || c == '-';
}

Error no_replication(size_t factor) {
  return Error(Errc::invalid_replication_factor,
               "Replication factor: " + std::to_string(factor) +
                   " is not available yet: one replica of each partition is kept. Use a "
                   "replication factor of 1.");
}

Error unknown_broker(BrokerId id) {
  return Error(Errc::invalid_replica_assignment,
               "The manual partition assignment includes broker " + std::to_string(id.value()) +
                   ", but no such broker is registered.");
}

// Replicas given by hand: none twice, none negative, only brokers that are there, one replica.
Result<void> check_replicas(const std::vector<BrokerId>& replicas, const ClusterFacts& facts) {
  if (replicas.empty()) {
    return Error(Errc::invalid_replica_assignment,
                 "The manual partition assignment includes an empty replica list.");
  }
  std::set<BrokerId> seen;
  for (BrokerId id : replicas) {
    if (!seen.insert(id).second) {
      return Error(Errc::invalid_replica_assignment,
                   "The manual partition assignment includes the broker " +
                       std::to_string(id.value()) + " more than once.");
    }
    if (!facts.alive(id)) return unknown_broker(id);
  }
  if (replicas.size() > 1) return no_replication(replicas.size());
  return {};
}

Result<Assignments> manual_topic(const std::map<int32_t, std::vector<BrokerId>>& manual,
                                 const ClusterFacts& facts) {
  Assignments assignments;
  for (const auto& [index, replicas] : manual) {
    if (index != static_cast<int32_t>(assignments.size())) {
      return Error(Errc::invalid_replica_assignment,
                   "partitions should be a consecutive 0-based integer sequence");
    }
    if (!assignments.empty() && replicas.size() != assignments.front().size()) {
      return Error(Errc::invalid_replica_assignment,
                   "All partitions should have the same number of replicas");
    }
    if (auto ok = check_replicas(replicas, facts); !ok) return ok.error();
    assignments.push_back(replicas);
  }
  return assignments;
}

Error too_many_partitions(const Settings& settings) {
  return Error(Errc::invalid_partitions,
               "Excessively large number of partitions per request: at most " +
                   std::to_string(settings.max_new_partitions) + " can be made at once.");
}

}  // namespace

Result<void> check_topic_name(std::string_view name) {
  auto invalid = [](std::string why) {
    return Error(Errc::invalid_topic_name, "Topic name is invalid: " + why);
  };
  if (name.empty()) return invalid("the empty string is not allowed");
  if (name == "." || name == "..") return invalid("'" + std::string(name) + "' is not allowed");
  if (name.size() > kMaxNameLength) {
    return invalid("the length of '" + std::string(name) +
                   "' is longer than the max allowed length " + std::to_string(kMaxNameLength));
  }
  if (!std::all_of(name.begin(), name.end(), is_name_char)) {
    return invalid(
        "'" + std::string(name) +
        "' contains one or more characters other than ASCII alphanumerics, '.', '_' and '-'");
  }
  return {};
}

Result<void> check_collision(std::string_view name, const ClusterFacts& facts) {
  if (name.find_first_of("._") == std::string_view::npos) return {};
  auto same_letters = [&](std::string_view other) {
    return other.size() == name.size() &&
           std::equal(name.begin(), name.end(), other.begin(),
                      [](char a, char b) { return (a == '.' ? '_' : a) == (b == '.' ? '_' : b); });
  };
  std::string collisions;
  for (const auto& [other, topic] : facts.topics) {
    if (!topic.exists || other == name || !same_letters(other)) continue;
    collisions += (collisions.empty() ? "" : ", ") + other;
  }
  if (collisions.empty()) return {};
  return Error(Errc::invalid_topic_name,
               "Topic '" + std::string(name) + "' collides with existing topics: " + collisions);
}

Result<Assignments> assign_new_topic(int32_t partitions, int32_t replication_factor,
                                     const std::map<int32_t, std::vector<BrokerId>>& manual,
                                     const ClusterFacts& facts, const Settings& settings,
                                     Environment& environment) {
  if (!manual.empty()) {
    if (partitions != -1 || replication_factor != -1) {
      return Error(Errc::invalid_request,
                   "Both numPartitions or replicationFactor and replicasAssignments were set. Both "
                   "cannot be used at "
                   "the same time.");
    }
    if (manual.size() > static_cast<size_t>(settings.max_new_partitions))
      return too_many_partitions(settings);
    return manual_topic(manual, facts);
  }
  if (partitions <= 0)
    return Error(Errc::invalid_partitions, "Number of partitions must be larger than 0.");
  if (replication_factor <= 0) {
    return Error(Errc::invalid_replication_factor, "Replication factor must be larger than 0.");
  }
  if (partitions > settings.max_new_partitions) return too_many_partitions(settings);
  std::vector<metadata::Broker> brokers = facts.alive_brokers();
  if (static_cast<size_t>(replication_factor) > brokers.size()) {
    return Error(Errc::invalid_replication_factor,
                 "Replication factor: " + std::to_string(replication_factor) +
                     " larger than available brokers: " + std::to_string(brokers.size()) + ".");
  }
  if (replication_factor > 1) return no_replication(static_cast<size_t>(replication_factor));
  uint32_t count = static_cast<uint32_t>(brokers.size());
  PlacementStart start{environment.random_below(count), environment.random_below(count), 0};
  return place(brokers, partitions, replication_factor, start);
}

Result<Assignments> assign_more_partitions(const TopicFacts& topic, int32_t total,
                                           const Assignments& manual, const ClusterFacts& facts,
                                           const Settings& settings, Environment& environment) {
  int32_t present = static_cast<int32_t>(topic.partitions.size());
  if (total < present) {
    return Error(Errc::invalid_partitions, "Topic currently has " + std::to_string(present) +
                                               " partitions, which is higher than the requested " +
                                               std::to_string(total) + ".");
  }
  if (total == present) {
    return Error(Errc::invalid_partitions,
                 "Topic already has " + std::to_string(present) + " partitions.");
  }
  int32_t added = total - present;
  if (added > settings.max_new_partitions || total > metadata::kMaxPartitions)
    return too_many_partitions(settings);
  size_t factor = present == 0 ? 1 : topic.partitions[0].assignment.replicas.size();
  if (!manual.empty()) {
    if (manual.size() != static_cast<size_t>(added)) {
      return Error(Errc::invalid_replica_assignment,
                   "Increasing the number of partitions by " + std::to_string(added) + " but " +
                       std::to_string(manual.size()) + " assignments provided.");
    }
    for (const std::vector<BrokerId>& replicas : manual) {
      if (auto ok = check_replicas(replicas, facts); !ok) return ok.error();
      if (replicas.size() != factor) {
        return Error(Errc::invalid_replica_assignment,
                     "Inconsistent replication factor between partitions, partition 0 has " +
                         std::to_string(factor) + " while an assignment provided has " +
                         std::to_string(replicas.size()) + ".");
      }
    }
    return manual;
  }
  std::vector<metadata::Broker> brokers = facts.alive_brokers();
  if (factor == 0 || factor > brokers.size()) {
    return Error(Errc::invalid_replication_factor,
                 "Replication factor: " + std::to_string(factor) +
                     " larger than available brokers: " + std::to_string(brokers.size()) + ".");
  }
  // The round robin goes on from where partition 0 stands.
  uint32_t first = 0;
  if (present > 0) {
    auto found = std::find_if(brokers.begin(), brokers.end(), [&](const metadata::Broker& broker) {
      return broker.id >= topic.partitions[0].assignment.replicas.front();
    });
    if (found != brokers.end()) first = static_cast<uint32_t>(found - brokers.begin());
  }
  PlacementStart start{first, environment.random_below(static_cast<uint32_t>(brokers.size())),
                       present};
  return place(brokers, added, static_cast<int32_t>(factor), start);
}

}  // namespace odradek::coordinator::controller
