#pragma once
// SimConnection: the coordinator's end of a wire: the real ClientConnection, with the simulator's
// network in place of a socket. What came waits in its inbox, as in the kernel, until the process
// reads. SimPort is where wires arrive; it dies with the process.

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "common/runtime/executor.h"
#include "coordinator/server/client_connection.h"
#include "coordinator/server/clients.h"
#include "coordinator/server/codec.h"
#include "coordinator/server/settings.h"
#include "tests/sim/sim_coordinator.h"
#include "tests/sim/tree/journal.h"
#include "tests/sim/tree/planted.h"
#include "tests/sim/tree/wire.h"

namespace odradek::sim {

class SimPort;

class SimConnection final : public coordinator::server::ClientConnection {
 public:
  SimConnection(SimPort& port, std::shared_ptr<Wire> wire);

  void accepted();
  void arrived(std::string bytes, int frames);
  void peer_finished();
  const std::shared_ptr<Wire>& wire() const { return wire_; }

  void on_watch_event(coordinator::tree::EventType type, const std::string& path,
                      Zxid zxid) override;

 private:
  void flush_soon() override;
  void read_on() override;
  void hang_up() override;
  void post(std::function<void()> fn) override;
  void read();
  void flush();
  // Bugs put in on purpose may change what comes and what goes.
  void let_in(std::string_view frame);
  void let_out(std::string frame);
  void read_early(std::string_view frame);
  std::shared_ptr<SimConnection> self() {
    return std::static_pointer_cast<SimConnection>(shared_from_this());
  }

  SimPort& port_;
  const std::shared_ptr<Wire> wire_;
  std::string inbox_;
  bool accepted_ = false;
  bool finished_ = false;  // by the peer
  bool reading_ = false;
  bool flushing_ = false;
  bool answered_connect_ = false;
  int64_t asked_ms_ = 0;  // when its ConnectRequest had come whole
  net::FrameAssembler coming_;  // only where a planted bug looks at whole frames
  net::FrameAssembler going_;
  bool connect_came_ = false;
  std::map<int32_t, coordinator::server::Answer> early_;  // by xid
};

class SimPort final : public CoordinatorPart {
 public:
  SimPort(SimCoordinator& coordinator, Journal& journal, Planted planted);
  ~SimPort() override;

  // From the network, also while the process is paused.
  void connect(std::shared_ptr<Wire> wire);
  // The connections of wires that are closed in one step are closed in the order of their numbers.
  void hang_up_soon(std::shared_ptr<Wire> wire);

  SimCoordinator& coordinator() { return coordinator_; }
  Journal& journal() { return journal_; }
  Planted planted() const { return planted_; }
  coordinator::server::Clients& clients() { return clients_; }
  bool dying() const { return dying_; }

 private:
  void sweep();

  SimCoordinator& coordinator_;
  Journal& journal_;
  const Planted planted_;
  bool dying_ = false;
  runtime::asio::io_context idle_;  // never run: no real time passes here
  coordinator::server::ServerSettings settings_;
  coordinator::server::Clients clients_;
  std::map<int, std::weak_ptr<SimConnection>> connections_;  // by the wire's number
  std::vector<std::shared_ptr<Wire>> hung_up_;
};

}  // namespace odradek::sim
