#include "coordinator/pipeline/pipeline.h"

#include <sys/random.h>

#include <algorithm>
#include <iterator>

#include "common/check.h"
#include "common/log/log.h"
#include "coordinator/store/fatal.h"
#include "coordinator/tree/path.h"

namespace odradek::coordinator::pipeline {

namespace {

// One batch of the store; the rest waits for the next.
constexpr size_t kMaxBatchBytes = 8u << 20;
// Room for so many writes is kept from one batch to the next.
constexpr size_t kKeepPending = 1024;

tree::Password random_password() {
  tree::Password password;
  CHECK(getrandom(password.data(), password.size(), 0) == static_cast<ssize_t>(password.size()));
  return password;
}

// Of an operation that a quota may refuse.
std::string_view written_path(const tree::Operation& operation) {
  if (auto* create = std::get_if<tree::CreateOp>(&operation)) return create->path;
  if (auto* set = std::get_if<tree::SetDataOp>(&operation)) return set->path;
  return {};
}

}  // namespace

Pipeline::Pipeline(PipelineOptions options, const Clock& clock, store::Store& store,
                   Committer& committer)
    : options_(std::move(options)),
      clock_(clock),
      store_(store),
      committer_(committer),
      applied_(std::make_unique<store::StoreTree>(store.snapshot(), options_.znode_cache_bytes)),
      sessions_(options_.tick_ms, clock.monotonic_ms()),
      sweep_(options_.containers, clock.monotonic_ms()) {
  if (!options_.new_password) options_.new_password = random_password;
  watches_.on_fired([this](tree::EventType type, size_t watchers) {
    metrics_.watchers_told(type).observe(static_cast<int64_t>(watchers));
  });
}

Pipeline::~Pipeline() { *alive_ = false; }

Result<std::unique_ptr<Pipeline>> Pipeline::open(PipelineOptions options, const Clock& clock,
                                                 store::Store& store, Committer& committer) {
  auto fence = store.lead();
  if (!fence) return fence.error();
  auto pipeline =
      std::unique_ptr<Pipeline>(new Pipeline(std::move(options), clock, store, committer));
  pipeline->fence_ = *fence;
  if (auto loaded = pipeline->load(); !loaded) return loaded.error();
  return pipeline;
}

Result<void> Pipeline::load() {
  auto totals = applied_->totals();
  if (!totals) {
    tree::Preparation preparation(*applied_, overlay_, Zxid(0), clock_.wall_ms(), SessionId());
    tree::prepare_new_tree(preparation);
    tree::Txn txn = preparation.take();
    totals_.nodes = txn.node_delta;
    totals_.data_bytes = txn.data_bytes_delta;
    if (auto committed = commit_at_once(txn); !committed) return committed.error();
    totals = totals_;
  }
  totals_ = *totals;
  applied_zxid_ = prepared_zxid_ = totals_.last_zxid;
  if (auto value = applied_->snapshot().get(store::restored_key())) {
    auto restored = store::decode_zxid(*value);
    if (!restored) return restored.error();
    restored_zxid_ = *restored;
  }
  SessionId first = session::first_session_id(options_.server_id, clock_.wall_ms());
  last_session_ = std::max(first, totals_.last_session);
  int64_t now_ms = clock_.monotonic_ms();
  applied_->for_each_session([&](SessionId id, const tree::SessionRecord& record) {
    sessions_.add(id, record.timeout_ms, record.password, now_ms);
  });
  return load_quotas();
}

// Which paths have a quota, and their stats counted anew, as ZooKeeper does at its start: a tree
// that was brought from elsewhere may have stats that were never right.
Result<void> Pipeline::load_quotas() {
  std::vector<std::string> nodes{std::string(tree::kQuotaRoot)};
  for (size_t i = 0; i < nodes.size(); ++i) {
    auto quota = tree::quota_of(nodes[i], tree::kQuotaLimits);
    if (quota) quotas_.add(*quota);
    auto names = applied_->children(nodes[i]);
    if (!names) continue;
    for (const std::string& name : *names) nodes.push_back(tree::join_path(nodes[i], name));
  }
  if (quotas_.empty()) return {};
  tree::Preparation preparation(*applied_, overlay_, applied_zxid_, clock_.wall_ms(), SessionId(),
                                &quotas_);
  tree::recount_quotas(preparation, quotas_);
  tree::Txn txn = preparation.take();
  if (txn.nodes.empty()) return {};
  LOG_WARN("zookeeper", "The stats of {} quotas were not right and are counted anew",
           txn.nodes.size());
  totals_.data_bytes += txn.data_bytes_delta;
  return commit_at_once(txn);
}

Result<void> Pipeline::commit_at_once(const tree::Txn& txn) {
  store::Batch batch;
  applied_->encode({&txn}, totals_, batch);
  batch.put(std::string(store::totals_key()), store::encode_totals(totals_));
  auto snapshot = store_.commit(batch, fence_);
  if (!snapshot) return snapshot.error();
  applied_->move_to(*std::move(snapshot), {&txn});
  return {};
}

// ---- writes

std::optional<WriteReply::Failure> Pipeline::prepare_all(
    const Write& write, tree::Preparation& preparation,
    std::vector<tree::OperationResult>& results) {
  using Failure = WriteReply::Failure;
  if (!write.auth->internal) {
    // the table knows what is applied, the overlay what is on the way
    const auto* in_flight = overlay_.session(write.session);
    if (in_flight ? !in_flight->state : sessions_.find(write.session) == nullptr) {
      return Failure{0, Error(Errc::session_expired, "the session is gone")};
    }
  }
  results.reserve(write.operations.size());
  std::vector<tree::QuotaExcess> excesses;
  tree::PrepareContext context{*write.auth, write.session, options_.rules, &excesses};
  for (size_t i = 0; i < write.operations.size(); ++i) {
    if (guard_ && !write.auth->internal) {
      if (auto refusal = guard_->refuse(write, write.operations[i])) return Failure{i, *refusal};
    }
    auto result = tree::prepare(write.operations[i], context, preparation);
    if (!result && result.error().code() == Errc::quota_exceeded) {
      quota_log_.note(result.error().what(), clock_.monotonic_ms());
      metrics_.quota_exceeded.add(top_namespace(written_path(write.operations[i])));
    }
    if (!result) return Failure{i, result.error()};
    results.push_back(*std::move(result));
  }
  for (const auto& excess : excesses) quota_log_.note(excess.text, clock_.monotonic_ms());
  return std::nullopt;
}

void Pipeline::write(Write write, WriteDone done) {
  if (failed_) return;
  CHECK(write.multi || write.operations.size() == 1);
  int64_t began_ms = clock_.monotonic_ms();
  Zxid zxid = prepared_zxid_ + 1;
  int64_t time_ms = clock_.wall_ms();
  Pending pending;
  pending.done = std::move(done);
  pending.reply.zxid = zxid;
  tree::Preparation preparation(*applied_, overlay_, zxid, time_ms, write.session, &quotas_);
  pending.reply.failure = prepare_all(write, preparation, pending.reply.results);
  if (pending.reply.failure) {
    pending.reply.results.clear();
    pending.txn.refused = true;
    pending.txn.commit.zxid = zxid;
    pending.txn.commit.time_ms = time_ms;
    pending.txn.commit.session = write.session;
  } else {
    pending.txn = preparation.take();
    overlay_.add(pending.txn);
    for (const auto& [path, has] : pending.txn.quotas) has ? quotas_.add(path) : quotas_.remove(path);
    metrics_.changes_queued.add(static_cast<int64_t>(pending.txn.nodes.size()));
  }
  prepared_zxid_ = zxid;
  if (options_.on_prepared) options_.on_prepared(write, pending.reply);
  waiting_bytes_ += pending.txn.bytes();
  int64_t prepared_ms = pending.prepared_ms = clock_.monotonic_ms();
  metrics_.prep_time.observe(prepared_ms - began_ms);
  if (!pending.txn.commit.closed_sessions.empty()) {
    metrics_.close_session_prep_time.observe(prepared_ms - began_ms);
  }
  metrics_.writes_queued.add();
  waiting_.push_back(std::move(pending));
  bool waits = !in_flight_.empty();  // nothing to do now
  hand_over();
  metrics_.proposal_time.observe(waits ? 0 : clock_.monotonic_ms() - prepared_ms);
}

// Gives the committer all that waits, unless it is busy.
void Pipeline::hand_over() {
  if (!in_flight_.empty() || waiting_.empty() || failed_) return;
  handed_over_ms_ = clock_.monotonic_ms();
  metrics_.queue_size.observe(static_cast<int64_t>(waiting_.size()));
  take_waiting();
  std::vector<const tree::Txn*> txns;
  txns.reserve(in_flight_.size());
  for (const Pending& pending : in_flight_) {
    metrics_.queue_time.observe(handed_over_ms_ - pending.prepared_ms);
    txns.push_back(&pending.txn);
    totals_.nodes += pending.txn.node_delta;
    totals_.data_bytes += pending.txn.data_bytes_delta;
    totals_.ephemerals += pending.txn.ephemeral_delta;
  }
  metrics_.batch_size.observe(static_cast<int64_t>(in_flight_.size()));
  totals_.last_zxid = in_flight_.back().txn.zxid();
  totals_.last_session = last_session_;
  store::Batch batch;
  applied_->encode(txns, totals_, batch);
  batch.put(std::string(store::totals_key()), store::encode_totals(totals_));
  committer_.commit(store_, std::move(batch), fence_,
                    [this, alive = alive_](Result<store::SnapshotRef> outcome) {
                      if (*alive) on_committed(std::move(outcome));
                    });
}

// From what waits to what is in flight, in batches of a bounded size.
void Pipeline::take_waiting() {
  if (waiting_bytes_ <= kMaxBatchBytes) {
    in_flight_.swap(waiting_);
    in_flight_bytes_ = std::exchange(waiting_bytes_, 0);
    return;
  }
  size_t count = 0;
  for (in_flight_bytes_ = 0; in_flight_bytes_ < kMaxBatchBytes; ++count) {
    in_flight_bytes_ += waiting_[count].txn.bytes();
  }
  waiting_bytes_ -= in_flight_bytes_;
  auto end = waiting_.begin() + static_cast<ptrdiff_t>(count);
  in_flight_.assign(std::make_move_iterator(waiting_.begin()), std::make_move_iterator(end));
  waiting_.erase(waiting_.begin(), end);
}

void Pipeline::on_committed(Result<store::SnapshotRef> outcome) {
  if (!outcome) {
    failed_ = true;
    if (!options_.on_failed_commit) {
      store::fatal("a transaction could not be made durable, so the coordinator ends: " +
                   outcome.error().what());
    }
    options_.on_failed_commit(outcome.error());
    return;
  }
  applying_.swap(in_flight_);
  in_flight_bytes_ = 0;
  std::vector<const tree::Txn*> txns;
  txns.reserve(applying_.size());
  int64_t now_ms = clock_.monotonic_ms();
  metrics_.flush_time.observe(now_ms - handed_over_ms_);
  for (const Pending& pending : applying_) {
    txns.push_back(&pending.txn);
    overlay_.retire(pending.txn);
    metrics_.sync_time.observe(now_ms - handed_over_ms_);
    metrics_.queue_and_flush_time.observe(now_ms - pending.prepared_ms);
  }
  applied_->move_to(*std::move(outcome), txns);
  applied_zxid_ = applying_.back().txn.zxid();
  hand_over();  // the disk works while the answers go out

  in_step_ = true;
  int64_t wall_ms = clock_.wall_ms();
  for (Pending& pending : applying_) apply(pending, wall_ms);
  in_step_ = false;
  std::erase(observers_, nullptr);
  applying_.clear();
  if (applying_.capacity() > kKeepPending) applying_.shrink_to_fit();
  while (!barriers_.empty() && barriers_.front().first <= applied_zxid_) {
    after_step_.push_back(std::move(barriers_.front().second));
    barriers_.pop_front();
  }
  run_after_step();
}

// Events, then the reply, then those who react: the order a client may rely on.
void Pipeline::apply(Pending& pending, int64_t wall_ms) {
  const tree::Commit& commit = pending.txn.commit;
  measure_applied(pending.txn, wall_ms);
  for (const auto& write : pending.txn.sessions) {
    if (write.after) {
      sessions_.add(write.session, write.after->timeout_ms, write.after->password,
                    clock_.monotonic_ms());
    }
  }
  std::vector<std::pair<SessionId, std::shared_ptr<session::SessionOwner>>> ended;
  for (SessionId id : commit.closed_sessions) {
    if (const session::Session* session = sessions_.find(id)) {
      ended.emplace_back(id, session->owner.lock());
      sessions_.remove(id);
    }
  }
  for (const tree::Change& change : commit.changes) watches_.fire(change, commit.zxid);
  if (pending.done) pending.done(std::move(pending.reply));
  for (auto& [id, owner] : ended) {
    if (owner) owner->session_ended(id);
  }
  if (pending.txn.refused) return;
  for (size_t i = 0; i < observers_.size(); ++i) {
    if (observers_[i]) observers_[i]->on_commit(commit);
  }
}

void Pipeline::measure_applied(const tree::Txn& txn, int64_t wall_ms) {
  int64_t took_ms = wall_ms - txn.commit.time_ms;
  if (took_ms >= 0) metrics_.propagation_time.observe(took_ms);  // the wall clock may be set back
  metrics_.changes_applied.add(static_cast<int64_t>(txn.nodes.size()));
  for (const tree::Change& change : txn.commit.changes) {
    std::string_view name = top_namespace(change.path);
    if (name.empty() || change.kind == tree::Change::Kind::acl_changed) continue;
    size_t bytes = change.path.size();
    if (change.kind != tree::Change::Kind::deleted) bytes += txn.data_size(change.path);
    metrics_.write_per_namespace.observe(name, static_cast<int64_t>(bytes));
  }
}

void Pipeline::after_step(std::function<void()> fn) {
  after_step_.push_back(std::move(fn));
  if (!in_step_) run_after_step();
}

void Pipeline::run_after_step() {
  // what these start themselves runs behind them, not inside
  in_step_ = true;
  for (size_t i = 0; i < after_step_.size(); ++i) {
    auto fn = std::move(after_step_[i]);
    fn();
  }
  after_step_.clear();
  in_step_ = false;
}

void Pipeline::barrier(std::function<void()> fn) {
  if (writes_in_flight() == 0) return after_step(std::move(fn));
  barriers_.emplace_back(prepared_zxid_, std::move(fn));
}

void Pipeline::observe(tree::CommitObserver* observer) { observers_.push_back(observer); }
void Pipeline::unobserve(tree::CommitObserver* observer) {
  std::replace(observers_.begin(), observers_.end(), observer,
               static_cast<tree::CommitObserver*>(nullptr));
  if (!in_step_) std::erase(observers_, nullptr);
}

// ---- sessions

int32_t Pipeline::clamp_timeout(const SessionRequest& request) const {
  if (request.exact_timeout) return request.timeout_ms;
  return std::clamp(request.timeout_ms, options_.min_session_timeout_ms,
                    options_.max_session_timeout_ms);
}

Pipeline::SessionGrant Pipeline::new_session_ids(SessionRequest request) {
  last_session_ = last_session_ + 1;
  return SessionGrant{last_session_, clamp_timeout(request), options_.new_password()};
}

void Pipeline::create_session(SessionRequest request,
                              std::function<void(Result<SessionGrant>)> done) {
  SessionGrant grant = new_session_ids(request);
  std::vector<tree::Operation> operations;
  operations.emplace_back(tree::CreateSessionOp(grant.session, grant.timeout_ms, grant.password));
  write(Write::internal(std::move(operations), grant.session),
        [this, grant, owner = request.owner, done = std::move(done)](WriteReply reply) {
          if (!reply.ok()) return done(reply.failure->error);
          if (session::Session* session = sessions_.find(grant.session)) session->owner = owner;
          done(grant);
        });
}

Result<Pipeline::SessionGrant> Pipeline::attach_session(SessionId id,
                                                        const tree::Password& password,
                                                        SessionRequest request) {
  session::Session* session = sessions_.find(id);
  if (!session || session->closing || session->password != password) {
    return Error(Errc::session_expired, "unknown session or wrong password");
  }
  session->timeout_ms = clamp_timeout(request);
  auto former = session->owner.lock();
  session->owner = request.owner;
  sessions_.touch(id, clock_.monotonic_ms());
  SessionGrant grant{id, session->timeout_ms, session->password};
  if (former && former != request.owner.lock()) former->session_moved(id);
  return grant;
}

void Pipeline::detach_session(SessionId id, const session::SessionOwner* owner) {
  session::Session* session = sessions_.find(id);
  if (session && session->owner.lock().get() == owner) session->owner.reset();
}

void Pipeline::close_session(SessionId id, WriteDone done) {
  if (session::Session* session = sessions_.find(id); session && !session->closing) {
    sessions_.mark_closing(*session);
  }
  std::vector<tree::Operation> operations;
  operations.emplace_back(tree::CloseSessionOp(id));
  write(Write::internal(std::move(operations), id), std::move(done));
}

bool Pipeline::touch(SessionId id, int64_t now_ms) { return sessions_.touch(id, now_ms); }

void Pipeline::tick() {
  int64_t now_ms = clock_.monotonic_ms();
  if (now_ms >= sessions_.next_tick_ms()) expire_sessions(now_ms);
  if (now_ms >= sweep_.next_ms()) sweep(now_ms);
}

void Pipeline::expire_sessions(int64_t now_ms) {
  if (!in_flight_.empty() && now_ms - handed_over_ms_ > std::max(options_.tick_ms, 1000)) {
    // the disk stands still: clients that wait for it, or are not read from, are not gone
    sessions_.forgive(now_ms);
    return;
  }
  for (SessionId id : sessions_.expire(now_ms)) {
    LOG_INFO("zookeeper", "Expiring session 0x{:x}, timeout of {}ms exceeded", id.value(),
             sessions_.find(id)->timeout_ms);
    metrics_.sessions_expired.add();
    close_session(id, [](WriteReply) {});
  }
}

void Pipeline::sweep(int64_t now_ms) {
  for (std::string& path : sweep_.due(*applied_, now_ms, clock_.wall_ms())) {
    auto stat = applied_->stat(path);
    if (!stat) continue;
    // where something is on the way it stays: a child makes it not_empty, and one that is made anew
    // or written to is not the one that was looked at
    std::vector<tree::Operation> operations;
    operations.emplace_back(tree::CheckOp(path, stat->version, stat->czxid));
    operations.emplace_back(tree::DeleteOp(std::move(path)));
    write(Write::internal(std::move(operations)), [](WriteReply) {});
  }
}

}  // namespace odradek::coordinator::pipeline
