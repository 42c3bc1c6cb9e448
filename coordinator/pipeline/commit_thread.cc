#include "coordinator/pipeline/commit_thread.h"

#include <pthread.h>

#include <boost/asio/post.hpp>
#include <memory>
#include <utility>

#include "common/check.h"
#include "common/clock.h"
#include "common/log/log.h"
#include "coordinator/store/fatal.h"

namespace odradek::coordinator::pipeline {

namespace {
constexpr int64_t kWarningEveryUs = 10'000'000;
}

CommitThread::CommitThread(runtime::Executor tree, int64_t warning_ms)
    : tree_(tree), warning_ms_(warning_ms), thread_([this] { work(); }) {}

CommitThread::~CommitThread() { stop(); }

void CommitThread::commit(store::Store& store, store::Batch batch, store::Fence fence, Done done) {
  std::lock_guard lock(mutex_);
  if (stopped_) return;
  CHECK(!job_);
  job_.emplace(Job{&store, std::move(batch), fence, std::move(done)});
  wake_.notify_one();
}

void CommitThread::stop() {
  {
    std::lock_guard lock(mutex_);
    stopped_ = true;
    wake_.notify_one();
  }
  if (thread_.joinable()) thread_.join();
}

void CommitThread::work() {
  pthread_setname_np(pthread_self(), "commit");
  std::optional<Stopwatch> warned;  // since the last warning
  for (;;) {
    std::optional<Job> job;
    {
      std::unique_lock lock(mutex_);
      wake_.wait(lock, [this] { return job_ || stopped_; });
      // what waits is still written: its clients may have been told nothing, but nothing is lost
      // either
      if (!job_) return;
      job = std::exchange(job_, std::nullopt);
    }
    Stopwatch stopwatch;
    auto outcome = job->store->commit(job->batch, job->fence);
    if (!outcome) {
      store::fatal("the transaction could not be made durable, so the coordinator ends: " +
                   outcome.error().what());
    }
    int64_t took_us = stopwatch.elapsed_us();
    bool slow = took_us / 1000 > warning_ms_;
    if (slow && (!warned || warned->elapsed_us() > kWarningEveryUs)) {
      warned.emplace();
      LOG_WARN("zookeeper", "The disk took {} ms for a commit, which every writer had to wait for",
               took_us / 1000);
    }
    auto shared = std::make_shared<Result<store::SnapshotRef>>(std::move(outcome));
    boost::asio::post(tree_, [this, took_us, slow, done = std::move(job->done), shared] {
      if (on_commit_) on_commit_(took_us, slow);
      done(std::move(*shared));
    });
  }
}

}  // namespace odradek::coordinator::pipeline
