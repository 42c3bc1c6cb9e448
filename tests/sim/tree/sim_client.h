#pragma once
// SimClient: a ZooKeeper client as the Java library is one: a session over changing connections,
// several requests on the way at once, pings when it is idle, its watches brought along when it
// reconnects. What it is told goes through its ClientView. The troubles of a run are methods here.

#include <memory>
#include <set>
#include <string>

#include "common/net/frame_assembler.h"
#include "tests/sim/sim_coordinator.h"
#include "tests/sim/tree/client_view.h"
#include "tests/sim/tree/journal.h"
#include "tests/sim/tree/wire.h"
#include "tests/sim/tree/workload.h"
#include "tests/sim/world.h"

namespace odradek::sim {

class SimClient {
 public:
  SimClient(World& world, SimCoordinator& coordinator, Journal& journal, Network& network,
            int number);
  ~SimClient();

  void start() { connect(world_.between(1, 300)); }
  // From now on it only keeps its session.
  void rest() { resting_ = true; }
  // Connected, and nothing but a ping of this moment has no reply.
  bool settled() const {
    return state_ == State::connected &&
           (view_.waiting().empty() || world_.now_ms() - sent_ms_ < kReplyMs);
  }

  // The connection breaks. What is on the way is lost; client and coordinator learn of it at once,
  // late, or only by the other's silence.
  void lose_connection();
  // It gives the connection up, but what it sent goes on its way.
  void leave_connection();
  // It is gone without a word, and comes back some time later with a session of its own.
  void crash();

  const ClientView& view() const { return view_; }
  int sessions() const { return sessions_; }
  int expired() const { return expired_; }

 private:
  static constexpr int64_t kReplyMs = 100;
  enum class State { down, connecting, connected, closing };

  void connect(int64_t delay_ms);
  void open_wire();
  void drop_wire();
  void wire_ended();
  void received(std::string_view bytes);
  void on_connected(std::string_view frame);
  void on_frame(std::string_view frame);
  void on_event(std::string_view body, int64_t zxid);
  void on_reply(const Request& request, int64_t zxid, zookeeper::ErrorCode error);
  void remember_watches(const Request& request, zookeeper::ErrorCode error);
  void learn(const Request& request, int64_t zxid);
  void bring_watches();
  void send(Request request);
  void keep_alive(uint64_t life);
  void work(uint64_t life);
  void forget_session();
  std::vector<std::string> watched_paths() const;

  World& world_;
  SimCoordinator& coordinator_;
  Journal& journal_;
  Network& network_;
  const std::string name_;
  const int64_t timeout_ms_;
  ClientView view_;
  Workload workload_;

  State state_ = State::down;
  uint64_t life_ = 0;  // of the connection: what was begun for an earlier one is not done any more
  std::shared_ptr<Wire> wire_;
  std::unique_ptr<net::FrameAssembler> assembler_;
  int64_t session_ = 0;
  std::string password_;
  int64_t last_zxid_ = 0;  // of replies, as the Java client counts
  int32_t last_xid_ = 0;
  uint64_t last_order_ = 0;
  int64_t sent_ms_ = 0;
  int64_t received_ms_ = 0;
  bool resting_ = false;
  // what it believes to watch
  std::set<std::string> data_, exist_, child_, persistent_, recursive_;
  int sessions_ = 0;
  int expired_ = 0;
};

}  // namespace odradek::sim
