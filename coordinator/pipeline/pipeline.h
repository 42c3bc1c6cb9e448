#pragma once
// Pipeline: the way every write takes: prepare, commit, apply, notify. It owns the overlay of what
// is in flight, the watch table and the session table. Everything here lives on the tree thread and
// waits for nobody; the commit itself stands behind Committer, so that the simulator runs the same
// code step by step without threads.
//
// A write is checked against the tree and what is in flight, given its zxid, and queued; the
// committer takes all that waits as one batch with one sync; then the snapshot of the reads moves,
// and in that same step watch events, replies and observers are served in zxid order. What was
// replied survives a crash.

#include <algorithm>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "common/clock.h"
#include "common/ids.h"
#include "common/result.h"
#include "coordinator/pipeline/committer.h"
#include "coordinator/pipeline/container_sweep.h"
#include "coordinator/pipeline/metrics.h"
#include "coordinator/pipeline/quota_log.h"
#include "coordinator/session/session_table.h"
#include "coordinator/store/store.h"
#include "coordinator/store/store_tree.h"
#include "coordinator/tree/commit.h"
#include "coordinator/tree/operation.h"
#include "coordinator/tree/overlay.h"
#include "coordinator/tree/preparation.h"
#include "coordinator/tree/prepare.h"
#include "coordinator/tree/quota.h"
#include "coordinator/tree/rules.h"
#include "coordinator/tree/tree_reader.h"
#include "coordinator/tree/watch_table.h"

namespace odradek::coordinator::pipeline {

struct Write {
  Write() = default;
  Write(SessionId session_in, tree::AuthRef auth_in, std::vector<tree::Operation> operations_in,
        bool multi_in)
      : session(session_in),
        auth(std::move(auth_in)),
        operations(std::move(operations_in)),
        multi(multi_in) {}
  Write(SessionId session_in, tree::AuthInfo auth_in, std::vector<tree::Operation> operations_in,
        bool multi_in)
      : Write(session_in, std::make_shared<const tree::AuthInfo>(std::move(auth_in)),
              std::move(operations_in), multi_in) {}

  // The service's own write: passes ACLs and guards. All operations or none. `session` owns the
  // ephemerals it makes.
  static Write internal(std::vector<tree::Operation> operations, SessionId session = SessionId()) {
    return Write(session, tree::AuthInfo::internal_hand(), std::move(operations), true);
  }

  SessionId session;  // 0 only for internal writes
  tree::AuthRef auth = tree::AuthInfo::nobody();
  std::vector<tree::Operation> operations;  // exactly one unless multi
  bool multi = false;
};

struct WriteReply {
  struct Failure {
    size_t index;  // of the operation that was refused; nothing of the write was done
    Error error;
  };
  Zxid zxid;  // of this transaction; a refused one takes a zxid too
  std::vector<tree::OperationResult> results;  // one an operation; empty where it failed
  std::optional<Failure> failure;
  bool ok() const { return !failure; }
};

using WriteDone = std::function<void(WriteReply)>;

// May refuse an operation of a client's write before it is prepared (design decision 4). Asked on
// the tree thread, never for internal writes.
class RequestGuard {
 public:
  virtual ~RequestGuard() = default;
  virtual std::optional<Error> refuse(const Write& write, const tree::Operation& operation) = 0;
};

struct PipelineOptions {
  int32_t tick_ms = 3000;
  int32_t min_session_timeout_ms = 6000;
  int32_t max_session_timeout_ms = 60000;
  uint8_t server_id = 0;  // high byte of session ids
  tree::Rules rules;
  ContainerSweepOptions containers;
  size_t znode_cache_bytes = 1u << 20;  // of znodes that were written of late
  std::function<tree::Password()> new_password;  // empty: the system's random source
  // A commit failed: what is on disk is unknown. Empty: the process ends. Otherwise the pipeline
  // answers nothing any more.
  std::function<void(const Error&)> on_failed_commit;
  // Told of each write, in the order of zxids, when it has its zxid and nobody else knows of it:
  // what was asked and what will be answered once it is durable. Empty but in the simulator, which
  // has to know what a crash may take away.
  std::function<void(const Write&, const WriteReply&)> on_prepared;
};

class Pipeline {
 public:
  // Reads the last zxid and the sessions; makes the tree of a new store. Every session gets its
  // full time-out from now.
  static Result<std::unique_ptr<Pipeline>> open(PipelineOptions options, const Clock& clock,
                                                store::Store& store, Committer& committer);
  ~Pipeline();
  Pipeline(const Pipeline&) = delete;
  Pipeline& operator=(const Pipeline&) = delete;

  // `done` runs on the tree thread after the transaction is durable and applied, never inside this
  // call; for a write that is refused too. It does not run where the pipeline ends before.
  void write(Write write, WriteDone done);

  // Sessions. Time-outs are given as wished and clamped to the limits unless `exact_timeout`.
  struct SessionRequest {
    int32_t timeout_ms = 0;
    bool exact_timeout = false;
    std::weak_ptr<session::SessionOwner>
        owner;  // told when the session ends or moves; may be empty
  };
  struct SessionGrant {
    SessionId session;
    int32_t timeout_ms = 0;
    tree::Password password{};
  };
  void create_session(SessionRequest request, std::function<void(Result<SessionGrant>)> done);
  // A client (or broker stream) that comes back. session_expired where session or password is
  // wrong. Its former owner is told.
  Result<SessionGrant> attach_session(SessionId session, const tree::Password& password,
                                      SessionRequest request);
  // The owner went away; the session lives on until its time-out.
  void detach_session(SessionId session, const session::SessionOwner* owner);
  // One transaction that deletes the ephemerals too. Nothing is done where the session is already
  // closing.
  void close_session(SessionId session, WriteDone done);
  // For CreateSessionOp in a Write of one's own (a broker that supersedes its former session in one
  // transaction): a fresh id and password. After the write, attach_session makes the owner known.
  SessionGrant new_session_ids(SessionRequest request);
  // Heard of the session now. False where there is none or it is closing.
  bool touch(SessionId session) { return touch(session, clock_.monotonic_ms()); }
  bool touch(SessionId session, int64_t now_ms);
  bool session_alive(SessionId session) const { return sessions_.find(session) != nullptr; }

  // Expires sessions, and takes out containers that are empty again and znodes past their TTL; call
  // at or after next_tick_ms (monotonic). After a gap in which it was not called in
  // time (the process was stopped) every session gets its full time-out again.
  void tick();
  int64_t next_tick_ms() const { return std::min(sessions_.next_tick_ms(), sweep_.next_ms()); }

  // The tree at the last applied zxid. The reference stays good, what it shows moves.
  const tree::TreeReader& applied() const { return *applied_; }
  const store::StoreTree& applied_store() const { return *applied_; }
  Zxid last_zxid() const { return applied_zxid_; }
  // What was seen under a smaller zxid may be another history: the store was restored from a backup
  // then. 0 where it never was.
  Zxid restored_zxid() const { return restored_zxid_; }
  size_t writes_in_flight() const { return in_flight_.size() + waiting_.size(); }
  // Of the writes that are not yet durable, about; whoever feeds writes slows down by it.
  size_t bytes_in_flight() const { return waiting_bytes_ + in_flight_bytes_; }
  // Runs `fn` when everything that is in flight now is applied (ZooKeeper's sync); at once where
  // nothing is.
  void barrier(std::function<void()> fn);

  // Observers must outlive the pipeline, or be taken out.
  void observe(tree::CommitObserver* observer);
  void unobserve(tree::CommitObserver* observer);
  void set_guard(RequestGuard* guard) { guard_ = guard; }

  // Runs `fn` when the current step (apply of one batch) has served all its events and replies; at
  // once outside of one. Reads that a reply releases go through this, so that no read shows a
  // change whose event is not queued yet.
  void after_step(std::function<void()> fn);

  tree::WatchTable& watches() { return watches_; }
  const session::SessionTable& sessions() const { return sessions_; }
  PipelineMetrics& metrics() { return metrics_; }
  const Clock& clock() const { return clock_; }
  const PipelineOptions& options() const { return options_; }

 private:
  struct Pending {
    tree::Txn txn;
    WriteDone done;
    WriteReply reply;
    int64_t prepared_ms = 0;
  };

  Pipeline(PipelineOptions options, const Clock& clock, store::Store& store, Committer& committer);
  Result<void> load();
  // Of a start, before anybody writes.
  Result<void> commit_at_once(const tree::Txn& txn);
  std::optional<WriteReply::Failure> prepare_all(const Write& write, tree::Preparation& preparation,
                                                 std::vector<tree::OperationResult>& results);
  void hand_over();
  void take_waiting();
  void on_committed(Result<store::SnapshotRef> outcome);
  void apply(Pending& pending, int64_t wall_ms);
  void measure_applied(const tree::Txn& txn, int64_t wall_ms);
  void run_after_step();
  void expire_sessions(int64_t now_ms);
  void sweep(int64_t now_ms);
  Result<void> load_quotas();
  int32_t clamp_timeout(const SessionRequest& request) const;

  PipelineOptions options_;
  const Clock& clock_;
  store::Store& store_;
  Committer& committer_;
  RequestGuard* guard_ = nullptr;
  std::unique_ptr<store::StoreTree> applied_;
  tree::Overlay overlay_;
  tree::QuotaPaths quotas_;
  QuotaLog quota_log_;
  session::SessionTable sessions_;
  tree::WatchTable watches_;
  PipelineMetrics metrics_;
  std::vector<tree::CommitObserver*> observers_;  // null: took itself out in this step
  Zxid applied_zxid_;
  Zxid prepared_zxid_;
  Zxid restored_zxid_;
  store::Totals totals_;  // of all that was handed to the committer
  store::Fence fence_;
  SessionId last_session_;
  std::vector<Pending> waiting_;    // prepared, not yet with the committer
  std::vector<Pending> in_flight_;  // with the committer
  std::vector<Pending> applying_;   // durable: its events and replies go out
  size_t waiting_bytes_ = 0;
  size_t in_flight_bytes_ = 0;
  ContainerSweep sweep_;
  int64_t handed_over_ms_ = 0;  // when the committer was given what is in flight
  bool failed_ = false;
  bool in_step_ = false;
  std::deque<std::pair<Zxid, std::function<void()>>> barriers_;  // by zxid
  std::vector<std::function<void()>> after_step_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace odradek::coordinator::pipeline
