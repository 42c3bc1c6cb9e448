#pragma once
// Controller: the clusters of this coordinator, one a chroot of zookeeper.connect, and the way in
// for everything that concerns them: commits, calls, registrations. It writes nothing itself: step
// gives the transactions to write. Level- triggered: at start everything is read; every reaction is
// idempotent and checks what it decided on. Lives on the tree thread; the whole state comes from
// the tree.
//
//   observe each commit → step → write the proposals, tell each how it ended → step → … until
//   nothing is proposed

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "coordinator/controller/cluster.h"
#include "coordinator/controller/registration.h"
#include "coordinator/controller/world.h"

namespace odradek::coordinator::controller {

class Controller {
 public:
  explicit Controller(Settings settings) : settings_(settings) {}
  Controller(const Controller&) = delete;
  Controller& operator=(const Controller&) = delete;

  // At start: finds the clusters that brokers registered in. Then step.
  void load(const World& world);
  // Each applied commit, in order.
  void observe(const tree::Commit& commit, int64_t now_ms);
  // After one or more commits, settled proposals, new calls, or at next_wake_ms.
  std::vector<Proposal> step(const World& world);
  std::optional<int64_t> next_wake_ms() const;
  bool wants_step(int64_t now_ms) const;
  // Nothing in flight and nothing to decide but what waits for its time.
  bool quiet() const;

  // Called in step whenever a cluster has a new image, before the calls that caused it are
  // answered.
  void on_image(std::function<void(const Cluster&)> handler) { on_image_ = std::move(handler); }

  // Null where nobody registered there.
  const Cluster* find(std::string_view chroot) const;
  const std::map<std::string, std::unique_ptr<Cluster>, std::less<>>& clusters() const {
    return clusters_;
  }
  // For calls of brokers that claim to be registered there: null where the chroot is not known. The
  // call is stepped next.
  Cluster* cluster_for_call(std::string_view chroot);
  // Makes the chroot known.
  Result<void> register_broker(const std::string& chroot, RegistrationRequest request,
                               int64_t deadline_ms, RegistrationDone done);

  // Whether a ZooKeeper session may not make this znode: a managed cluster's /controller and
  // /brokers/ids/N.
  bool refuses_create(std::string_view path) const;

 private:
  Cluster& make(const std::string& chroot);

  const Settings settings_;
  std::map<std::string, std::unique_ptr<Cluster>, std::less<>> clusters_;  // by chroot
  std::function<void(const Cluster&)> on_image_;
};

}  // namespace odradek::coordinator::controller
