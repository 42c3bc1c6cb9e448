#pragma once
// Journal: the coordinator's own account of what it did, in the order of zxids, taken down the
// moment each write has its zxid (PipelineOptions::on_prepared) and checked there:
//  - it is the next zxid, and a request that a client sent, unchanged, in the order in which its
//    session sent them, across connections too;
//  - a session ends only by its client's wish or after its time-out, of which no time counts in
//    which the coordinator did not run;
//  - the sweep takes only what is due.
// It survives the coordinator: after a crash it knows what may be gone and what may not.

#include <algorithm>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "coordinator/pipeline/pipeline.h"
#include "tests/sim/tree/history.h"
#include "tests/sim/tree/request.h"
#include "tests/sim/world.h"

namespace odradek::sim {

class Journal {
 public:
  // `tick_ms`: the coordinator's.
  Journal(World& world, int64_t tick_ms) : world_(world), tick_ms_(tick_ms) {}

  const History& history() const { return history_; }

  // ---- the coordinator
  void prepared(const coordinator::pipeline::Write& write,
                const coordinator::pipeline::WriteReply& reply);
  // It came up and has everything up to this zxid.
  void started(int64_t last_zxid);
  // It let this zxid out in a reply.
  void let_out(int64_t zxid) { let_out_ = std::max(let_out_, zxid); }
  // It does not run from now until then.
  void pauses(int64_t until_ms);
  // Until then something is slow: what is due may take its time.
  void trouble(int64_t until_ms) { calm_since_ms_ = std::max(calm_since_ms_, until_ms); }
  // The session's client is told its password: it asked at `asked_ms`, and that is when it was
  // heard of, however long the answer took.
  void granted(int64_t session, int64_t timeout_ms, int64_t asked_ms);
  // A whole frame of the session came, even where nobody has read it yet.
  void heard(int64_t session);

  // ---- the clients
  void sent_write(const std::string& address, std::shared_ptr<SentWrite> write);
  void asked_to_close(int64_t session) { lives_[session].asked_to_close = true; }
  // A client got a reply with this zxid: from now on nobody may be shown less.
  void told(int64_t zxid) { told_ = std::max(told_, zxid); }
  int64_t told() const { return told_; }
  // A reply to the session's request of this order showed the tree at `zxid`.
  void replied(int64_t session, uint64_t order, int64_t zxid);

  // Compares the whole tree with the history, and looks for sessions that should be gone.
  void audit(const coordinator::pipeline::Pipeline& pipeline);

  struct Counts {
    int closes = 0;
    int expiries = 0;
    int sweeps = 0;
    int refused = 0;
    int lost_to_crashes = 0;  // prepared, never answered
    int audits = 0;
  };
  const Counts& counts() const { return counts_; }

 private:
  struct Life {
    int64_t timeout_ms = 0;
    int64_t heard_ms = 0;
    bool granted = false;
    bool asked_to_close = false;
    uint64_t last_order = 0;                        // of the writes that were prepared
    uint64_t replied_order = 0;                     // of the requests that were answered
    std::deque<std::shared_ptr<SentWrite>> unseen;  // prepared, no reply showed them yet
  };

  int64_t paused_since(int64_t since_ms) const;
  void check_sent(const coordinator::pipeline::Write& write, int64_t zxid);
  void check_internal(const History::Step& step);
  void check_close(int64_t session);
  void check_sweep(const History::Step& step);
  void check_tree(const coordinator::pipeline::Pipeline& pipeline);
  void check_sessions(const coordinator::pipeline::Pipeline& pipeline);

  World& world_;
  const int64_t tick_ms_;
  History history_;
  std::map<std::string, std::deque<std::shared_ptr<SentWrite>>> sent_;  // by address
  std::map<int64_t, Life> lives_;
  int64_t let_out_ = 0;
  int64_t told_ = 0;
  int64_t calm_since_ms_ = 0;
  std::vector<std::pair<int64_t, int64_t>> pauses_;  // of this process, begin and end
  Counts counts_;
};

}  // namespace odradek::sim
