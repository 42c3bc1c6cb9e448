#pragma once
// ClientView: everything that one client is told, checked as it is told:
//  - replies come in the order of the requests, each with its request's xid;
//  - each says what the history says at its zxid, stat and all (a write: at the zxid of its own
//    step);
//  - zxids never go back, across connections and restarts too, and never behind what anybody had
//    been told when the request was sent (linearizable: writes and reads);
//  - before a reply that shows a zxid come just the events of the connection's watches up to it,
//    each once and in order, and those that setWatches tells as missed.

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "tests/sim/tree/journal.h"
#include "tests/sim/tree/request.h"
#include "tests/sim/tree/watch_model.h"
#include "tests/sim/world.h"

namespace odradek::sim {

class ClientView {
 public:
  ClientView(World& world, Journal& journal, std::string name)
      : world_(world), journal_(journal), name_(std::move(name)) {}

  // A connection with this session, which may be the one of before.
  void connected(int64_t session);
  // The connection is gone; what was asked may have been done or not.
  void disconnected();
  void sent(Request request);
  void event(WatchEvent event);
  // The request that this reply answers; nothing where it answers none.
  std::optional<Request> reply(int32_t xid, int64_t zxid, zookeeper::ErrorCode error,
                               std::string_view body);

  const std::deque<Request>& waiting() const { return waiting_; }
  const WatchModel& watches() const { return watches_; }

  struct Counts {
    int64_t writes = 0;
    int64_t reads = 0;
    int64_t refused = 0;  // replies with an error
    int64_t failed_multis = 0;
    int64_t events = 0;
    int64_t missed_events = 0;  // told by setWatches
    int64_t resumed = 0;        // connections that went on with their session
  };
  const Counts& counts() const { return counts_; }

 private:
  void breach(const std::string& what);
  void check_order(const Request& request, int64_t zxid);
  void check_events(const Request& request, int64_t zxid);
  void check_answer(const Request& request, int64_t zxid, zookeeper::ErrorCode error,
                    std::string_view body);
  void register_watches(const Request& request, zookeeper::ErrorCode error);
  std::vector<WatchEvent> events_up_to(int64_t zxid);
  void sort_closes(std::vector<WatchEvent>& events) const;

  World& world_;
  Journal& journal_;
  const std::string name_;
  int64_t session_ = 0;
  int64_t last_zxid_ = 0;         // of the session's replies
  std::deque<Request> waiting_;   // for their replies
  WatchModel watches_;            // of this connection, after the last reply
  int64_t watched_zxid_ = 0;      // up to which their events were expected
  std::vector<WatchEvent> told_;  // since the last reply
  Counts counts_;
};

}  // namespace odradek::sim
