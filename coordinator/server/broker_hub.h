#pragma once
// BrokerHub: the brokers that are connected, and what becomes of their sessions. A broker's first
// message registers it or resumes its session; images go down its stream as they come; when its
// connection breaks its session lives on for a short grace. The grace runs only where this process,
// awake, saw the peer's connection break; after a stall of its own, or where it cut the stream
// itself, the session's whole time-out holds (design decision 3). Lives on the tree thread.

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>

#include "common/runtime/timer.h"
#include "coordinator/pipeline/controller_runner.h"
#include "coordinator/server/broker_stream.h"

namespace odradek::coordinator::server {

struct BrokerHubSettings {
  int64_t grace_ms = 1'000;
  int64_t first_message_ms = 10'000;  // a stream that says nothing is ended
  int64_t register_ms = 20'000;       // until a registration is answered
  int64_t first_image_ms =
      1'000;  // the first image waits so long for the controller to have elected leaders
  size_t max_streams = 1'000;
};

class BrokerHub final : public StreamListener {
 public:
  BrokerHub(runtime::Executor tree, pipeline::Pipeline& pipeline,
            pipeline::ControllerRunner& runner, BrokerHubSettings settings);
  ~BrokerHub() override;

  // The controller has a new image of this cluster.
  void on_image(const controller::Cluster& cluster);
  // The controller has done what there was to do for now.
  void on_round();
  // Ends all streams; the sessions stay.
  void stop();

  void on_message(const std::shared_ptr<BrokerStream>& stream,
                  wire::ToCoordinator message) override;
  void on_end(const std::shared_ptr<BrokerStream>& stream, bool by_peer) override;

 private:
  struct Peer;
  using PeerRef = std::shared_ptr<Peer>;

  PeerRef peer_of(const std::shared_ptr<BrokerStream>& stream);
  void on_register(const PeerRef& peer, const wire::Register& message);
  void on_resume(const PeerRef& peer, const wire::Register& message);
  void on_registered(const PeerRef& peer, Result<controller::Registration> outcome);
  void on_heartbeat(const PeerRef& peer, const wire::Heartbeat& message);
  void on_close(const PeerRef& peer);
  void refuse(const PeerRef& peer, const Error& error, bool again);
  void expire(const PeerRef& peer, const std::string& reason);
  void send_image(const PeerRef& peer, const controller::Cluster& cluster);
  bool is_connected(const std::string& chroot, BrokerId id) const;
  void start_grace(SessionId session, const std::string& who);
  bool broke_by_stall(const Peer& peer) const;
  void watch();
  int64_t on_watch();
  void send_first_images();

  pipeline::Pipeline& pipeline_;
  pipeline::ControllerRunner& runner_;
  const BrokerHubSettings settings_;
  std::unordered_map<BrokerStream*, PeerRef> peers_;
  size_t first_images_ = 0;             // peers that wait for their first one
  std::map<SessionId, int64_t> grace_;  // sessions without a stream, and when they end
  runtime::RepeatingTimer watch_;
  bool watching_ = false;
  int64_t watched_ms_ = 0;
  std::optional<int64_t> stalled_ms_;
  bool stopped_ = false;
};

}  // namespace odradek::coordinator::server
