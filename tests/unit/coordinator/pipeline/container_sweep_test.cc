#include "coordinator/pipeline/container_sweep.h"

#include "tests/unit/coordinator/pipeline/fixture.h"

namespace odradek::coordinator::pipeline {
namespace {

using tree::CreateOp;
using tree::DeleteOp;
using tree::NodeKind;

class SweepTest : public PipelineFixture {
 protected:
  void begin(int64_t check_ms, int64_t per_minute, int64_t never_used_ms = 0) {
    options.containers.check_interval_ms = check_ms;
    options.containers.max_per_minute = per_minute;
    options.containers.max_never_used_ms = never_used_ms;
    restart();
    session = new_session(40000);
  }
  void used_container(const std::string& path) {
    ask(session, CreateOp(path, "", NodeKind::container));
    ask(session, CreateOp(path + "/in"));
    ask(session, DeleteOp(path + "/in"));
  }
  void create_ttl(const std::string& path, int64_t ttl_ms) {
    CreateOp ttl(path, "", NodeKind::ttl);
    ttl.ttl_ms = ttl_ms;
    ask(session, ttl);
  }
  // To the next time that the pipeline wants to be called, again and again.
  void run_until(int64_t monotonic_ms) {
    while (clock.monotonic_ms() < monotonic_ms) {
      int64_t next = std::min(std::max(pipeline->next_tick_ms(), clock.monotonic_ms() + 1),
                              monotonic_ms);
      clock.advance_ms(next - clock.monotonic_ms());
      pipeline->touch(session);
      pipeline->tick();
      committer.run();
    }
  }
  int64_t children() const { return pipeline->applied().stat("/")->num_children; }

  SessionId session;
};

TEST_F(SweepTest, LooksAtItsOwnPace) {
  begin(500, 10'000);
  used_container("/box");
  run_until(499);
  EXPECT_TRUE(exists("/box"));
  run_until(500);
  EXPECT_FALSE(exists("/box"));
}

TEST_F(SweepTest, DeletionsAreSpreadOut) {
  begin(1000, 60);  // one a second
  int64_t before = children();
  for (int i = 0; i < 5; ++i) used_container("/box" + std::to_string(i));
  for (auto [at_ms, left] : {std::pair<int64_t, int64_t>{1000, 4}, {1999, 4}, {2000, 3}, {4000, 1},
                             {5000, 0}}) {
    run_until(at_ms);
    EXPECT_EQ(children(), before + left) << at_ms;
  }
}

TEST_F(SweepTest, WhatIsUsedAgainBeforeItsTurnStays) {
  begin(1000, 60);
  used_container("/a");
  used_container("/b");
  run_until(1000);
  EXPECT_FALSE(exists("/a"));
  ask(session, CreateOp("/b/in"));
  run_until(2500);
  EXPECT_TRUE(exists("/b"));
}

// What the sweep sees is applied; what is on the way may be another znode of the same name.
TEST_F(SweepTest, WhatIsMadeAnewMeanwhileStays) {
  begin(1000, 10'000);
  used_container("/box");
  create_ttl("/short", 100);
  clock.advance_ms(1000);
  pipeline->touch(session);
  std::vector<tree::Operation> anew;
  anew.emplace_back(DeleteOp("/box"));
  anew.emplace_back(CreateOp("/box", "new", NodeKind::container));
  anew.emplace_back(tree::SetDataOp("/short", "again"));
  pipeline->write(Write(session, anybody(), std::move(anew), true), [](WriteReply) {});
  pipeline->tick();
  committer.run();
  EXPECT_EQ(pipeline->applied().get("/box")->bytes(), "new");
  EXPECT_TRUE(exists("/short"));
}

TEST_F(SweepTest, AContainerThatWasNeverUsed) {
  begin(1000, 10'000, 5000);
  ask(session, CreateOp("/never", "", NodeKind::container));
  run_until(5000);
  EXPECT_TRUE(exists("/never"));
  run_until(6000);
  EXPECT_FALSE(exists("/never"));
}

TEST_F(SweepTest, TimeToLiveIsFromTheLastSetDataAndWithoutChildren) {
  begin(1000, 10'000);
  create_ttl("/t", 2500);
  create_ttl("/parent", 2500);
  ask(session, CreateOp("/parent/child"));
  run_until(2000);
  ask(session, tree::SetDataOp("/t", "new"));
  run_until(4000);
  EXPECT_TRUE(exists("/t"));
  EXPECT_TRUE(exists("/parent"));
  run_until(5000);
  EXPECT_FALSE(exists("/t"));
  ask(session, DeleteOp("/parent/child"));
  run_until(6000);
  EXPECT_FALSE(exists("/parent"));
}

TEST_F(SweepTest, TtlZnodesWantTheirSetting) {
  options.rules.extended_types = false;
  begin(1000, 10'000);
  CreateOp ttl("/t", "", NodeKind::ttl);
  ttl.ttl_ms = 1000;
  EXPECT_EQ(error_of(ask(session, ttl)), Errc::unimplemented);
  // in a multi too
  auto refused = multi(session, {CreateOp("/m"), ttl});
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.failure->index, 1u);
  EXPECT_EQ(refused.failure->error.code(), Errc::unimplemented);
}

}  // namespace
}  // namespace odradek::coordinator::pipeline
