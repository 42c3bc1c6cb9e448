#pragma once
// A pipeline on a MemoryStore whose commits run when told to.

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "common/clock.h"
#include "coordinator/pipeline/pipeline.h"
#include "coordinator/store/memory_store.h"

namespace odradek::coordinator::pipeline {

class PipelineFixture : public ::testing::Test {
 protected:
  PipelineFixture() { restart(); }

  // The process ends and starts again; with `crash` what was not synced is gone.
  void restart(bool crash = false) {
    pipeline.reset();
    committer = ManualCommitter();
    if (crash) store.crash();
    auto opened = Pipeline::open(options, clock, store, committer);
    ASSERT_TRUE(opened.ok());
    pipeline = *std::move(opened);
  }

  SessionId new_session(int32_t timeout_ms = 6000,
                        std::weak_ptr<session::SessionOwner> owner = {}) {
    Pipeline::SessionRequest request;
    request.timeout_ms = timeout_ms;
    request.owner = owner;
    SessionId session;
    pipeline->create_session(request, [&](Result<Pipeline::SessionGrant> grant) {
      ASSERT_TRUE(grant.ok());
      session = grant->session;
      password = grant->password;
      timeout = grant->timeout_ms;
    });
    committer.run();
    return session;
  }

  tree::AuthInfo anybody() const {
    tree::AuthInfo auth;
    auth.identities.emplace_back("ip", "127.0.0.1");
    return auth;
  }

  // One operation of a client's, committed.
  WriteReply ask(SessionId session, tree::Operation operation, tree::AuthInfo auth) {
    std::vector<tree::Operation> operations;
    operations.push_back(std::move(operation));
    return commit(Write(session, std::move(auth), std::move(operations), false));
  }
  WriteReply ask(SessionId session, tree::Operation operation) {
    return ask(session, std::move(operation), anybody());
  }
  WriteReply multi(SessionId session, std::vector<tree::Operation> operations) {
    return commit(Write(session, anybody(), std::move(operations), true));
  }
  WriteReply internal(std::vector<tree::Operation> operations, SessionId session = SessionId()) {
    return commit(Write::internal(std::move(operations), session));
  }
  WriteReply commit(Write write) {
    std::optional<WriteReply> reply;
    pipeline->write(std::move(write), [&](WriteReply given) { reply = std::move(given); });
    EXPECT_FALSE(reply) << "a reply before the commit";
    committer.run();
    EXPECT_TRUE(reply);
    return std::move(*reply);
  }
  static Errc error_of(const WriteReply& reply) {
    return reply.failure ? reply.failure->error.code() : Errc::internal;
  }
  bool exists(const std::string& path) const { return pipeline->applied().stat(path).has_value(); }

  ManualClock clock;
  store::MemoryStore store;
  ManualCommitter committer;
  PipelineOptions options = [] {
    PipelineOptions options;
    options.tick_ms = 2000;
    options.min_session_timeout_ms = 4000;
    options.max_session_timeout_ms = 40000;
    options.rules.extended_types = true;
    return options;
  }();
  std::unique_ptr<Pipeline> pipeline;
  tree::Password password{};
  int32_t timeout = 0;
};

}  // namespace odradek::coordinator::pipeline
