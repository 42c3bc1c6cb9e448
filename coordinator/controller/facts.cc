#include "coordinator/controller/facts.h"

#include <algorithm>
#include <charconv>

#include "common/log/log.h"

namespace odradek::coordinator::controller {

namespace {

constexpr int32_t kMaxLeaderEpoch = 2'000'000'000;

std::optional<int32_t> number(std::string_view text) {
  int32_t value = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value < 0) return std::nullopt;
  return value;
}

// Takes "/first" off the front: {"first", "/rest"}.
std::pair<std::string_view, std::string_view> split_first(std::string_view path) {
  if (path.empty() || path.front() != '/') return {{}, {}};
  size_t slash = path.find('/', 1);
  if (slash == std::string_view::npos) return {path.substr(1), {}};
  return {path.substr(1, slash - 1), path.substr(slash)};
}

// The rest of the path below a folder; nothing where it is not below it.
std::optional<std::string_view> below(std::string_view path, std::string_view folder) {
  if (!path.starts_with(folder)) return std::nullopt;
  std::string_view rest = path.substr(folder.size());
  if (rest.size() < 2 || rest.front() != '/') return std::nullopt;
  return rest;
}

// A partition that neither the topic's znode nor a state knows any more has nothing to be known by.
void drop_nameless(TopicFacts& facts) {
  while (!facts.partitions.empty() && !facts.partitions.back().assigned &&
         !facts.partitions.back().state) {
    facts.partitions.pop_back();
  }
}

}  // namespace

bool ClusterFacts::note(const tree::Change& change, Dirty& dirty, Touched& touched) const {
  std::string_view path = change.path;
  if (path == paths_.own()) return dirty.head = true;
  if (auto rest = below(path, paths_.own())) {
    note_own(*rest, dirty);
    return true;
  }
  if (!path.starts_with(paths_.chroot())) return false;
  path.remove_prefix(paths_.chroot().size());
  if (auto rest = below(path, "/brokers/topics")) {
    note_topic(*rest, change, dirty, touched);
  } else if (below(path, "/brokers/ids")) {
    dirty.brokers = true;
  } else if (auto rest = below(path, "/config/topics")) {
    dirty.topics[std::string(split_first(*rest).first)].config = true;
  } else if (below(path, "/config/brokers")) {
    dirty.broker_configs = true;
  } else if (auto rest = below(path, "/admin/delete_topics")) {
    dirty.topics[std::string(split_first(*rest).first)].marker = true;
  } else if (path == "/controller" || path == "/controller_epoch" || path == "/cluster/id") {
    dirty.head = true;
  } else if (below(path, "/config/changes") || below(path, "/isr_change_notification") ||
             path == "/admin/preferred_replica_election" || path == "/admin/reassign_partitions") {
    dirty.chores = true;
  } else {
    return false;
  }
  return true;
}

void ClusterFacts::note_topic(std::string_view rest, const tree::Change& change, Dirty& dirty,
                              Touched& touched) const {
  auto [name, tail] = split_first(rest);
  bool gone = change.kind == tree::Change::Kind::deleted;
  Dirty::Topic& topic = dirty.topics[std::string(name)];
  if (tail.empty()) {
    topic.whole = true;
    if (gone) touched.topic_gone = name;
    return;
  }
  if (gone) touched.below_topic_gone = name;
  // /partitions/N/state alone is read alone.
  auto [partitions, behind] = split_first(tail);
  auto [index, state] = split_first(behind);
  auto partition = number(index);
  if (partitions == "partitions" && partition && state == "/state") {
    topic.states.insert(*partition);
  } else {
    topic.whole = true;
  }
}

void ClusterFacts::note_own(std::string_view rest, Dirty& dirty) const {
  auto [folder, tail] = split_first(rest);
  auto name = split_first(tail).first;
  if (folder == "brokers") dirty.brokers = true;
  if (folder == "deleted") dirty.deleted = true;
  if (folder == "topics" && !name.empty()) dirty.topics[std::string(name)].ledger = true;
}

std::set<std::string> ClusterFacts::refresh(const tree::TreeState& tree, const Dirty& dirty) {
  std::set<std::string> read;
  if (dirty.all || dirty.head) read_head(tree);
  if (dirty.all || dirty.brokers) read_brokers(tree);
  if (dirty.all || dirty.broker_configs) read_broker_configs(tree);
  if (dirty.all || dirty.deleted) read_deleted(tree);
  if (dirty.all || dirty.chores) read_chores(tree);
  if (dirty.all) {
    for (const auto& [name, facts] : topics) read.insert(name);
    topics.clear();
    for (const std::string& folder :
         {paths_.topics(), paths_.topic_configs(), paths_.own_topics(), paths_.delete_topics()}) {
      auto names = tree.children(folder);
      if (names) read.insert(names->begin(), names->end());
    }
    for (const std::string& name : read) read_topic(tree, name);
  } else {
    for (const auto& [name, what] : dirty.topics) {
      read.insert(name);
      auto found = topics.find(name);
      bool unknown_partition =
          found != topics.end() && !what.states.empty() &&
          static_cast<size_t>(*what.states.rbegin()) >= found->second.partitions.size();
      if (what.whole || found == topics.end() || unknown_partition) {
        read_topic(tree, name);
        continue;
      }
      TopicFacts& facts = found->second;
      if (what.config) read_config(tree, name, facts);
      if (what.ledger) read_ledger(tree, name, facts);
      if (what.marker) read_marker(tree, name, facts);
      for (int32_t index : what.states) {
        read_state(tree, name, index, facts.partitions[static_cast<size_t>(index)]);
      }
      drop_nameless(facts);
    }
  }
  for (const std::string& name : read) {
    auto found = topics.find(name);
    if (found != topics.end() && found->second.nothing()) topics.erase(found);
  }
  return read;
}

void ClusterFacts::read_head(const tree::TreeState& tree) {
  cluster_id.clear();
  if (auto node = tree.get(paths_.cluster_id())) {
    cluster_id = metadata::decode_cluster_id(node->bytes()).value_or("");
  }
  controller.reset();
  if (auto node = tree.get(paths_.controller())) {
    auto znode = metadata::decode_controller(node->bytes());
    controller = ControllerFacts{znode ? znode->broker : BrokerId(-1), node->stat.ephemeral_owner,
                                 node->stat.czxid, node->stat.version};
  }
  controller_epoch = 0;
  controller_epoch_version.reset();
  if (auto node = tree.get(paths_.controller_epoch())) {
    controller_epoch = number(node->bytes()).value_or(0);
    controller_epoch_version = node->stat.version;
  }
  own.reset();
  if (auto node = tree.get(paths_.own())) {
    own = metadata::decode_own(node->bytes())
              .value_or(metadata::OwnRecord{paths_.chroot(), SessionId()});
    own_version = node->stat.version;
  }
}

void ClusterFacts::read_brokers(const tree::TreeState& tree) {
  brokers.clear();
  identities.clear();
  for (const std::string& name :
       tree.children(paths_.own_brokers()).value_or(std::vector<std::string>())) {
    auto id = number(name);
    auto node = id ? tree.get(paths_.own_broker(BrokerId(*id))) : std::nullopt;
    auto identity = node ? metadata::decode_identity(node->bytes()) : std::nullopt;
    if (identity) identities[BrokerId(*id)] = std::move(*identity);
  }
  for (const std::string& name :
       tree.children(paths_.broker_ids()).value_or(std::vector<std::string>())) {
    auto id = number(name);
    auto node = id ? tree.get(paths_.broker(BrokerId(*id))) : std::nullopt;
    if (!node) continue;
    BrokerFacts facts;
    auto broker = metadata::decode_broker(node->bytes());
    if (broker) facts.broker = std::move(*broker);
    facts.broker.id = BrokerId(*id);
    facts.broker.epoch = node->stat.czxid.value();
    facts.owner = node->stat.ephemeral_owner;
    auto identity = identities.find(BrokerId(*id));
    if (identity != identities.end()) facts.identity = identity->second;
    facts.ours =
        facts.identity && facts.owner != SessionId() && facts.identity->session == facts.owner;
    brokers[BrokerId(*id)] = std::move(facts);
  }
}

void ClusterFacts::read_broker_configs(const tree::TreeState& tree) {
  std::map<BrokerId, metadata::ConfigMap> before = std::move(broker_configs);
  broker_configs.clear();
  for (const std::string& name :
       tree.children(paths_.broker_configs()).value_or(std::vector<std::string>())) {
    auto id = name == "<default>" ? std::optional<int32_t>(-1) : number(name);
    auto node = id ? tree.get(paths_.broker_configs() + "/" + name) : std::nullopt;
    if (!node) continue;
    auto configs = metadata::decode_configs(node->bytes());
    if (!configs) {
      LOG_ERROR("controller",
                "{}/{} does not hold a configuration; what it held before stays in use",
                paths_.broker_configs(), name);
      auto was = before.find(BrokerId(*id));
      if (was != before.end()) configs = was->second;
    }
    if (configs && !configs->empty()) broker_configs[BrokerId(*id)] = std::move(*configs);
  }
}

void ClusterFacts::read_deleted(const tree::TreeState& tree) {
  deleted.clear();
  for (const std::string& name :
       tree.children(paths_.own_deleted()).value_or(std::vector<std::string>())) {
    auto node = tree.get(paths_.own_deleted() + "/" + name);
    auto record = node ? metadata::decode_deleted(node->bytes()) : std::nullopt;
    if (!record) continue;
    DeletedFacts facts;
    facts.record = {record->name, record->id, record->czxid, node->stat.czxid};
    facts.ctime_ms = node->stat.ctime_ms;
    deleted[name] = std::move(facts);
  }
}

void ClusterFacts::read_chores(const tree::TreeState& tree) {
  config_changes.clear();
  for (const std::string& name :
       tree.children(paths_.config_changes()).value_or(std::vector<std::string>())) {
    if (auto stat = tree.stat(paths_.config_changes() + "/" + name))
      config_changes[name] = stat->ctime_ms;
  }
  isr_changes = tree.children(paths_.isr_changes()).value_or(std::vector<std::string>());
  auto read = [&](const std::string& path) -> std::optional<std::pair<std::string, int32_t>> {
    auto node = tree.get(path);
    if (!node) return std::nullopt;
    return std::make_pair(std::string(node->bytes()), node->stat.version);
  };
  preferred_election = read(paths_.preferred_election());
  reassignment = read(paths_.reassign_partitions());
}

void ClusterFacts::read_topic(const tree::TreeState& tree, const std::string& name) {
  TopicFacts facts;
  auto known = topics.find(name);
  if (known != topics.end()) facts.config = std::move(known->second.config);
  read_config(tree, name, facts);
  read_ledger(tree, name, facts);
  read_marker(tree, name, facts);
  if (auto node = tree.get(paths_.topic(name))) {
    facts.exists = true;
    facts.czxid = node->stat.czxid;
    facts.version = node->stat.version;
    auto znode = metadata::decode_topic(node->bytes());
    facts.valid = znode.has_value();
    if (!znode) {
      LOG_ERROR("controller", "{} does not hold a topic; what is known of it stays in use",
                paths_.topic(name));
      znode.emplace();
    }
    facts.id = znode->id;
    size_t count =
        znode->partitions.empty() ? 0 : static_cast<size_t>(znode->partitions.rbegin()->first) + 1;
    // Partitions are never taken away, whatever was written over the topic's znode.
    if (facts.ledger_fits()) count = std::max(count, facts.ledger->ledger.epochs.size());
    facts.partitions.resize(count);
    for (auto& [index, assignment] : znode->partitions) {
      PartitionFacts& partition = facts.partitions[static_cast<size_t>(index)];
      partition.assignment = std::move(assignment);
      partition.assigned = true;
    }
    auto names = tree.children(paths_.partitions(name));
    facts.partitions_znode = names.has_value();
    for (const std::string& text : names.value_or(std::vector<std::string>())) {
      auto index = number(text);
      if (!index || static_cast<size_t>(*index) >= facts.partitions.size()) continue;
      read_state(tree, name, *index, facts.partitions[static_cast<size_t>(*index)]);
      facts.partitions[static_cast<size_t>(*index)].znode = true;
    }
    drop_nameless(facts);
  }
  topics[name] = std::move(facts);
}

void ClusterFacts::read_state(const tree::TreeState& tree, const std::string& name, int32_t index,
                              PartitionFacts& facts) {
  facts.state.reset();
  auto node = tree.get(paths_.state(name, PartitionId(index)));
  if (!node) return;
  facts.znode = true;
  StateFacts state;
  state.version = node->stat.version;
  state.mzxid = node->stat.mzxid;
  if (auto znode = metadata::decode_state(node->bytes())) {
    // An epoch that leaves no room to count on from was not written by a controller.
    state.valid = znode->leader_epoch.value() >= 0 && znode->leader_epoch.value() < kMaxLeaderEpoch;
    if (state.valid) state.state = std::move(*znode);
  }
  facts.state = std::move(state);
}

void ClusterFacts::read_config(const tree::TreeState& tree, const std::string& name,
                               TopicFacts& facts) {
  auto node = tree.get(paths_.topic_config(name));
  if (!node) {
    facts.config.reset();
    return;
  }
  auto overrides = metadata::decode_configs(node->bytes());
  if (!overrides) {
    LOG_ERROR("controller", "{} does not hold a configuration; what it held before stays in use",
              paths_.topic_config(name));
    if (facts.config) overrides = facts.config->overrides;
  }
  facts.config = ConfigFacts{std::move(overrides), node->stat.version, node->stat.mzxid};
}

void ClusterFacts::read_ledger(const tree::TreeState& tree, const std::string& name,
                               TopicFacts& facts) {
  facts.ledger.reset();
  auto node = tree.get(paths_.own_topic(name));
  if (!node) return;
  // A record of ours that does not decode was damaged by hand: it is written anew.
  metadata::TopicLedger ledger =
      metadata::decode_ledger(node->bytes()).value_or(metadata::TopicLedger());
  if (ledger.czxid == Zxid()) ledger.czxid = node->stat.czxid;
  facts.ledger = LedgerFacts{std::move(ledger), node->stat.version};
}

void ClusterFacts::read_marker(const tree::TreeState& tree, const std::string& name,
                               TopicFacts& facts) {
  facts.delete_marker.reset();
  if (auto stat = tree.stat(paths_.delete_topic(name))) facts.delete_marker = stat->czxid;
}

std::vector<metadata::Broker> ClusterFacts::alive_brokers() const {
  std::vector<metadata::Broker> alive;
  for (const auto& [id, facts] : brokers) {
    if (facts.ours) alive.push_back(facts.broker);
  }
  return alive;
}

std::string ClusterFacts::foreign() const {
  for (const auto& [id, facts] : brokers) {
    if (!facts.ours) {
      return "broker " + std::to_string(id.value()) + " is registered in " + paths_.broker_ids() +
             " by a ZooKeeper session";
    }
  }
  if (controller && (!own || own->controller_session == SessionId() ||
                     own->controller_session != controller->owner)) {
    return paths_.controller() + " is held by another controller (broker " +
           std::to_string(controller->broker.value()) + ")";
  }
  return {};
}

const TopicFacts* ClusterFacts::topic(std::string_view name) const {
  auto found = topics.find(name);
  return found == topics.end() ? nullptr : &found->second;
}

bool ClusterFacts::delete_topic_enable() const {
  return std::all_of(brokers.begin(), brokers.end(), [](const auto& entry) {
    return !entry.second.ours || entry.second.identity->delete_topic_enable;
  });
}

bool ClusterFacts::unclean_leader_election_enable() const {
  bool any = false;
  for (const auto& [id, facts] : brokers) {
    if (!facts.ours) continue;
    if (!facts.identity->unclean_leader_election_enable) return false;
    any = true;
  }
  return any;
}

}  // namespace odradek::coordinator::controller
