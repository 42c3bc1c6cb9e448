#include "coordinator/server/broker_hub.h"

#include <algorithm>
#include <cstring>

#include "common/format.h"
#include "common/log/log.h"
#include "coordinator/server/broker_codec.h"

namespace odradek::coordinator::server {

namespace {

constexpr int64_t kWatchMs = 250;
constexpr int64_t kStallMs = 1'000;  // a watch that comes so late: this process was not running
constexpr int64_t kAfterStallMs =
    10'000;  // connections that break so soon after a stall broke because of it

std::string hex(SessionId session) {
  return odradek::format("0x{:x}", static_cast<uint64_t>(session.value()));
}

}  // namespace

// What is known of one stream.
struct BrokerHub::Peer final : session::SessionOwner,
                               std::enable_shared_from_this<BrokerHub::Peer> {
  enum class State { silent, registering, registered, over };

  Peer(BrokerHub& hub_in, std::shared_ptr<BrokerStream> stream_in, int64_t since_ms_in)
      : hub(hub_in), stream(std::move(stream_in)), since_ms(since_ms_in) {}

  void session_ended(SessionId) override {
    if (state == State::registered) hub.expire(shared_from_this(), "the session has ended");
  }
  void session_moved(SessionId) override {
    if (state != State::registered) return;
    state = State::over;
    stream->cut();
  }
  std::string name() const {
    return odradek::format("Broker {} ({})", broker.value(), stream->peer());
  }

  BrokerHub& hub;
  std::shared_ptr<BrokerStream> stream;
  int64_t since_ms;
  State state = State::silent;
  bool gone = false;  // the stream has ended
  std::string chroot;
  BrokerId broker{-1};
  int64_t broker_epoch = -1;
  SessionId session;
  Zxid sent;  // the image that the broker has, or has on the way; 0: none
  // The first image is held back until the broker's partitions have leaders; until then this is
  // when it was registered.
  std::optional<int64_t> holds_since_ms;
};

BrokerHub::BrokerHub(runtime::Executor tree, pipeline::Pipeline& pipeline,
                     pipeline::ControllerRunner& runner, BrokerHubSettings settings)
    : pipeline_(pipeline),
      runner_(runner),
      settings_(settings),
      watch_(tree, [this] { return on_watch(); }) {}

BrokerHub::~BrokerHub() = default;

BrokerHub::PeerRef BrokerHub::peer_of(const std::shared_ptr<BrokerStream>& stream) {
  PeerRef& peer = peers_[stream.get()];
  if (!peer) peer = std::make_shared<Peer>(*this, stream, pipeline_.clock().monotonic_ms());
  return peer;
}

void BrokerHub::on_message(const std::shared_ptr<BrokerStream>& stream,
                           wire::ToCoordinator message) {
  if (stopped_ || (peers_.size() >= settings_.max_streams && !peers_.contains(stream.get()))) {
    stream->cut();
    return;
  }
  PeerRef peer = peer_of(stream);
  watch();
  if (peer->state == Peer::State::over) return;
  if (message.has_registration()) {
    if (peer->state == Peer::State::silent)
      on_register(peer, message.registration());
    else
      refuse(peer, Error(Errc::invalid_request, "a stream registers once"), false);
  } else if (peer->state != Peer::State::registered) {
    refuse(peer, Error(Errc::invalid_request, "the first message of a stream registers"), false);
  } else if (message.has_heartbeat()) {
    on_heartbeat(peer, message.heartbeat());
  } else if (message.has_close()) {
    on_close(peer);
  }
  stream->read_next();
}

// ---- registration ----

void BrokerHub::on_register(const PeerRef& peer, const wire::Register& message) {
  peer->chroot = message.chroot();
  if (message.has_resume()) {
    on_resume(peer, message);
    return;
  }
  auto request = decode(message);
  if (!request) {
    refuse(peer, request.error(), false);
    return;
  }
  peer->state = Peer::State::registering;
  peer->broker = request->broker_id;
  int64_t deadline_ms = pipeline_.clock().monotonic_ms() + settings_.register_ms;
  auto done = [this, peer](Result<controller::Registration> outcome) {
    on_registered(peer, std::move(outcome));
  };
  auto ok = runner_.controller().register_broker(peer->chroot, std::move(*request), deadline_ms,
                                                 std::move(done));
  if (!ok) {
    refuse(peer, ok.error(), false);
    return;
  }
  runner_.tick();
}

void BrokerHub::on_registered(const PeerRef& peer, Result<controller::Registration> outcome) {
  if (!outcome) {
    // The other broker may be on its way out: its connection is broken already.
    Errc code = outcome.error().code();
    bool again = code == Errc::unavailable || code == Errc::timed_out ||
                 (code == Errc::duplicate_broker_id && !is_connected(peer->chroot, peer->broker));
    if (!peer->gone) refuse(peer, outcome.error(), again);
    return;
  }
  peer->broker = outcome->broker_id;
  peer->broker_epoch = outcome->broker_epoch;
  peer->session = outcome->session.session;
  grace_.erase(outcome->superseded);
  if (peer->gone) {
    start_grace(peer->session, peer->name());
    return;
  }
  pipeline::Pipeline::SessionRequest request;
  request.timeout_ms = outcome->session.timeout_ms;
  request.exact_timeout = true;
  request.owner = peer;
  auto attached = pipeline_.attach_session(peer->session, outcome->session.password, request);
  if (!attached) {
    expire(peer, attached.error().what());
    return;
  }
  peer->state = Peer::State::registered;
  wire::ToBroker message;
  encode(*outcome, false, *message.mutable_registered());
  peer->stream->send(std::move(message));
  peer->holds_since_ms = pipeline_.clock().monotonic_ms();
  ++first_images_;
}

void BrokerHub::on_resume(const PeerRef& peer, const wire::Register& message) {
  const wire::Resume& resume = message.resume();
  peer->broker = BrokerId(message.broker_id());
  tree::Password password{};
  const controller::Cluster* cluster = runner_.controller().find(peer->chroot);
  if (cluster == nullptr || resume.session_password().size() != password.size()) {
    expire(peer, "the session is not known");
    return;
  }
  std::memcpy(password.data(), resume.session_password().data(), password.size());
  SessionId session(resume.session_id());
  auto found = cluster->facts().brokers.find(peer->broker);
  bool still_there = found != cluster->facts().brokers.end() && found->second.ours &&
                     found->second.owner == session &&
                     found->second.broker.epoch == resume.broker_epoch();
  if (!still_there) {
    expire(peer, "the session is over");
    return;
  }
  const session::Session* known = pipeline_.sessions().find(session);
  pipeline::Pipeline::SessionRequest request;
  request.timeout_ms = known == nullptr ? message.session_timeout_ms() : known->timeout_ms;
  request.exact_timeout = true;
  request.owner = peer;
  auto attached = pipeline_.attach_session(session, password, request);
  if (!attached) {
    expire(peer, attached.error().what());
    return;
  }
  grace_.erase(session);
  peer->state = Peer::State::registered;
  peer->session = session;
  peer->broker_epoch = resume.broker_epoch();
  peer->sent = Zxid(resume.image_zxid());
  controller::Registration registration;
  registration.broker_id = peer->broker;
  registration.cluster_id = cluster->facts().cluster_id;
  registration.broker_epoch = peer->broker_epoch;
  registration.session = {session, attached->timeout_ms, password};
  wire::ToBroker reply;
  encode(registration, true, *reply.mutable_registered());
  peer->stream->send(std::move(reply));
  LOG_INFO("controller", "{} resumed session {} with epoch {}", peer->name(), hex(session),
           peer->broker_epoch);
  send_image(peer, *cluster);
}

void BrokerHub::refuse(const PeerRef& peer, const Error& error, bool again) {
  LOG_WARN("controller", "Refused broker {} ({}): {}", peer->broker.value(), peer->stream->peer(),
           error.what());
  peer->state = Peer::State::over;
  wire::ToBroker message;
  message.mutable_refused()->set_code(wire_code(error.code()));
  message.mutable_refused()->set_message(error.what());
  message.mutable_refused()->set_again(again);
  peer->stream->send(std::move(message));
  peer->stream->finish();
}

void BrokerHub::expire(const PeerRef& peer, const std::string& reason) {
  if (peer->state == Peer::State::registered) {
    LOG_INFO("controller", "{} is told that it expired: {}", peer->name(), reason);
    pipeline_.detach_session(peer->session, peer.get());
  }
  peer->state = Peer::State::over;
  wire::ToBroker message;
  message.mutable_expired()->set_reason(reason);
  peer->stream->send(std::move(message));
  peer->stream->finish();
}

// ---- while it is there ----

void BrokerHub::on_heartbeat(const PeerRef& peer, const wire::Heartbeat& message) {
  if (!pipeline_.touch(peer->session)) {
    expire(peer, "the session has ended");
    return;
  }
  wire::ToBroker reply;
  reply.mutable_heartbeat()->set_sequence(message.sequence());
  peer->stream->send(std::move(reply));
}

void BrokerHub::on_close(const PeerRef& peer) {
  LOG_INFO("controller", "{} leaves", peer->name());
  peer->state = Peer::State::over;
  auto stream = peer->stream;
  pipeline_.close_session(peer->session, [stream](pipeline::WriteReply) { stream->finish(); });
}

void BrokerHub::on_image(const controller::Cluster& cluster) {
  std::vector<PeerRef> there;
  for (const auto& [stream, peer] : peers_) {
    if (peer->state == Peer::State::registered && peer->chroot == cluster.chroot())
      there.push_back(peer);
  }
  for (const PeerRef& peer : there) {
    auto found = cluster.facts().brokers.find(peer->broker);
    if (found == cluster.facts().brokers.end() || !found->second.ours ||
        found->second.broker.epoch != peer->broker_epoch) {
      expire(peer, "its znode is gone");
    } else {
      send_image(peer, cluster);
    }
  }
}

void BrokerHub::send_image(const PeerRef& peer, const controller::Cluster& cluster) {
  const metadata::ImagePtr& image = cluster.image();
  if (peer->holds_since_ms || image->zxid == Zxid() || image->zxid == peer->sent) return;
  std::optional<std::vector<std::shared_ptr<const metadata::Delta>>> deltas;
  if (peer->sent != Zxid()) deltas = cluster.history().since(peer->sent, image->zxid);
  peer->sent = image->zxid;
  if (deltas) {
    for (const auto& delta : *deltas) peer->stream->send(encode(*delta));
    return;
  }
  for (wire::ToBroker& part : encode_snapshot(*image)) peer->stream->send(std::move(part));
}

void BrokerHub::on_round() { send_first_images(); }

void BrokerHub::send_first_images() {
  if (first_images_ == 0) return;
  first_images_ = 0;
  int64_t now_ms = pipeline_.clock().monotonic_ms();
  for (const auto& [stream, peer] : peers_) {
    if (peer->state != Peer::State::registered || !peer->holds_since_ms) continue;
    const controller::Cluster* cluster = runner_.controller().find(peer->chroot);
    if (cluster == nullptr) continue;
    if (cluster->at_rest() || now_ms - *peer->holds_since_ms >= settings_.first_image_ms) {
      peer->holds_since_ms.reset();
      send_image(peer, *cluster);
    } else {
      ++first_images_;
    }
  }
}

bool BrokerHub::is_connected(const std::string& chroot, BrokerId id) const {
  return std::any_of(peers_.begin(), peers_.end(), [&](const auto& entry) {
    const Peer& peer = *entry.second;
    return peer.state == Peer::State::registered && !peer.gone && peer.broker == id &&
           peer.chroot == chroot;
  });
}

// ---- when it goes ----

void BrokerHub::on_end(const std::shared_ptr<BrokerStream>& stream, bool by_peer) {
  auto found = peers_.find(stream.get());
  if (found == peers_.end()) return;
  PeerRef peer = found->second;
  peers_.erase(found);
  peer->gone = true;
  if (peer->state != Peer::State::registered) return;
  peer->state = Peer::State::over;
  pipeline_.detach_session(peer->session, peer.get());
  if (stopped_) return;
  if (by_peer && !broke_by_stall(*peer)) {
    start_grace(peer->session, peer->name());
  } else {
    LOG_INFO("controller", "The stream of {} has ended; its session {} lives on until its time-out",
             peer->name(), hex(peer->session));
  }
}

void BrokerHub::start_grace(SessionId session, const std::string& who) {
  LOG_INFO("controller",
           "The connection of {} broke; its session {} ends in {} ms unless it comes back", who,
           hex(session), settings_.grace_ms);
  grace_[session] = pipeline_.clock().monotonic_ms() + settings_.grace_ms;
  watch();
}

// True where the stream began before a stall of this process that ended just now, or that no watch
// has seen yet.
bool BrokerHub::broke_by_stall(const Peer& peer) const {
  int64_t now_ms = pipeline_.clock().monotonic_ms();
  if (watching_ && now_ms - watched_ms_ > kWatchMs + kStallMs) return true;
  return stalled_ms_ && peer.since_ms <= *stalled_ms_ && now_ms - *stalled_ms_ < kAfterStallMs;
}

void BrokerHub::watch() {
  if (watching_ || stopped_) return;
  watching_ = true;
  watched_ms_ = pipeline_.clock().monotonic_ms();
  watch_.start(kWatchMs);
}

// Runs while there is a broker: a timer that comes late is how a stall of this process is seen.
int64_t BrokerHub::on_watch() {
  int64_t now_ms = pipeline_.clock().monotonic_ms();
  if (now_ms - watched_ms_ > kWatchMs + kStallMs) {
    LOG_WARN("controller",
             "The coordinator did not run for {} ms; brokers get their full session time-out",
             now_ms - watched_ms_);
    stalled_ms_ = now_ms;
    grace_.clear();
  }
  watched_ms_ = now_ms;
  send_first_images();
  for (auto it = grace_.begin(); it != grace_.end();) {
    if (it->second > now_ms) {
      ++it;
      continue;
    }
    pipeline_.close_session(it->first, [](pipeline::WriteReply) {});
    it = grace_.erase(it);
  }
  for (const auto& [stream, peer] : peers_) {
    if (peer->state == Peer::State::silent && now_ms - peer->since_ms > settings_.first_message_ms)
      stream->cut();
  }
  watching_ = !peers_.empty() || !grace_.empty();
  return watching_ ? kWatchMs : -1;
}

void BrokerHub::stop() {
  stopped_ = true;
  watch_.stop();
  grace_.clear();
  for (const auto& [stream, peer] : peers_) stream->cut();
}

}  // namespace odradek::coordinator::server
