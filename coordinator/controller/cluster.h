#pragma once
// Cluster: everything the controller holds of one chroot: the facts, the image that brokers get,
// the calls that wait for an answer, and which subjects have a transaction in flight. Each step
// reads what commits touched, makes the next image, and decides what the tree still needs. Lives on
// the tree thread; nothing of it survives a restart: it is read anew.

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "coordinator/controller/call.h"
#include "coordinator/controller/facts.h"
#include "coordinator/controller/world.h"
#include "coordinator/metadata/delta.h"

namespace odradek::coordinator::controller {

class Cluster {
 public:
  Cluster(std::string chroot, const Settings& settings);
  Cluster(const Cluster&) = delete;
  Cluster& operator=(const Cluster&) = delete;

  const std::string& chroot() const { return facts_.paths().chroot(); }
  const ClusterFacts& facts() const { return facts_; }
  const Settings& settings() const { return settings_; }
  // Never null; with zxid 0 until the first one is made.
  const metadata::ImagePtr& image() const { return image_; }
  const metadata::History& history() const { return history_; }
  // /controller is held by this process.
  bool leads() const;
  // Led, and nothing under way: what brokers that just came cause is done.
  bool at_rest() const {
    return leads() && to_check_.empty() && in_flight_.empty() && !wants_step();
  }
  // The session that holds it; 0: none. It wants to be touched.
  SessionId session() const { return session_; }
  // Nobody ever registered here by gRPC, and nobody asks to: the object can go.
  bool unused() const {
    return !facts_.own && calls_.empty() && in_flight_.empty() && !wants_step();
  }
  // A living broker registered by gRPC: ZooKeeper sessions may not take /controller or
  // /brokers/ids/N.
  bool managed() const;

  // A commit was applied.
  void observe(const tree::Commit& commit, int64_t now_ms);
  // Reads, makes the image, decides. `on_image` (may be empty) is called where the image is a new
  // one.
  void step(const World& world, const std::function<void(const Cluster&)>& on_image,
            std::vector<Proposal>& proposals);
  void add(std::shared_ptr<Call> call) {
    calls_.push_back(std::move(call));
    stale_ = true;
  }
  // When to step again though nothing was committed; monotonic.
  std::optional<int64_t> next_wake_ms() const;
  // There is something to do for a step.
  bool wants_step() const { return dirty_.any() || stale_; }
  bool wants_step_at(int64_t now_ms) const {
    auto wake_ms = next_wake_ms();
    return wants_step() || (wake_ms && *wake_ms <= now_ms);
  }
  // Nothing in flight, nothing left to decide but what waits for its time.
  bool quiet() const { return !wants_step() && in_flight_.empty() && calls_.empty(); }

  // Subjects with a transaction in flight. `end` of a refused one has its facts read anew.
  bool busy(const std::string& subject) const { return in_flight_.contains(subject); }
  void begin(const std::string& subject) { in_flight_.insert(subject); }
  void end(const std::string& subject, bool ok);

 private:
  bool refresh(const World& world);
  metadata::ImagePtr build(const std::set<std::string>& topics, const Dirty& dirty,
                           Zxid zxid) const;
  std::shared_ptr<const metadata::Topic> build_topic(const std::string& name,
                                                     const TopicFacts& facts) const;
  void decide(const World& world, std::vector<Proposal>& proposals);
  void decide_lead(const World& world, std::vector<Proposal>& proposals);
  void decide_topics(const World& world, std::vector<Proposal>& proposals);
  void claim(const World& world, const std::vector<metadata::Broker>& alive,
             std::vector<Proposal>& proposals);
  void decide_chores(const World& world, std::vector<Proposal>& proposals);
  void decide_election(std::vector<Proposal>& proposals);
  void decide_reassignment(std::vector<Proposal>& proposals);
  void propose(std::vector<std::string> subjects, Operations operations, std::string summary,
               std::vector<Proposal>& proposals, SessionId session = SessionId(),
               std::function<void()> then = nullptr);
  void look_at_all_topics();
  void note_brokers();
  bool wants_retirements() const;

  const Settings settings_;
  ClusterFacts facts_;
  metadata::ImagePtr image_;
  metadata::History history_;
  Dirty dirty_;
  bool stale_ = true;  // something to decide though no fact is dirty

  SessionId session_;    // ours, that owns /controller; 0 before the first claim of this process
  std::string foreign_;  // as last logged
  std::set<std::string> in_flight_;
  std::map<std::string, int> refused_;         // in a row, by subject
  std::map<std::string, int64_t> not_before_;  // subjects that were refused again and again
  std::set<std::string> to_check_;             // topics to decide
  std::map<std::string, int64_t> waiting_;     // topics that wait for a time
  std::map<std::string, int64_t> settled_ms_;  // topics with deletes below them
  std::map<std::string, Zxid> gone_;           // topics whose znode was seen to go
  std::map<BrokerId, int64_t> epochs_seen_;    // living brokers at the last look
  int64_t started_ms_ = -1;
  std::optional<int64_t> chores_wake_ms_;
  std::string reassignment_logged_;
  std::vector<std::shared_ptr<Call>> calls_;
};

}  // namespace odradek::coordinator::controller
