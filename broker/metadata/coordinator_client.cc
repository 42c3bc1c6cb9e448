#include "broker/metadata/coordinator_client.h"

#include <fmt/core.h>
#include <grpcpp/grpcpp.h>

#include <algorithm>
#include <atomic>
#include <boost/asio/async_result.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <list>
#include <random>
#include <unordered_set>

#include "broker/metadata/connect_string.h"
#include "broker/metadata/coordinator_stream.h"
#include "broker/metadata/wire_codec.h"
#include "common/clock.h"
#include "common/log/log.h"

namespace odradek::broker::metadata {

namespace asio = boost::asio;

namespace {

constexpr int64_t kFirstBackoffMs = 20;
constexpr int64_t kMaxBackoffMs = 1'000;
constexpr int64_t kAnswerMs = 25'000;     // from the registration to the coordinator's word on it
constexpr int64_t kFarewellMs = 2'000;    // stop waits so long for the coordinator
constexpr int64_t kRepeatLogMs = 60'000;  // while the coordinator is not there

template <typename T>
using Done = std::function<void(T)>;

// Suspends the caller until `begin`'s callback is called, on any thread; the caller goes on on its
// own executor.
template <typename T>
asio::awaitable<T> wait_for(std::function<void(Done<T>)> begin) {
  auto executor = co_await asio::this_coro::executor;
  auto result = std::make_shared<std::optional<T>>();
  auto initiate = [&begin, executor, result](auto handler) {
    auto resume = std::make_shared<decltype(handler)>(std::move(handler));
    begin([executor, result, resume](T value) {
      result->emplace(std::move(value));
      asio::post(executor, [resume] { (*resume)(); });
    });
  };
  auto token = asio::use_awaitable;
  co_await asio::async_initiate<asio::use_awaitable_t<>, void()>(std::move(initiate), token);
  co_return std::move(**result);
}

std::shared_ptr<grpc::Channel> open_channel(const std::string& host) {
  grpc::ChannelArguments arguments;
  // Retries are ours: each attempt has a connection of its own, without gRPC's back-off from the
  // attempt before.
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  arguments.SetInt(GRPC_ARG_ENABLE_RETRIES, 0);
  arguments.SetMaxReceiveMessageSize(-1);
  return grpc::CreateCustomChannel(host, grpc::InsecureChannelCredentials(), arguments);
}

}  // namespace

class CoordinatorClient::Impl : public std::enable_shared_from_this<Impl> {
 public:
  explicit Impl(Executor home)
      : home_(std::move(home)),
        retry_(home_),
        answer_timer_(home_),
        heartbeat_(home_),
        farewell_(home_) {
    image_.store(std::make_shared<const Image>());
    registered_.store(std::make_shared<const Registered>());
  }

  void on_image(Executor executor, ImageHandler handler) {
    image_executor_ = std::move(executor);
    image_handler_ = std::move(handler);
  }
  void on_refused(std::function<void(Error)> handler) { refused_handler_ = std::move(handler); }
  Result<void> start(Registration registration);
  ImagePtr image() const { return image_.load(); }
  Registered registration() const { return *registered_.load(); }
  bool connected() const { return connected_.load(); }

  // On the home executor.
  void wait_registered(Done<Result<Registered>> done);
  void stop(Done<bool> done);

  // One unary call; `method` starts it. On the home executor.
  template <typename Request, typename Reply>
  void call(void (wire::Coordinator::StubInterface::async_interface::*method)(
                grpc::ClientContext*, const Request*, Reply*, std::function<void(grpc::Status)>),
            Request request, int64_t timeout_ms, Done<Result<Reply>> done);
  template <typename Fn>
  void post(Fn fn) {
    asio::post(home_, std::move(fn));
  }

 private:
  struct Session {
    int64_t id = 0;  // 0: none
    std::string password;
    int32_t timeout_ms = 0;
  };
  // A call in flight, so that stop can cancel it.
  struct Pending {
    grpc::ClientContext context;
  };
  struct ImageWaiter {
    Zxid zxid;
    std::unique_ptr<asio::steady_timer> deadline;
    std::function<void()> done;
  };

  void connect();
  void on_message(wire::ToBroker message);
  void on_registered(const wire::Registered& message);
  void on_refused_message(const wire::Refused& message);
  void on_expired(const wire::Expired& message);
  void on_snapshot(const wire::SnapshotPart& part);
  void on_delta(const wire::Delta& delta);
  void on_end(const grpc::Status& status);
  void heartbeat();
  void publish(std::shared_ptr<Image> image, bool snapshot);
  void bad_image(const Error& error);
  void fail(Error error);
  void try_again();
  void answer_registered();
  void when_image(Zxid zxid, int64_t timeout_ms, std::function<void()> done);
  void end_stop();
  int64_t now_ms() const { return clock_.monotonic_ms(); }

  const Executor home_;
  SystemClock clock_;
  Executor image_executor_;
  ImageHandler image_handler_;
  std::function<void(Error)> refused_handler_;

  std::atomic<ImagePtr> image_;
  std::atomic<std::shared_ptr<const Registered>> registered_;
  std::atomic<bool> connected_ = false;
  std::atomic<bool> silent_ = false;  // stopped: handlers are called no more

  // all below: home executor
  Registration wanted_;
  ConnectString connect_;
  size_t host_ = 0;
  std::shared_ptr<grpc::Channel> channel_;
  std::shared_ptr<wire::Coordinator::Stub> stub_;
  std::shared_ptr<CoordinatorStream> stream_;
  Session session_;
  SnapshotBuilder snapshot_;
  bool image_usable_ = false;    // deltas may follow the image that we have
  bool first_image_ = false;     // of any registration
  bool expired_ = false;         // the stream that ends said so: register anew, soon
  std::optional<Error> failed_;  // refused for good
  bool stopping_ = false;
  std::vector<Done<bool>> stop_waiters_;
  std::vector<Done<Result<Registered>>> registered_waiters_;
  std::list<ImageWaiter> image_waiters_;
  std::unordered_set<std::shared_ptr<Pending>> pending_;

  asio::steady_timer retry_, answer_timer_, heartbeat_, farewell_;
  int64_t backoff_ms_ = kFirstBackoffMs;
  int64_t last_heard_ms_ = 0;
  uint64_t heartbeats_ = 0;
  bool away_ = false;  // said in the log
  int64_t away_since_ms_ = 0, away_logged_ms_ = 0;
};

// ---- connecting ----

Result<void> CoordinatorClient::Impl::start(Registration registration) {
  auto connect = parse_connect_string(registration.zookeeper_connect);
  if (!connect) return connect.error();
  connect_ = std::move(*connect);
  wanted_ = std::move(registration);
  post([self = shared_from_this()] { self->connect(); });
  return {};
}

void CoordinatorClient::Impl::connect() {
  if (stopping_ || failed_ || stream_) return;
  channel_ = open_channel(connect_.hosts[host_ % connect_.hosts.size()]);
  stub_ = wire::Coordinator::NewStub(channel_);
  wire::Register message = encode(wanted_, connect_.chroot);
  if (session_.id != 0) {
    wire::Resume& resume = *message.mutable_resume();
    resume.set_session_id(session_.id);
    resume.set_session_password(session_.password);
    resume.set_broker_epoch(registered_.load()->broker_epoch);
    resume.set_image_zxid(image_usable_ ? image_.load()->zxid.value() : 0);
  }
  snapshot_ = SnapshotBuilder();
  expired_ = false;
  auto weak = weak_from_this();
  CoordinatorStream::Handlers handlers;
  handlers.on_message = [weak](wire::ToBroker from) {
    if (auto self = weak.lock()) self->on_message(std::move(from));
  };
  handlers.on_end = [weak](grpc::Status status) {
    if (auto self = weak.lock()) self->on_end(status);
  };
  stream_ = std::make_shared<CoordinatorStream>(home_, std::move(handlers));
  answer_timer_.expires_after(std::chrono::milliseconds(kAnswerMs));
  answer_timer_.async_wait([weak, stream = stream_](boost::system::error_code error) {
    auto self = weak.lock();
    if (!error && self && !self->connected_) stream->cancel();
  });
  stream_->open(*stub_, std::move(message));
}

void CoordinatorClient::Impl::on_end(const grpc::Status& status) {
  stream_.reset();
  connected_ = false;
  answer_timer_.cancel();
  heartbeat_.cancel();
  if (stopping_) {
    end_stop();
    return;
  }
  if (failed_) return;
  if (expired_) {
    backoff_ms_ = kFirstBackoffMs;
    try_again();
    return;
  }
  ++host_;
  int64_t now = now_ms();
  if (!away_) {
    away_ = true;
    away_since_ms_ = away_logged_ms_ = now;
    LOG_WARN("server",
             "The coordinator at {} is not there ({}); waiting for it. Start it, or correct "
             "zookeeper.connect in "
             "server.properties",
             wanted_.zookeeper_connect,
             status.error_message().empty() ? "the stream ended" : status.error_message());
  } else if (now - away_logged_ms_ >= kRepeatLogMs) {
    away_logged_ms_ = now;
    LOG_WARN("server", "The coordinator at {} is still not there after {} s: {}",
             wanted_.zookeeper_connect, (now - away_since_ms_) / 1000, status.error_message());
  }
  try_again();
}

void CoordinatorClient::Impl::try_again() {
  static thread_local std::minstd_rand random{std::random_device()()};
  int64_t wait_ms =
      backoff_ms_ + static_cast<int64_t>(random() % static_cast<uint32_t>(backoff_ms_ / 4 + 1));
  backoff_ms_ = std::min(backoff_ms_ * 2, kMaxBackoffMs);
  retry_.expires_after(std::chrono::milliseconds(wait_ms));
  retry_.async_wait([weak = weak_from_this()](boost::system::error_code error) {
    auto self = weak.lock();
    if (!error && self) self->connect();
  });
}

// ---- what the coordinator says ----

void CoordinatorClient::Impl::on_message(wire::ToBroker message) {
  if (stopping_) return;
  last_heard_ms_ = now_ms();
  switch (message.kind_case()) {
    case wire::ToBroker::kRegistered:
      return on_registered(message.registered());
    case wire::ToBroker::kRefused:
      return on_refused_message(message.refused());
    case wire::ToBroker::kExpired:
      return on_expired(message.expired());
    case wire::ToBroker::kSnapshot:
      return on_snapshot(message.snapshot());
    case wire::ToBroker::kDelta:
      return on_delta(message.delta());
    case wire::ToBroker::kHeartbeat:
    case wire::ToBroker::KIND_NOT_SET:
      return;
  }
}

void CoordinatorClient::Impl::on_registered(const wire::Registered& message) {
  session_ = {message.session_id(), message.session_password(), message.session_timeout_ms()};
  Registered registered;
  registered.broker_id = BrokerId(message.broker_id());
  registered.cluster_id = message.cluster_id();
  registered.broker_epoch = message.broker_epoch();
  // From now on this is who we are, whatever comes.
  wanted_.broker_id = registered.broker_id;
  wanted_.cluster_id = registered.cluster_id;
  if (!message.resumed()) image_usable_ = false;
  LOG_INFO("server", "{} with the coordinator at {} as broker {} of cluster {}, broker epoch {}{}",
           message.resumed() ? "The session goes on" : "Registered",
           connect_.hosts[host_ % connect_.hosts.size()], registered.broker_id.value(),
           registered.cluster_id, registered.broker_epoch,
           away_ ? fmt::format(", after {} ms", now_ms() - away_since_ms_) : "");
  away_ = false;
  backoff_ms_ = kFirstBackoffMs;
  registered_.store(std::make_shared<const Registered>(std::move(registered)));
  connected_ = true;
  answer_timer_.cancel();
  heartbeat();
  if (image_usable_) answer_registered();
}

void CoordinatorClient::Impl::heartbeat() {
  if (!stream_ || !connected_) return;
  // A coordinator that stands still is left for another try well before the session's end.
  if (heartbeats_ > 0 && now_ms() - last_heard_ms_ > session_.timeout_ms * 2 / 3) {
    LOG_WARN("server", "Nothing was heard from the coordinator for {} ms",
             now_ms() - last_heard_ms_);
    stream_->cancel();
    return;
  }
  wire::ToCoordinator message;
  message.mutable_heartbeat()->set_sequence(++heartbeats_);
  message.mutable_heartbeat()->set_image_zxid(image_.load()->zxid.value());
  stream_->send(std::move(message));
  heartbeat_.expires_after(
      std::chrono::milliseconds(std::clamp(session_.timeout_ms / 4, 250, 3'000)));
  heartbeat_.async_wait([weak = weak_from_this()](boost::system::error_code error) {
    auto self = weak.lock();
    if (!error && self) self->heartbeat();
  });
}

void CoordinatorClient::Impl::on_refused_message(const wire::Refused& message) {
  Error error = error_of(message.code(), message.message())
                    .value_or(Error(Errc::internal, message.message()));
  if (message.again()) {
    if (!away_) LOG_WARN("server", "The coordinator asks to wait: {}", message.message());
    away_ = true;
    away_since_ms_ = away_logged_ms_ = now_ms();
    return;  // the stream ends, and another try follows
  }
  fail(std::move(error));
}

void CoordinatorClient::Impl::fail(Error error) {
  LOG_ERROR("server", "The coordinator refuses this broker: {}", error.what());
  failed_ = error;
  bool had_registered = first_image_;
  for (auto& done : std::exchange(registered_waiters_, {})) done(error);
  if (had_registered && refused_handler_) refused_handler_(std::move(error));
}

void CoordinatorClient::Impl::on_expired(const wire::Expired& message) {
  LOG_WARN("server", "The session with the coordinator is over ({}); registering anew",
           message.reason());
  session_ = Session();
  image_usable_ = false;
  expired_ = true;
  connected_ = false;
  if (stream_) stream_->finish();
}

void CoordinatorClient::Impl::on_snapshot(const wire::SnapshotPart& part) {
  if (auto ok = snapshot_.add(part); !ok) return bad_image(ok.error());
  if (part.last()) publish(snapshot_.take(), true);
}

void CoordinatorClient::Impl::on_delta(const wire::Delta& delta) {
  auto next = apply(*image_.load(), delta);
  if (!next) return bad_image(next.error());
  publish(std::move(*next), false);
}

void CoordinatorClient::Impl::bad_image(const Error& error) {
  LOG_ERROR("server", "{}; asking for the whole metadata again", error.what());
  image_usable_ = false;
  if (stream_) stream_->cancel();
}

void CoordinatorClient::Impl::publish(std::shared_ptr<Image> image, bool snapshot) {
  ImagePtr before = image_.load();
  ImagePtr after = std::move(image);
  // The handler sees the first image as a change from nothing.
  auto change = std::make_shared<ImageChange>(
      difference(first_image_ ? before.get() : nullptr, *after, snapshot));
  image_.store(after);
  image_usable_ = true;
  first_image_ = true;
  if (image_handler_) {
    asio::post(image_executor_, [self = shared_from_this(), before, after, change] {
      if (!self->silent_) self->image_handler_(before, after, *change);
    });
  }
  answer_registered();
  for (auto it = image_waiters_.begin(); it != image_waiters_.end();) {
    if (it->zxid > after->zxid) {
      ++it;
      continue;
    }
    auto done = std::move(it->done);
    it = image_waiters_.erase(it);
    done();
  }
}

void CoordinatorClient::Impl::wait_registered(Done<Result<Registered>> done) {
  if (failed_) return done(*failed_);
  if (stopping_) return done(Error(Errc::cancelled, "the broker is stopping"));
  registered_waiters_.push_back(std::move(done));
  if (connected_ && image_usable_) answer_registered();
}

void CoordinatorClient::Impl::answer_registered() {
  for (auto& done : std::exchange(registered_waiters_, {})) done(*registered_.load());
}

// ---- calls ----

void CoordinatorClient::Impl::when_image(Zxid zxid, int64_t timeout_ms,
                                         std::function<void()> done) {
  if (image_.load()->zxid >= zxid || stopping_) return done();
  auto waiter = image_waiters_.insert(
      image_waiters_.end(),
      ImageWaiter{
          zxid, std::make_unique<asio::steady_timer>(home_, std::chrono::milliseconds(timeout_ms)),
          std::move(done)});
  waiter->deadline->async_wait([weak = weak_from_this(), waiter](boost::system::error_code error) {
    auto self = weak.lock();
    if (error || !self) return;  // answered, and gone from the list
    auto late = std::move(waiter->done);
    self->image_waiters_.erase(waiter);
    late();
  });
}

template <typename Request, typename Reply>
void CoordinatorClient::Impl::call(
    void (wire::Coordinator::StubInterface::async_interface::*method)(
        grpc::ClientContext*, const Request*, Reply*, std::function<void(grpc::Status)>),
    Request request, int64_t timeout_ms, Done<Result<Reply>> done) {
  if (stopping_) return done(Error(Errc::cancelled, "the broker is stopping"));
  if (!connected_) return done(Error(Errc::unavailable, "the coordinator is not there"));
  auto registered = registered_.load();
  request.mutable_caller()->set_chroot(connect_.chroot);
  request.mutable_caller()->set_broker_id(registered->broker_id.value());
  request.mutable_caller()->set_broker_epoch(registered->broker_epoch);

  struct Flight : Pending {
    Request request;
    Reply reply;
    Done<Result<Reply>> done;
    std::shared_ptr<wire::Coordinator::Stub> stub;
    std::unique_ptr<asio::steady_timer> deadline;
    bool late = false;
    bool over = false;
  };
  timeout_ms = std::clamp<int64_t>(timeout_ms, 1, INT32_MAX);
  int64_t deadline_ms = now_ms() + timeout_ms;
  auto flight = std::make_shared<Flight>();
  flight->request = std::move(request);
  flight->done = std::move(done);
  flight->stub = stub_;
  flight->deadline =
      std::make_unique<asio::steady_timer>(home_, std::chrono::milliseconds(timeout_ms));
  flight->deadline->async_wait([flight](boost::system::error_code error) {
    if (error || flight->over) return;
    flight->late = true;
    flight->context.TryCancel();
  });
  pending_.insert(flight);
  auto landed = [self = shared_from_this(), flight, deadline_ms](grpc::Status status) {
    self->post([self, flight, deadline_ms, status] {
      flight->over = true;
      flight->deadline->cancel();
      self->pending_.erase(flight);
      if (!status.ok()) {
        Errc code = flight->late      ? Errc::timed_out
                    : self->stopping_ ? Errc::cancelled
                                      : Errc::unavailable;
        flight->done(Error(code, flight->late
                                     ? "the coordinator did not answer in time"
                                     : "the coordinator is not there: " + status.error_message()));
      } else if (auto error = error_of(flight->reply.status())) {
        flight->done(std::move(*error));
      } else {
        int64_t left_ms = std::max<int64_t>(deadline_ms - self->now_ms(), 1);
        self->when_image(Zxid(flight->reply.status().zxid()), left_ms,
                         [flight] { flight->done(std::move(flight->reply)); });
      }
      if (self->stopping_) self->end_stop();
    });
  };
  (flight->stub->async()->*method)(&flight->context, &flight->request, &flight->reply,
                                   std::move(landed));
}

// ---- the end ----

void CoordinatorClient::Impl::stop(Done<bool> done) {
  stop_waiters_.push_back(std::move(done));
  if (!stopping_) {
    stopping_ = true;
    silent_ = true;
    retry_.cancel();
    answer_timer_.cancel();
    heartbeat_.cancel();
    for (auto& waiter : std::exchange(registered_waiters_, {})) {
      waiter(Error(Errc::cancelled, "the broker is stopping"));
    }
    auto waiters = std::exchange(image_waiters_, {});
    for (auto& waiter : waiters) waiter.done();
    for (const auto& call : pending_) call->context.TryCancel();
    if (stream_ && connected_) {
      wire::ToCoordinator farewell;
      farewell.mutable_close();
      stream_->send(std::move(farewell));
      stream_->finish();
      farewell_.expires_after(std::chrono::milliseconds(kFarewellMs));
      farewell_.async_wait([stream = stream_](boost::system::error_code error) {
        if (!error) stream->cancel();
      });
    } else if (stream_) {
      stream_->cancel();
    }
    connected_ = false;
  }
  end_stop();
}

void CoordinatorClient::Impl::end_stop() {
  if (stream_ || !pending_.empty()) return;
  farewell_.cancel();
  stub_.reset();
  channel_.reset();
  for (auto& done : std::exchange(stop_waiters_, {})) done(true);
}

// ---- the public face ----

namespace {

using Interface = wire::Coordinator::StubInterface::async_interface;

template <typename Request, typename Reply>
using Method = void (Interface::*)(grpc::ClientContext*, const Request*, Reply*,
                                   std::function<void(grpc::Status)>);

}  // namespace

CoordinatorClient::CoordinatorClient(Executor home)
    : impl_(std::make_shared<Impl>(std::move(home))) {}
CoordinatorClient::~CoordinatorClient() = default;

void CoordinatorClient::on_image(Executor executor, ImageHandler handler) {
  impl_->on_image(std::move(executor), std::move(handler));
}
void CoordinatorClient::on_refused(std::function<void(Error)> handler) {
  impl_->on_refused(std::move(handler));
}
Result<void> CoordinatorClient::start(Registration registration) {
  return impl_->start(std::move(registration));
}
Registered CoordinatorClient::registration() const { return impl_->registration(); }
ImagePtr CoordinatorClient::image() const { return impl_->image(); }
bool CoordinatorClient::connected() const { return impl_->connected(); }

CoordinatorClient::Awaitable<Result<Registered>> CoordinatorClient::registered() {
  std::function<void(Done<Result<Registered>>)> begin = [impl =
                                                             impl_](Done<Result<Registered>> done) {
    impl->post(
        [impl, done = std::move(done)]() mutable { impl->wait_registered(std::move(done)); });
  };
  co_return co_await wait_for<Result<Registered>>(std::move(begin));
}

CoordinatorClient::Awaitable<void> CoordinatorClient::stop() {
  std::function<void(Done<bool>)> begin = [impl = impl_](Done<bool> done) {
    impl->post([impl, done = std::move(done)]() mutable { impl->stop(std::move(done)); });
  };
  co_await wait_for<bool>(std::move(begin));
}

namespace {

// Starts the call on the home executor and waits for its reply.
template <typename Impl, typename Request, typename Reply>
asio::awaitable<Result<Reply>> ask(std::shared_ptr<Impl> impl, Method<Request, Reply> method,
                                   Request request, CoordinatorClient::Timeout timeout) {
  std::function<void(Done<Result<Reply>>)> begin = [impl, method, request = std::move(request),
                                                    timeout](Done<Result<Reply>> done) mutable {
    impl->post(
        [impl, method, request = std::move(request), timeout, done = std::move(done)]() mutable {
          impl->call(method, std::move(request), timeout.count(), std::move(done));
        });
  };
  co_return co_await wait_for<Result<Reply>>(std::move(begin));
}

}  // namespace

CoordinatorClient::Awaitable<Result<std::vector<TopicResult>>> CoordinatorClient::create_topics(
    std::vector<NewTopic> topics, bool validate_only, Timeout timeout) {
  wire::CreateTopicsRequest request = encode(topics);
  request.set_validate_only(validate_only);
  request.set_timeout_ms(static_cast<int32_t>(timeout.count()));
  Method<wire::CreateTopicsRequest, wire::TopicsReply> method = &Interface::CreateTopics;
  auto reply = co_await ask(impl_, method, std::move(request), timeout);
  if (!reply) co_return reply.error();
  co_return decode(*reply);
}

CoordinatorClient::Awaitable<Result<std::vector<TopicResult>>> CoordinatorClient::delete_topics(
    std::vector<TopicToDelete> topics, Timeout timeout) {
  wire::DeleteTopicsRequest request = encode(topics);
  request.set_timeout_ms(static_cast<int32_t>(timeout.count()));
  Method<wire::DeleteTopicsRequest, wire::TopicsReply> method = &Interface::DeleteTopics;
  auto reply = co_await ask(impl_, method, std::move(request), timeout);
  if (!reply) co_return reply.error();
  co_return decode(*reply);
}

CoordinatorClient::Awaitable<Result<std::vector<TopicResult>>> CoordinatorClient::create_partitions(
    std::vector<NewPartitions> topics, bool validate_only, Timeout timeout) {
  wire::CreatePartitionsRequest request = encode(topics);
  request.set_validate_only(validate_only);
  request.set_timeout_ms(static_cast<int32_t>(timeout.count()));
  Method<wire::CreatePartitionsRequest, wire::TopicsReply> method = &Interface::CreatePartitions;
  auto reply = co_await ask(impl_, method, std::move(request), timeout);
  if (!reply) co_return reply.error();
  co_return decode(*reply);
}

CoordinatorClient::Awaitable<Result<std::vector<ConfigResult>>> CoordinatorClient::alter_configs(
    std::vector<ConfigChange> changes, bool validate_only, Timeout timeout) {
  wire::AlterConfigsRequest request = encode(changes);
  request.set_validate_only(validate_only);
  request.set_timeout_ms(static_cast<int32_t>(timeout.count()));
  Method<wire::AlterConfigsRequest, wire::AlterConfigsReply> method = &Interface::AlterConfigs;
  auto reply = co_await ask(impl_, method, std::move(request), timeout);
  if (!reply) co_return reply.error();
  co_return decode(*reply);
}

CoordinatorClient::Awaitable<Result<ProducerIdBlock>> CoordinatorClient::allocate_producer_ids(
    Timeout timeout) {
  Method<wire::AllocateProducerIdsRequest, wire::AllocateProducerIdsReply> method =
      &Interface::AllocateProducerIds;
  wire::AllocateProducerIdsRequest request;
  auto reply = co_await ask(impl_, method, std::move(request), timeout);
  if (!reply) co_return reply.error();
  co_return ProducerIdBlock{ProducerId(reply->first()), reply->size()};
}

CoordinatorClient::Awaitable<Result<std::vector<IsrResult>>> CoordinatorClient::alter_partition(
    std::vector<IsrChange> changes, Timeout timeout) {
  wire::AlterPartitionRequest request = encode(changes);
  Method<wire::AlterPartitionRequest, wire::AlterPartitionReply> method =
      &Interface::AlterPartition;
  auto reply = co_await ask(impl_, method, std::move(request), timeout);
  if (!reply) co_return reply.error();
  co_return decode(*reply);
}

CoordinatorClient::Awaitable<Result<std::vector<TopicPartition>>>
CoordinatorClient::controlled_shutdown(Timeout timeout) {
  Method<wire::ControlledShutdownRequest, wire::ControlledShutdownReply> method =
      &Interface::ControlledShutdown;
  wire::ControlledShutdownRequest request;
  auto reply = co_await ask(impl_, method, std::move(request), timeout);
  if (!reply) co_return reply.error();
  co_return decode(*reply);
}

}  // namespace odradek::broker::metadata
