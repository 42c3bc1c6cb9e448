#include "broker/metadata/coordinator_client.h"

#include <algorithm>
#include <random>

#include "broker/metadata/coordinator_client_impl.h"
#include "common/format.h"
#include "common/log/log.h"

namespace odradek::broker::metadata {

namespace {

constexpr int64_t kMaxBackoffMs = 1'000;
constexpr int64_t kAnswerMs = 25'000;     // from the registration to the coordinator's word on it
constexpr int64_t kFarewellMs = 2'000;    // stop waits so long for the coordinator
constexpr int64_t kRepeatLogMs = 60'000;  // while the coordinator is not there

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
           away_ ? odradek::format(", after {} ms", now_ms() - away_since_ms_) : "");
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

}  // namespace odradek::broker::metadata
