// The whole way of a write, from the pipeline to RocksDB's files, on a disk that fails: power loss
// at any write or sync, torn writes, kills, I/O errors, a full disk. Whatever happens, the next
// start finds every acknowledged write, and of the one that was on the way all or nothing; sessions
// live on. A failing seed is printed; ODRADEK_SIM_SEED=N runs it alone, ODRADEK_SIM_SEEDS=N so many.
#include <algorithm>
#include <cstdlib>
#include <random>
#include <set>

#include "common/check.h"
#include "common/clock.h"
#include "common/format.h"
#include "coordinator/pipeline/pipeline.h"
#include "tests/support/coordinator/tree_invariants.h"
#include "tests/unit/coordinator/store/rocks_fixture.h"

namespace odradek::coordinator::pipeline {
namespace {

using fs::FaultyFileSystem;
using store::Content;
using CrashMode = FaultyFileSystem::CrashMode;

// Between the pipeline and the store: knows what was acknowledged and what was on the way.
class Witness final : public store::Store {
 public:
  explicit Witness(Content& acknowledged) : acknowledged_(acknowledged) {}
  void watch(store::Store* target, RocksFiles* rocks) {
    target_ = target;
    rocks_ = rocks;
    unflushed_bytes_ = 0;
    on_the_way_.reset();
  }
  store::SnapshotRef snapshot() override { return target_->snapshot(); }
  Result<store::Fence> lead() override { return target_->lead(); }
  Result<store::SnapshotRef> commit(const store::Batch& batch, store::Fence fence) override {
    on_the_way_ = batch;
    for (const auto& entry : batch.entries) {
      unflushed_bytes_ += entry.key.size() + (entry.value ? entry.value->size() : 0) + 100;
    }
    // a write that waits for a flush would wait for ever: this thread is the one that flushes
    if (unflushed_bytes_ > 50'000) run_background();
    auto committed = target_->commit(batch, fence);
    if (committed) {
      store::apply_batch(batch, acknowledged_);
      on_the_way_.reset();
    }
    return committed;
  }
  const std::optional<store::Batch>& on_the_way() const { return on_the_way_; }
  void run_background() {
    rocks_->run_background();
    unflushed_bytes_ = 0;
  }

 private:
  store::Store* target_ = nullptr;
  RocksFiles* rocks_ = nullptr;
  size_t unflushed_bytes_ = 0;
  Content& acknowledged_;
  std::optional<store::Batch> on_the_way_;
};

class Seed {
 public:
  explicit Seed(uint64_t seed) : random_(seed), files_(seed), witness_(acknowledged_) {
    CHECK(files_.make_dirs("/data").ok() && files_.sync_all("/").ok());
  }

  void run() {
    const int lives = 2 + pick(4);
    for (int life = 0; life < lives && !::testing::Test::HasFailure(); ++life) {
      clock_.jump_wall_ms(int64_t{pick(3) - 1} * 3'600'000);
      if (!start(true)) return;
      live();
      end();
    }
    if (start(true)) stop();
  }

 private:
  int pick(int below) { return static_cast<int>(random_() % static_cast<uint64_t>(below)); }
  bool chance(int percent) { return pick(100) < percent; }

  // ---- the process

  // With a sound disk it always starts, and what it finds is right.
  bool start(bool sound) {
    rocks_ = std::make_unique<RocksFiles>(files_);
    auto opened = store::RocksStore::open(store::kStorePath, rocks_->options());
    if (!opened) {
      if (sound) ADD_FAILURE() << "does not start: " << opened.error().what();
      return false;
    }
    store_ = *std::move(opened);
    check_content();
    witness_.watch(store_.get(), rocks_.get());
    PipelineOptions options;
    options.tick_ms = 2000;
    options.min_session_timeout_ms = 4000;
    options.max_session_timeout_ms = 40000;
    options.on_failed_commit = [this](const Error&) { dead_ = true; };
    dead_ = false;
    committer_ = ManualCommitter();
    auto pipeline = Pipeline::open(options, clock_, witness_, committer_);
    if (!pipeline) {
      if (sound) ADD_FAILURE() << "does not start: " << pipeline.error().what();
      stop();
      return false;
    }
    pipeline_ = *std::move(pipeline);
    EXPECT_GE(pipeline_->last_zxid(), replied_);
    for (SessionId session : sessions_) {
      EXPECT_TRUE(pipeline_->session_alive(session)) << "a session is gone";
    }
    return true;
  }

  // What an earlier life acknowledged, and all or nothing of what it had on the way.
  void check_content() {
    auto snapshot = store_->snapshot();
    Content found = store::content_of(*snapshot);
    if (found != acknowledged_) {
      Content with_last = acknowledged_;
      if (witness_.on_the_way()) store::apply_batch(*witness_.on_the_way(), with_last);
      EXPECT_EQ(found == with_last, true) << "an acknowledged write is lost, or one is half there";
      acknowledged_ = std::move(found);
    }
    for (const std::string& problem : tree_problems(*snapshot)) ADD_FAILURE() << problem;
  }

  void stop() {
    pipeline_.reset();
    store_.reset();
    rocks_.reset();
  }

  // ---- what happens to it

  void live() {
    const int faults = pick(8);
    if (faults < 3) files_.cut_power_after(1 + random_() % (chance(30) ? 30 : 400));
    if (faults == 3) set_fault(Errc::io_error);
    if (faults == 4) set_fault(Errc::disk_full);
    if (faults == 5) files_.set_capacity(files_.used_bytes() + random_() % 300'000);
    const int steps = 20 + pick(120);
    for (int step = 0; step < steps && !dead_ && !files_.power_is_cut(); ++step) act();
  }

  void set_fault(Errc code) {
    static const char* const kFiles[] = {".log", ".sst", "MANIFEST", "COMMITS", ""};
    using Call = FaultyFileSystem::Call;
    const Call call = code == Errc::disk_full || chance(50) ? Call::write : Call::sync;
    const char* file = kFiles[pick(5)];
    // not before some good ones
    for (int i = pick(40); i > 0; --i) act();
    files_.fail(call, file, code, chance(50) ? 1 : 1000);
  }

  void end() {
    const bool power = files_.power_is_cut() || chance(40);
    if (!power && chance(40)) {
      committer_.run();
      stop();
      if (files_.power_is_cut()) files_.crash(CrashMode::keep_prefix);
    } else {
      // an ended process leaves what it wrote to the kernel, a power loss not all of it
      kill(!power       ? CrashMode::keep_all
           : chance(50) ? CrashMode::keep_prefix
                        : CrashMode::lose_unsynced);
    }
    // while the disk is still full it may refuse to start, and loses nothing
    files_.cut_power_after(0);
    if (chance(50) && start(false)) kill(CrashMode::keep_all);
    files_.clear_faults();
    files_.cut_power_after(0);
    files_.set_capacity(0);
  }

  void kill(CrashMode mode) {
    if (!files_.power_is_cut()) files_.cut_power_after(1);  // nobody writes on
    stop();
    files_.crash(mode);
  }

  // ---- what is asked of it

  void act() {
    if (dead_ || files_.power_is_cut()) return;
    if (chance(5)) clock_.jump_wall_ms(int64_t{pick(3) - 1} * 3'600'000);
    clock_.advance_ms(pick(300));
    for (SessionId session : sessions_) pipeline_->touch(session);
    pipeline_->tick();
    if (sessions_.empty() || chance(4)) {
      new_session();
    } else if (chance(2)) {
      close_session();
    } else {
      write();
    }
    if (chance(60)) committer_.step();
    if (chance(30)) witness_.run_background();
  }

  void new_session() {
    Pipeline::SessionRequest request;
    request.timeout_ms = 40000;
    pipeline_->create_session(request, [this](Result<Pipeline::SessionGrant> grant) {
      ASSERT_TRUE(grant.ok());
      sessions_.insert(grant->session);
    });
  }
  void close_session() {
    SessionId session = *sessions_.begin();
    sessions_.erase(session);  // from here on it may be gone
    pipeline_->close_session(session, [](WriteReply) {});
  }

  std::string some_path() {
    std::string path = format("/{}", pick(6));
    while (chance(40)) path += format("/{}", pick(4));
    return path;
  }
  Bytes some_data() {
    return Bytes(chance(10) ? static_cast<size_t>(pick(30'000)) : static_cast<size_t>(pick(900)),
                 static_cast<char>(chance(20) ? 0 : 'a' + pick(26)));
  }
  tree::Operation some_operation() {
    switch (pick(10)) {
      case 0:
      case 1:
      case 2:
        return tree::CreateOp(some_path(), some_data());
      case 3:
        return tree::CreateOp(some_path(), some_data(), tree::NodeKind::ephemeral);
      case 4:
        return tree::CreateOp(some_path() + "-", some_data(), tree::NodeKind::persistent, true);
      case 5:
        return tree::DeleteOp(some_path());
      case 6:
        return tree::CheckOp(some_path());
      default:
        return tree::SetDataOp(some_path(), some_data());
    }
  }

  void write() {
    std::vector<tree::Operation> operations;
    const bool multi = chance(25);
    for (int i = multi ? 1 + pick(4) : 1; i > 0; --i) operations.push_back(some_operation());
    std::vector<bool> sequential;
    for (const tree::Operation& operation : operations) {
      auto* create = std::get_if<tree::CreateOp>(&operation);
      sequential.push_back(create && create->sequential);
    }
    auto session = sessions_.begin();
    std::advance(session, pick(static_cast<int>(sessions_.size())));
    tree::AuthInfo auth;
    auth.identities.emplace_back("ip", "127.0.0.1");
    pipeline_->write(Write(*session, auth, std::move(operations), multi),
                     [this, sequential](WriteReply reply) {
                       EXPECT_GT(reply.zxid, replied_) << "a zxid goes back";
                       replied_ = reply.zxid;
                       for (size_t i = 0; i < reply.results.size(); ++i) {
                         if (!sequential[i]) continue;
                         EXPECT_TRUE(names_.insert(reply.results[i].path).second)
                             << reply.results[i].path << " was given out before";
                       }
                     });
  }

  std::mt19937_64 random_;
  ManualClock clock_;
  FaultyFileSystem files_;
  Content acknowledged_;
  Witness witness_;
  std::unique_ptr<RocksFiles> rocks_;
  std::unique_ptr<store::RocksStore> store_;
  ManualCommitter committer_;
  std::unique_ptr<Pipeline> pipeline_;
  std::set<SessionId> sessions_;  // made and not closed, as was replied
  std::set<std::string> names_;   // sequential ones that were given out
  Zxid replied_;
  bool dead_ = false;
};

uint64_t number_of(const char* name, uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text ? std::strtoull(text, nullptr, 10) : otherwise;
}

TEST(StoreCrash, NothingAcknowledgedIsLost) {
  const uint64_t first = number_of("ODRADEK_SIM_SEED", 1);
  const uint64_t count = std::getenv("ODRADEK_SIM_SEED") ? 1 : number_of("ODRADEK_SIM_SEEDS", 150);
  for (uint64_t seed = first; seed < first + count; ++seed) {
    Seed(seed).run();
    ASSERT_FALSE(HasFailure()) << "seed " << seed;
  }
}

}  // namespace
}  // namespace odradek::coordinator::pipeline
