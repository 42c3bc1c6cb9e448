#include "coordinator/server/broker_service.h"

#include <grpcpp/grpcpp.h>

#include <algorithm>
#include <boost/asio/post.hpp>
#include <mutex>
#include <unordered_set>

#include "coordinator/server/broker_codec.h"

namespace odradek::coordinator::server {

namespace {

constexpr int64_t kDefaultTimeoutMs = 30'000;
constexpr int64_t kMaxTimeoutMs = 300'000;

int64_t clamped(int32_t timeout_ms) {
  return timeout_ms <= 0 ? kDefaultTimeoutMs : std::min<int64_t>(timeout_ms, kMaxTimeoutMs);
}

class Answers;

// One unary call that waits for its answer. Answered once: by what was decided, by stop, or by its
// destruction.
class Answer {
 public:
  Answer(Answers& answers, grpc::ServerUnaryReactor* reactor)
      : answers_(answers), reactor_(reactor) {}
  ~Answer() { finish(grpc::Status(grpc::StatusCode::UNAVAILABLE, "the coordinator is stopping")); }
  // Any thread. False where it is answered already: then request and reply are gone.
  bool open() const { return reactor_ != nullptr; }
  void finish(grpc::Status status);

 private:
  Answers& answers_;
  grpc::ServerUnaryReactor* reactor_;
};

// All that wait, so that stop finds them.
class Answers {
 public:
  std::shared_ptr<Answer> make(grpc::ServerUnaryReactor* reactor) {
    auto answer = std::make_shared<Answer>(*this, reactor);
    std::lock_guard lock(mutex_);
    waiting_.insert({answer.get(), answer});
    return answer;
  }
  void done(Answer* answer) {
    std::lock_guard lock(mutex_);
    waiting_.erase(answer);
  }
  std::vector<std::shared_ptr<Answer>> all() {
    std::lock_guard lock(mutex_);
    std::vector<std::shared_ptr<Answer>> found;
    for (auto& [key, weak] : waiting_) {
      if (auto answer = weak.lock()) found.push_back(std::move(answer));
    }
    return found;
  }

 private:
  std::mutex mutex_;
  std::unordered_map<Answer*, std::weak_ptr<Answer>> waiting_;
};

void Answer::finish(grpc::Status status) {
  if (reactor_ == nullptr) return;
  answers_.done(this);
  std::exchange(reactor_, nullptr)->Finish(std::move(status));
}

}  // namespace

class BrokerService::Impl final : public wire::Coordinator::CallbackService {
 public:
  Impl(runtime::Executor tree, pipeline::Pipeline& pipeline, BrokerServiceSettings settings)
      : tree_(tree),
        pipeline_(pipeline),
        settings_(settings),
        runner_(pipeline, settings.controller),
        hub_(tree, pipeline, runner_, settings.hub),
        wake_(tree) {}

  void start();
  void stop();
  pipeline::ControllerRunner& runner() { return runner_; }

  BrokerStream::Reactor* Session(grpc::CallbackServerContext* context) override {
    auto stream =
        std::make_shared<BrokerStream>(tree_, hub_, context->peer(), settings_.max_queued_bytes);
    return stream->open();
  }

  grpc::ServerUnaryReactor* CreateTopics(grpc::CallbackServerContext* context,
                                         const wire::CreateTopicsRequest* request,
                                         wire::TopicsReply* reply) override {
    return serve(context, request, reply,
                 [](Impl& self, const auto& message, int64_t now_ms, auto done) {
                   auto topics = decode(message);
                   return self.with(topics, [&](auto items) {
                     return controller::make_create_topics(
                         decode(message.caller()), std::move(items), message.validate_only(),
                         now_ms + clamped(message.timeout_ms()), std::move(done));
                   });
                 });
  }

  grpc::ServerUnaryReactor* DeleteTopics(grpc::CallbackServerContext* context,
                                         const wire::DeleteTopicsRequest* request,
                                         wire::TopicsReply* reply) override {
    return serve(
        context, request, reply, [](Impl& self, const auto& message, int64_t now_ms, auto done) {
          auto topics = decode(message);
          return self.with(topics, [&](auto items) {
            return controller::make_delete_topics(decode(message.caller()), std::move(items),
                                                  now_ms + clamped(message.timeout_ms()),
                                                  std::move(done));
          });
        });
  }

  grpc::ServerUnaryReactor* CreatePartitions(grpc::CallbackServerContext* context,
                                             const wire::CreatePartitionsRequest* request,
                                             wire::TopicsReply* reply) override {
    return serve(context, request, reply,
                 [](Impl& self, const auto& message, int64_t now_ms, auto done) {
                   auto topics = decode(message);
                   return self.with(topics, [&](auto items) {
                     return controller::make_create_partitions(
                         decode(message.caller()), std::move(items), message.validate_only(),
                         now_ms + clamped(message.timeout_ms()), std::move(done));
                   });
                 });
  }

  grpc::ServerUnaryReactor* AlterConfigs(grpc::CallbackServerContext* context,
                                         const wire::AlterConfigsRequest* request,
                                         wire::AlterConfigsReply* reply) override {
    return serve(context, request, reply,
                 [](Impl& self, const auto& message, int64_t now_ms, auto done) {
                   auto changes = decode(message);
                   return self.with(changes, [&](auto items) {
                     return controller::make_alter_configs(
                         decode(message.caller()), std::move(items), message.validate_only(),
                         now_ms + clamped(message.timeout_ms()), std::move(done));
                   });
                 });
  }

  grpc::ServerUnaryReactor* AllocateProducerIds(grpc::CallbackServerContext* context,
                                                const wire::AllocateProducerIdsRequest* request,
                                                wire::AllocateProducerIdsReply* reply) override {
    return serve(
        context, request, reply, [](Impl&, const auto& message, int64_t now_ms, auto done) {
          return Result<std::shared_ptr<controller::Call>>(controller::make_allocate_producer_ids(
              decode(message.caller()), now_ms + kDefaultTimeoutMs, std::move(done)));
        });
  }

  grpc::ServerUnaryReactor* AlterPartition(grpc::CallbackServerContext* context,
                                           const wire::AlterPartitionRequest* request,
                                           wire::AlterPartitionReply* reply) override {
    return serve(
        context, request, reply, [](Impl& self, const auto& message, int64_t now_ms, auto done) {
          auto changes = decode(message);
          return self.with(changes, [&](auto items) {
            return controller::make_alter_partition(decode(message.caller()), std::move(items),
                                                    now_ms + kDefaultTimeoutMs, std::move(done));
          });
        });
  }

  grpc::ServerUnaryReactor* ControlledShutdown(grpc::CallbackServerContext* context,
                                               const wire::ControlledShutdownRequest* request,
                                               wire::ControlledShutdownReply* reply) override {
    return serve(
        context, request, reply, [](Impl& self, const auto& message, int64_t now_ms, auto done) {
          const controller::Cluster* cluster =
              self.runner_.controller().find(message.caller().chroot());
          return Result<std::shared_ptr<controller::Call>>(
              controller::make_controlled_shutdown(decode(message.caller()), cluster->facts(),
                                                   now_ms + kDefaultTimeoutMs, std::move(done)));
        });
  }

 private:
  using CallResult = Result<std::shared_ptr<controller::Call>>;

  // The decoded items, or what is wrong with them.
  template <typename Items, typename Make>
  static CallResult with(Items& items, Make make) {
    if (!items) return items.error();
    return CallResult(make(std::move(*items)));
  }

  template <typename Request, typename ReplyMessage, typename Make>
  grpc::ServerUnaryReactor* serve(grpc::CallbackServerContext* context, const Request* request,
                                  ReplyMessage* reply, Make make) {
    auto* reactor = context->DefaultReactor();
    auto answer = answers_.make(reactor);
    boost::asio::post(tree_, [this, answer, request, reply, make] {
      if (stopped_ || !answer->open()) return;
      decide(*request, reply, answer, make);
    });
    return reactor;
  }

  // On the tree thread.
  template <typename Request, typename ReplyMessage, typename Make>
  void decide(const Request& request, ReplyMessage* reply, const std::shared_ptr<Answer>& answer,
              Make make) {
    auto refuse = [&](const Error& error) {
      set_error(error, *reply->mutable_status());
      answer->finish(grpc::Status::OK);
    };
    controller::Cluster* cluster = runner_.controller().cluster_for_call(request.caller().chroot());
    if (cluster == nullptr) {
      refuse(Error(Errc::stale_broker_epoch,
                   "no broker is registered at " + request.caller().chroot() + "/"));
      return;
    }
    auto done = [answer, reply](const auto& outcome) {
      if (!answer->open()) return;
      encode(outcome, *reply);
      answer->finish(grpc::Status::OK);
    };
    CallResult call = make(*this, request, pipeline_.clock().monotonic_ms(), done);
    if (!call) {
      refuse(call.error());
      return;
    }
    cluster->add(std::move(*call));
    runner_.tick();
  }

  void arm();

  const runtime::Executor tree_;
  pipeline::Pipeline& pipeline_;
  const BrokerServiceSettings settings_;
  Answers answers_;  // outlives the calls that the runner holds
  pipeline::ControllerRunner runner_;
  BrokerHub hub_;
  boost::asio::steady_timer wake_;
  std::optional<int64_t> wake_ms_;  // what the timer is set to
  bool stopped_ = false;
};

void BrokerService::Impl::start() {
  runner_.controller().on_image(
      [this](const controller::Cluster& cluster) { hub_.on_image(cluster); });
  runner_.on_round([this] {
    hub_.on_round();
    arm();
  });
  runner_.start();
}

// One timer, set to the soonest moment at which the controller wants to look again.
void BrokerService::Impl::arm() {
  auto wake_ms = runner_.next_wake_ms();
  if (wake_ms == wake_ms_ || stopped_) return;
  wake_ms_ = wake_ms;
  if (!wake_ms) {
    wake_.cancel();
    return;
  }
  int64_t in_ms = std::max<int64_t>(*wake_ms - pipeline_.clock().monotonic_ms(), 1);
  wake_.expires_after(std::chrono::milliseconds(in_ms));
  wake_.async_wait([this](boost::system::error_code error) {
    if (error || stopped_) return;
    wake_ms_.reset();
    runner_.tick();
  });
}

void BrokerService::Impl::stop() {
  stopped_ = true;
  wake_.cancel();
  hub_.stop();
  for (const auto& answer : answers_.all()) {
    answer->finish(grpc::Status(grpc::StatusCode::UNAVAILABLE, "the coordinator is stopping"));
  }
}

BrokerService::BrokerService(runtime::Executor tree, pipeline::Pipeline& pipeline,
                             BrokerServiceSettings settings)
    : impl_(std::make_unique<Impl>(tree, pipeline, settings)) {}

BrokerService::~BrokerService() = default;

grpc::Service* BrokerService::grpc() { return impl_.get(); }
void BrokerService::start() { impl_->start(); }
void BrokerService::stop() { impl_->stop(); }
pipeline::ControllerRunner& BrokerService::runner() { return impl_->runner(); }

}  // namespace odradek::coordinator::server
