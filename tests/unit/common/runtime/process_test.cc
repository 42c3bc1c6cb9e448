#include "common/runtime/process.h"

#include <gtest/gtest.h>
#include <pthread.h>

namespace odradek::runtime {
namespace {

// Signal dispositions and the mask belong to the whole test program: put back as they were.
class ProcessTest : public testing::Test {
 protected:
  void SetUp() override {
    pthread_sigmask(SIG_SETMASK, nullptr, &mask_);
    sigaction(SIGHUP, nullptr, &hangup_);
    sigaction(SIGPIPE, nullptr, &pipe_);
  }
  void TearDown() override {
    sigaction(SIGHUP, &hangup_, nullptr);
    sigaction(SIGPIPE, &pipe_, nullptr);
    pthread_sigmask(SIG_SETMASK, &mask_, nullptr);
  }

  sigset_t mask_;
  struct sigaction hangup_ {};
  struct sigaction pipe_ {};
};

TEST_F(ProcessTest, TheSignalsThatEndItAreWaitedFor) {
  signal(SIGHUP, SIG_DFL);
  sigset_t ends = block_end_signals();
  for (int number : {SIGTERM, SIGINT, SIGHUP}) {
    ASSERT_EQ(pthread_kill(pthread_self(), number), 0);
    EXPECT_EQ(wait_for_end(ends), number);
  }
  ASSERT_EQ(pthread_kill(pthread_self(), SIGPIPE), 0);  // would end the test program
}

TEST_F(ProcessTest, AHangupThatIsIgnoredAtTheStartStaysSo) {
  signal(SIGHUP, SIG_IGN);
  sigset_t ends = block_end_signals();
  EXPECT_EQ(sigismember(&ends, SIGHUP), 0);
  EXPECT_EQ(sigismember(&ends, SIGTERM), 1);
}

}  // namespace
}  // namespace odradek::runtime
