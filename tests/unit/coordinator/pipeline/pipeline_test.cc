// Order, group commit, crashes, sessions.
#include <random>

#include "tests/unit/coordinator/pipeline/fixture.h"

namespace odradek::coordinator::pipeline {
namespace {

using tree::CreateOp;
using tree::DeleteOp;
using tree::NodeKind;
using tree::SetDataOp;

using PipelineTest = PipelineFixture;

struct Owner final : session::SessionOwner {
  void session_ended(SessionId session) override { ended.push_back(session); }
  void session_moved(SessionId session) override { moved.push_back(session); }
  std::vector<SessionId> ended;
  std::vector<SessionId> moved;
};

struct Recorder final : tree::CommitObserver, tree::Watcher {
  void on_commit(const tree::Commit& commit) override {
    commits.push_back(commit);
    log.push_back("commit " + std::to_string(commit.zxid.value()));
  }
  void on_watch_event(tree::EventType type, const std::string& path, Zxid zxid) override {
    log.push_back("event " + std::to_string(static_cast<int>(type)) + " " + path + " " +
                  std::to_string(zxid.value()));
  }
  std::vector<tree::Commit> commits;
  std::vector<std::string> log;
};

std::vector<tree::Operation> one(tree::Operation operation) {
  std::vector<tree::Operation> operations;
  operations.push_back(std::move(operation));
  return operations;
}

TEST_F(PipelineTest, NothingIsAnsweredOrSeenBeforeTheCommit) {
  SessionId session = new_session();
  bool replied = false;
  pipeline->write(Write(session, anybody(), one(CreateOp("/a")), false),
                  [&](WriteReply) { replied = true; });
  EXPECT_FALSE(replied);
  EXPECT_FALSE(exists("/a"));
  EXPECT_EQ(pipeline->writes_in_flight(), 1u);
  committer.step();
  EXPECT_TRUE(replied);
  EXPECT_TRUE(exists("/a"));
  EXPECT_EQ(pipeline->writes_in_flight(), 0u);
}

TEST_F(PipelineTest, PrepareSeesWhatIsInFlight) {
  SessionId session = new_session();
  std::vector<bool> ok;
  auto done = [&](WriteReply reply) { ok.push_back(reply.ok()); };
  for (auto& operation :
       {tree::Operation(CreateOp("/a", "0")), tree::Operation(CreateOp("/a/b")),
        tree::Operation(SetDataOp("/a", "1", 0)), tree::Operation(SetDataOp("/a", "2", 0)),
        tree::Operation(DeleteOp("/a")), tree::Operation(DeleteOp("/a/b")),
        tree::Operation(DeleteOp("/a", 1)), tree::Operation(CreateOp("/a/b"))}) {
    pipeline->write(Write(session, anybody(), one(operation), false), done);
  }
  committer.run();
  EXPECT_EQ(ok, (std::vector<bool>{true, true, true, false, false, true, true, false}));
  EXPECT_FALSE(exists("/a"));
  EXPECT_EQ(pipeline->applied_store().totals()->nodes, 4);
}

TEST_F(PipelineTest, WaitingWritesShareOneCommit) {
  SessionId session = new_session();
  ask(session, CreateOp("/g"));
  size_t before = store.commits();
  int replies = 0;
  for (int i = 0; i < 500; ++i) {
    pipeline->write(Write(session, anybody(), one(CreateOp("/g/" + std::to_string(i))), false),
                    [&](WriteReply reply) {
                      EXPECT_TRUE(reply.ok());
                      ++replies;
                    });
  }
  committer.run();
  EXPECT_EQ(replies, 500);
  EXPECT_EQ(store.commits() - before, 2u);  // the first alone, then all the others
  EXPECT_EQ(pipeline->applied().stat("/g")->num_children, 500);
  EXPECT_EQ(pipeline->applied().children("/g")->size(), 500u);
}

TEST_F(PipelineTest, EventThenReplyThenObserverInZxidOrder) {
  SessionId session = new_session();
  ask(session, CreateOp("/w"));
  auto recorder = std::make_shared<Recorder>();
  pipeline->observe(recorder.get());
  ASSERT_TRUE(pipeline->watches().add("/w", tree::kWatchData, recorder.get()));
  ASSERT_TRUE(pipeline->watches().add("/w", tree::kWatchChild, recorder.get()));
  Zxid base = pipeline->last_zxid();
  for (auto& operation :
       {tree::Operation(CreateOp("/w/c")), tree::Operation(SetDataOp("/w", "1"))}) {
    pipeline->write(Write(session, anybody(), one(operation), false), [&](WriteReply reply) {
      recorder->log.push_back("reply " + std::to_string(reply.zxid.value()));
    });
  }
  pipeline->after_step([&] { recorder->log.push_back("outside"); });
  committer.run();
  std::string first = std::to_string((base + 1).value());
  std::string second = std::to_string((base + 2).value());
  EXPECT_EQ(recorder->log,
            (std::vector<std::string>{"outside", "event 4 /w " + first, "reply " + first,
                                      "commit " + first, "event 3 /w " + second, "reply " + second,
                                      "commit " + second}));
  pipeline->unobserve(recorder.get());
  pipeline->watches().remove_all(recorder.get());
}

TEST_F(PipelineTest, AfterStepRunsBehindTheWholeBatch) {
  SessionId session = new_session();
  std::vector<std::string> log;
  auto write = [&](const std::string& path) {
    pipeline->write(Write(session, anybody(), one(CreateOp(path)), false), [&, path](WriteReply) {
      log.push_back(path);
      if (path == "/b") pipeline->after_step([&] { log.push_back("read"); });
    });
  };
  write("/a");  // goes alone
  write("/b");
  write("/c");
  committer.run();
  EXPECT_EQ(log, (std::vector<std::string>{"/a", "/b", "/c", "read"}));
}

TEST_F(PipelineTest, BarrierWaitsForWhatIsInFlight) {
  SessionId session = new_session();
  std::vector<std::string> log;
  pipeline->barrier([&] { log.push_back("at once"); });
  pipeline->write(Write(session, anybody(), one(CreateOp("/a")), false),
                  [&](WriteReply) { log.push_back("a"); });
  pipeline->barrier([&] { log.push_back("barrier"); });
  EXPECT_EQ(log.size(), 1u);
  committer.run();
  EXPECT_EQ(log, (std::vector<std::string>{"at once", "a", "barrier"}));
}

TEST_F(PipelineTest, ObserverMayWrite) {
  struct Reacts final : tree::CommitObserver {
    void on_commit(const tree::Commit& commit) override {
      for (const auto& change : commit.changes) {
        if (change.path == "/trigger") {
          std::vector<tree::Operation> operations;
          operations.emplace_back(CreateOp("/reaction"));
          pipeline->write(Write::internal(std::move(operations)), [](WriteReply) {});
        }
      }
    }
    Pipeline* pipeline;
  } reacts;
  reacts.pipeline = pipeline.get();
  pipeline->observe(&reacts);
  ask(new_session(), CreateOp("/trigger"));
  EXPECT_TRUE(exists("/reaction"));
  pipeline->unobserve(&reacts);
}

TEST_F(PipelineTest, ACommitListsItsChanges) {
  SessionId session = new_session();
  Recorder recorder;
  pipeline->observe(&recorder);
  Zxid made = ask(session, CreateOp("/c")).zxid;
  ask(session, CreateOp("/e", "", NodeKind::ephemeral));
  ask(session, DeleteOp("/none"));
  ask(session, DeleteOp("/c"));
  ASSERT_EQ(recorder.commits.size(), 3u);  // the refused one changes nothing
  EXPECT_EQ(recorder.commits[1].changes[0].ephemeral_owner, session);
  const tree::Change& deleted = recorder.commits[2].changes[0];
  EXPECT_EQ(deleted.kind, tree::Change::Kind::deleted);
  EXPECT_EQ(deleted.path, "/c");
  EXPECT_EQ(deleted.czxid, made);
  EXPECT_EQ(recorder.commits[2].session, session);
  pipeline->close_session(session, [](WriteReply) {});
  committer.run();
  EXPECT_EQ(recorder.commits.back().closed_sessions, std::vector<SessionId>{session});
  EXPECT_EQ(recorder.commits.back().changes[0].path, "/e");
  pipeline->unobserve(&recorder);
}

TEST_F(PipelineTest, GuardRefusesClientsNotTheService) {
  struct Guard final : RequestGuard {
    std::optional<Error> refuse(const Write&, const tree::Operation& operation) override {
      const auto* create = std::get_if<CreateOp>(&operation);
      if (create && create->path == "/controller") return Error(Errc::node_exists, "managed");
      return std::nullopt;
    }
  } guard;
  pipeline->set_guard(&guard);
  SessionId session = new_session();
  EXPECT_EQ(error_of(ask(session, CreateOp("/controller"))), Errc::node_exists);
  WriteReply refused = multi(session, {CreateOp("/x"), CreateOp("/controller")});
  EXPECT_EQ(refused.failure->index, 1u);
  EXPECT_FALSE(exists("/x"));
  EXPECT_TRUE(internal({CreateOp("/controller")}).ok());
  pipeline->set_guard(nullptr);
}

// ---- sessions

TEST_F(PipelineTest, TimeoutsAreClamped) {
  new_session(1);
  EXPECT_EQ(timeout, 4000);
  new_session(5000);
  EXPECT_EQ(timeout, 5000);
  new_session(100000);
  EXPECT_EQ(timeout, 40000);
}

TEST_F(PipelineTest, ExpiryDeletesEphemeralsInOneTransaction) {
  auto owner = std::make_shared<Owner>();
  SessionId session = new_session(4000, owner);
  SessionId other = new_session(40000);
  ask(session, CreateOp("/p"));
  ask(session, CreateOp("/p/e1", "", NodeKind::ephemeral));
  ask(session, CreateOp("/p/e2", "", NodeKind::ephemeral));
  ask(other, CreateOp("/p/kept", "", NodeKind::ephemeral));
  for (int i = 0; i < 4 && owner->ended.empty(); ++i) {
    clock.advance_ms(2000);
    pipeline->tick();
    committer.run();
  }
  EXPECT_EQ(owner->ended, std::vector<SessionId>{session});
  EXPECT_EQ(*pipeline->applied().children("/p"), std::vector<std::string>{"kept"});
  EXPECT_FALSE(pipeline->session_alive(session));
  EXPECT_FALSE(pipeline->touch(session));
  EXPECT_EQ(error_of(ask(session, CreateOp("/late"))), Errc::session_expired);
  EXPECT_EQ(pipeline->applied_store().totals()->ephemerals, 1);
}

TEST_F(PipelineTest, TouchKeepsASessionAlive) {
  SessionId session = new_session(4000);
  for (int i = 0; i < 20; ++i) {
    clock.advance_ms(2000);
    EXPECT_TRUE(pipeline->touch(session));
    pipeline->tick();
    committer.run();
  }
  EXPECT_TRUE(pipeline->session_alive(session));
}

TEST_F(PipelineTest, AStallOfTheProcessExpiresNobody) {
  SessionId session = new_session(4000);
  clock.advance_ms(60'000);  // stopped, or the machine slept
  pipeline->tick();
  committer.run();
  EXPECT_TRUE(pipeline->session_alive(session));
  for (int i = 0; i < 3; ++i) {
    clock.advance_ms(2000);
    pipeline->tick();
    committer.run();
  }
  EXPECT_FALSE(pipeline->session_alive(session));
}

// A person or NTP sets the clock: time-outs do not follow it, ctime and mtime do, as ZooKeeper's.
TEST_F(PipelineTest, AWallClockThatJumpsExpiresNobody) {
  SessionId session = new_session(4000);
  ask(session, CreateOp("/e", "", NodeKind::ephemeral));
  int64_t created_ms = clock.wall_ms();
  for (int64_t jump_ms : {3'600'000, -7'200'000, 3'600'000}) {
    clock.jump_wall_ms(jump_ms);
    for (int i = 0; i < 3; ++i) {
      clock.advance_ms(1000);
      pipeline->touch(session);
      clock.advance_ms(1000);
      pipeline->tick();
      committer.run();
    }
    ASSERT_TRUE(pipeline->session_alive(session));
    WriteReply set = ask(session, tree::SetDataOp("/e", "x"));
    ASSERT_TRUE(set.ok());
    EXPECT_EQ(set.results[0].stat.ctime_ms, created_ms);
    EXPECT_EQ(set.results[0].stat.mtime_ms, clock.wall_ms());
    EXPECT_EQ(set.results[0].stat.mzxid, set.zxid);
  }
  // and a dead one expires as ever, however the clock is set
  for (int i = 0; i < 4; ++i) {
    clock.jump_wall_ms(i % 2 ? 3'600'000 : -3'600'000);
    clock.advance_ms(2000);
    pipeline->tick();
    committer.run();
  }
  EXPECT_FALSE(pipeline->session_alive(session));
  EXPECT_FALSE(exists("/e"));
}

TEST_F(PipelineTest, AClockThatWasSetBackOverARestartExpiresNobody) {
  SessionId session = new_session(4000);
  WriteReply before = ask(session, CreateOp("/e", "", NodeKind::ephemeral));
  clock.jump_wall_ms(-3'600'000);
  restart(true);
  clock.advance_ms(2000);
  pipeline->tick();
  committer.run();
  ASSERT_TRUE(pipeline->session_alive(session));
  WriteReply after = ask(session, CreateOp("/later"));
  EXPECT_GT(after.zxid, before.zxid);
  EXPECT_LT(after.results[0].stat.ctime_ms, before.results[0].stat.ctime_ms);
}

TEST_F(PipelineTest, ADiskThatStandsStillExpiresNobody) {
  SessionId session = new_session(4000);
  bool replied = false;
  pipeline->write(Write(session, anybody(), one(CreateOp("/a")), false),
                  [&](WriteReply reply) { replied = reply.ok(); });
  for (int i = 0; i < 20; ++i) {
    clock.advance_ms(2000);
    pipeline->tick();
  }
  committer.run();
  EXPECT_TRUE(replied);
  EXPECT_TRUE(pipeline->session_alive(session));
}

TEST_F(PipelineTest, WritesOfAClosingSessionAreRefused) {
  SessionId session = new_session();
  pipeline->close_session(session, [](WriteReply) {});
  std::optional<WriteReply> reply;
  pipeline->write(Write(session, anybody(), one(CreateOp("/e", "", NodeKind::ephemeral)), false),
                  [&](WriteReply given) { reply = std::move(given); });
  Pipeline::SessionRequest request;
  EXPECT_FALSE(pipeline->attach_session(session, password, request).ok());
  committer.run();
  EXPECT_EQ(error_of(*reply), Errc::session_expired);
  EXPECT_FALSE(exists("/e"));
}

TEST_F(PipelineTest, AttachNeedsThePasswordAndMovesTheSession) {
  auto first = std::make_shared<Owner>();
  auto second = std::make_shared<Owner>();
  SessionId session = new_session(6000, first);
  Pipeline::SessionRequest request;
  request.timeout_ms = 8000;
  request.owner = second;
  tree::Password wrong = password;
  wrong[3] ^= 1;
  EXPECT_FALSE(pipeline->attach_session(session, wrong, request).ok());
  EXPECT_FALSE(pipeline->attach_session(SessionId(77), password, request).ok());
  auto grant = pipeline->attach_session(session, password, request);
  ASSERT_TRUE(grant.ok());
  EXPECT_EQ(grant->timeout_ms, 8000);
  EXPECT_EQ(first->moved, std::vector<SessionId>{session});
  EXPECT_TRUE(second->moved.empty());
  pipeline->close_session(session, [](WriteReply) {});
  committer.run();
  EXPECT_TRUE(first->ended.empty());
  EXPECT_EQ(second->ended, std::vector<SessionId>{session});
}

TEST_F(PipelineTest, SessionsSurviveARestartWithTheirFullTimeout) {
  SessionId session = new_session(4000);
  ask(session, CreateOp("/e", "", NodeKind::ephemeral));
  tree::Password kept = password;
  clock.advance_ms(1'000'000);
  restart(true);
  EXPECT_TRUE(exists("/e"));
  clock.advance_ms(2000);
  pipeline->tick();
  committer.run();
  Pipeline::SessionRequest request;
  request.timeout_ms = 4000;
  ASSERT_TRUE(pipeline->attach_session(session, kept, request).ok());
  EXPECT_NE(new_session(), session);
  pipeline->close_session(session, [](WriteReply) {});
  committer.run();
  EXPECT_FALSE(exists("/e"));
  restart(true);
  EXPECT_FALSE(pipeline->session_alive(session));
}

TEST_F(PipelineTest, SessionIdsNeverComeTwiceThoughTheClockGoesBack) {
  SessionId before = new_session();
  clock.jump_wall_ms(-10'000'000);
  restart();
  EXPECT_GT(new_session(), before);
}

TEST_F(PipelineTest, ABrokerSupersedesItsSessionInOneTransaction) {
  SessionId old_session = new_session();
  ask(old_session, CreateOp("/b", "old", NodeKind::ephemeral));
  auto grant = pipeline->new_session_ids({5000, true, {}});
  WriteReply reply =
      internal({tree::CloseSessionOp(old_session),
                tree::CreateSessionOp(grant.session, grant.timeout_ms, grant.password),
                CreateOp("/b", "new", NodeKind::ephemeral)},
               grant.session);
  ASSERT_TRUE(reply.ok()) << reply.failure->error.what();
  EXPECT_EQ(pipeline->applied().stat("/b")->ephemeral_owner, grant.session);
  EXPECT_EQ(pipeline->applied().stat("/b")->czxid, reply.zxid);
  EXPECT_FALSE(pipeline->session_alive(old_session));
  EXPECT_TRUE(pipeline->session_alive(grant.session));
  EXPECT_EQ(pipeline->applied_store().ephemerals(old_session).size(), 0u);
  EXPECT_EQ(pipeline->applied_store().ephemerals(grant.session), std::vector<std::string>{"/b"});
}

// ---- crashes

TEST_F(PipelineTest, ACrashKeepsWhatWasAnsweredAndNothingHalf) {
  SessionId session = new_session();
  std::mt19937 random(7);
  std::vector<std::string> answered;
  int serial = 0;
  for (int round = 0; round < 50; ++round) {
    for (int i = 0; i < 20; ++i) {
      std::string a = "/n" + std::to_string(serial++);
      std::string b = "/n" + std::to_string(serial++);
      std::vector<tree::Operation> operations;
      operations.emplace_back(CreateOp(a));
      operations.emplace_back(CreateOp(b));
      pipeline->write(Write(session, anybody(), std::move(operations), true),
                      [&answered, a](WriteReply reply) {
                        EXPECT_TRUE(reply.ok());
                        answered.push_back(a);
                      });
    }
    for (uint32_t steps = random() % 3; steps > 0; --steps) committer.step();
    Zxid before = pipeline->last_zxid();
    restart(true);
    EXPECT_GE(pipeline->last_zxid(), before);
    for (const std::string& path : answered) EXPECT_TRUE(exists(path)) << path;
  }
  for (int i = 0; i < serial; i += 2) {
    EXPECT_EQ(exists("/n" + std::to_string(i)), exists("/n" + std::to_string(i + 1))) << i;
  }
  auto children = pipeline->applied().children("/");
  EXPECT_EQ(pipeline->applied().stat("/")->num_children, static_cast<int32_t>(children->size()));
  EXPECT_EQ(pipeline->applied_store().totals()->nodes, static_cast<int64_t>(children->size()) + 3);
}

TEST_F(PipelineTest, AStoreThatDoesNotSyncLosesAnswers) {
  // the fault that the test above must be able to see
  SessionId session = new_session();
  store.skip_syncs(true);
  EXPECT_TRUE(ask(session, CreateOp("/lost")).ok());
  restart(true);
  EXPECT_FALSE(exists("/lost"));
}

TEST_F(PipelineTest, AFailedCommitAnswersNobodyEverAgain) {
  std::optional<Error> failed;
  options.on_failed_commit = [&](const Error& error) { failed = error; };
  restart();
  SessionId session = new_session();
  int replies = 0;
  store.fail_commits(Error(Errc::io_error, "fsync"));
  pipeline->write(Write(session, anybody(), one(CreateOp("/a")), false),
                  [&](WriteReply) { ++replies; });
  pipeline->write(Write(session, anybody(), one(CreateOp("/b")), false),
                  [&](WriteReply) { ++replies; });
  committer.run();
  ASSERT_TRUE(failed);
  store.fail_commits(std::nullopt);
  pipeline->write(Write(session, anybody(), one(CreateOp("/c")), false),
                  [&](WriteReply) { ++replies; });
  committer.run();
  EXPECT_EQ(replies, 0);
  EXPECT_FALSE(exists("/a"));
}

TEST_F(PipelineTest, ALaterLeaderFencesTheFormerOne) {
  std::optional<Error> failed;
  options.on_failed_commit = [&](const Error& error) { failed = error; };
  restart();
  SessionId session = new_session();
  ManualCommitter second_committer;
  auto second = Pipeline::open(options, clock, store, second_committer);
  ASSERT_TRUE(second.ok());
  pipeline->write(Write(session, anybody(), one(CreateOp("/a")), false),
                  [](WriteReply) { FAIL(); });
  committer.run();
  ASSERT_TRUE(failed);
  EXPECT_EQ(failed->code(), Errc::store_fenced);
}

}  // namespace
}  // namespace odradek::coordinator::pipeline
