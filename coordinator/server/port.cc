#include "coordinator/server/port.h"

#include <poll.h>
#include <sys/socket.h>

#include <boost/asio/ip/tcp.hpp>
#include <cerrno>
#include <cstring>

#include "common/format.h"
#include "common/log/log.h"
#include "common/metrics/process.h"
#include "common/net/frame_assembler.h"
#include "coordinator/server/four_letter_words.h"

namespace odradek::coordinator::server {

namespace {

namespace asio = boost::asio;

constexpr std::string_view kHttp2Preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
constexpr int64_t kSweepMs = 1000;
// So much of a first request is waited for; a ConnectRequest has about 50 bytes.
constexpr size_t kFirstBytes = 1024;
// Answers to words that clients do not take: a word is not answered while there are more.
constexpr size_t kMaxAnswersInFlight = 64u << 20;
// Descriptors that are left for the store, the log, brokers and the admin server.
constexpr int64_t kReservedDescriptors = 256;
constexpr int64_t kWarnEveryMs = 10'000;

net::ConnectionLimits limits_of(const ServerSettings& settings) {
  net::ConnectionLimits limits;
  if (settings.max_client_connections > 0) limits.per_address = settings.max_client_connections;
  if (settings.max_connections > 0) limits.total = settings.max_connections;
  // without descriptors the store could not go on either
  int64_t descriptors = metrics::max_descriptors();
  int64_t most = descriptors - std::min(kReservedDescriptors, descriptors / 2);
  limits.total = std::min(limits.total, most);
  return limits;
}

asio::ip::tcp protocol_of(const std::string& address) {
  return address.find(':') == std::string::npos ? asio::ip::tcp::v4() : asio::ip::tcp::v6();
}

}  // namespace

// A connection of which the first request is not seen yet. The list of the port owns it until it is
// handed on or gone.
class Port::Visitor : public std::enable_shared_from_this<Port::Visitor> {
 public:
  Visitor(Port& port, net::Accepted accepted, int64_t now_ms)
      : port_(&port), accepted_(std::move(accepted)), socket_(port.executor_), since_ms_(now_ms) {
    socket_.assign(protocol_of(accepted_.address), accepted_.fd);
  }

  void start(VisitorList::iterator place) {
    place_ = place;
    wait();
  }

  // Closes the socket, if it is still here, and gives the place in the count back.
  void leave() {
    if (!port_) return;
    auto self = forget();
    boost::system::error_code ignored;
    socket_.close(ignored);
    port_->answers_in_flight_ -= text_.size();
    port_->count_.leave(accepted_.address);
    port_ = nullptr;
  }

  std::string peer() const { return accepted_.peer(); }
  int64_t since_ms() const { return since_ms_; }

  void say_closing(const std::string& reason) {
    port_->clients_.peer_log().warn(
        accepted_.address,
        odradek::format("Closing connection of /{}: {}", accepted_.peer(), reason));
  }

 private:
  // The list lets it go; the caller holds it.
  std::shared_ptr<Visitor> forget() {
    auto self = shared_from_this();
    port_->visitors_.erase(place_);
    return self;
  }

  void wait() {
    socket_.async_wait(asio::socket_base::wait_read,
                       [self = shared_from_this()](boost::system::error_code error) {
                         if (!error && self->port_) self->look();
                       });
  }

  // Wakes up when there are so many bytes. Fewer and no more to come: it leaves.
  void wait_for(size_t bytes) {
    set_low_water(bytes);
    pollfd state{socket_.native_handle(), POLLRDHUP, 0};
    if (::poll(&state, 1, 0) == 0) return wait();
    available() >= bytes ? look() : leave();  // the rest may have come with the end
  }
  void set_low_water(size_t bytes) {
    int value = static_cast<int>(bytes);
    ::setsockopt(socket_.native_handle(), SOL_SOCKET, SO_RCVLOWAT, &value, sizeof value);
  }

  void look() {
    char bytes[kHttp2Preface.size()];
    ssize_t got = ::recv(socket_.native_handle(), bytes, sizeof bytes, MSG_PEEK | MSG_DONTWAIT);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) return wait();
    if (got <= 0) return leave();
    std::string_view first(bytes, static_cast<size_t>(got));
    if (kHttp2Preface.starts_with(first)) {
      return first.size() == kHttp2Preface.size() ? hand_to_grpc() : wait_for(kHttp2Preface.size());
    }
    if (first.size() < 4) return wait_for(4);
    if (is_four_letter_word(first.substr(0, 4))) return on_word(first);
    int32_t length = ByteReader(first).i32();
    if (length <= 0 ||
        static_cast<size_t>(length) > port_->clients_.settings().jute_max_buffer) {
      return refuse(first);
    }
    size_t wanted = std::min(static_cast<size_t>(length) + 4, kFirstBytes);
    available() >= wanted ? hand_to_zookeeper() : wait_for(wanted);
  }

  size_t available() {
    char bytes[kFirstBytes];
    ssize_t got = ::recv(socket_.native_handle(), bytes, sizeof bytes, MSG_PEEK | MSG_DONTWAIT);
    return got > 0 ? static_cast<size_t>(got) : 0;
  }

  void hand_to_zookeeper() {
    auto self = forget();
    Port& port = *std::exchange(port_, nullptr);
    set_low_water(1);
    boost::system::error_code error;
    accepted_.fd = socket_.release(error);
    std::string address = accepted_.address;
    if (error) return port.count_.leave(address);
    port.clients_.serve(std::move(accepted_), [&port, address] { port.count_.leave(address); });
  }

  void hand_to_grpc() {
    if (port_->clients_.settings().auth.enforce) {
      say_closing(
          "it speaks gRPC, which cannot authenticate here, and every client must (enforce.auth, "
          "requireClientAuthScheme)");
      return leave();
    }
    auto self = forget();
    Port& port = *std::exchange(port_, nullptr);
    set_low_water(1);
    port.count_.leave(accepted_.address);  // gRPC has limits of its own
    boost::system::error_code error;
    int fd = socket_.release(error);
    if (!error) port.on_grpc_(fd, accepted_.peer());
  }

  void on_word(std::string_view first) {
    std::string word(first.substr(0, 4));
    std::string argument;
    if (word == kWordWithArgument) {
      constexpr size_t kWhole = 12;  // and a number of eight bytes
      if (first.size() < kWhole) return wait_for(kWhole);
      argument = first.substr(4, 8);
    }
    answer(word, argument);
  }

  void answer(const std::string& word, const std::string& argument) {
    // the word is taken, so that closing does not reset the connection before the answer is read
    char taken[512];
    while (::recv(socket_.native_handle(), taken, sizeof taken, MSG_DONTWAIT) > 0) {
    }
    LOG_DEBUG("zookeeper", "Processing {} command from /{}", word, accepted_.peer());
    if (port_->answers_in_flight_ > kMaxAnswersInFlight) {
      LOG_WARN("zookeeper", "{} from /{} is not answered: too many answers are not taken yet", word,
               accepted_.peer());
      return leave();
    }
    Clients& clients = port_->clients_;
    ++clients.stats().packets_received;
    clients.metrics().bytes_received.add(4);
    text_ = answer_word(word, argument, accepted_.peer(), clients);
    port_->answers_in_flight_ += text_.size();
    if (!text_.empty()) ++clients.stats().packets_sent;
    send_text();
  }

  void send_text() {
    while (sent_ < text_.size()) {
      ssize_t sent = ::send(socket_.native_handle(), text_.data() + sent_, text_.size() - sent_,
                            MSG_DONTWAIT | MSG_NOSIGNAL);
      if (sent < 0 && errno == EINTR) continue;
      if (sent < 0 && errno == EAGAIN) {
        socket_.async_wait(asio::socket_base::wait_write,
                           [self = shared_from_this()](boost::system::error_code error) {
                             if (!error && self->port_) self->send_text();
                           });
        return;
      }
      if (sent < 0) break;
      sent_ += static_cast<size_t>(sent);
    }
    leave();
  }

  void refuse(std::string_view first) {
    std::string reason = net::foreign_protocol(first);
    // "it speaks HTTP; …": what is expected here is not what that sentence says
    reason = reason.substr(0, reason.find(';'));
    if (reason.empty()) {
      reason = odradek::format("its first four bytes, 0x{:08x}, are no length of a ZooKeeper request",
                           ByteReader(first).u32());
    }
    say_closing(reason);
    port_->clients_.metrics().connections_rejected.add();
    leave();
  }

  Port* port_;  // null once it is handed on or gone
  net::Accepted accepted_;
  asio::ip::tcp::socket socket_;
  const int64_t since_ms_;
  VisitorList::iterator place_;
  std::string text_;
  size_t sent_ = 0;
};

Port::Port(runtime::Executor executor, Clients& clients, OnGrpc on_grpc)
    : executor_(executor),
      clients_(clients),
      on_grpc_(std::move(on_grpc)),
      count_(limits_of(clients.settings())),
      sweeper_(executor, [this] {
        sweep();
        return kSweepMs;
      }) {
  clients_.set_visitors(this);
}

Port::~Port() {
  stop();
  clients_.set_visitors(nullptr);
}

Result<void> Port::open() {
  const ServerSettings& settings = clients_.settings();
  auto listener = net::Listener::open(
      executor_, settings.client_port_address, settings.client_port,
      settings.client_port_address.empty() ? "clientPort" : "clientPort and clientPortAddress");
  if (!listener) return listener.error();
  listener_ = *std::move(listener);
  return {};
}

Result<void> Port::start() {
  int backlog = clients_.settings().backlog > 0 ? clients_.settings().backlog : SOMAXCONN;
  sweeper_.start(kSweepMs);
  return listener_->start(backlog,
                          [this](net::Accepted accepted) { this->accepted(std::move(accepted)); });
}

void Port::stop() {
  if (listener_) listener_->stop();
  sweeper_.stop();
  while (!visitors_.empty()) visitors_.front()->leave();
}

void Port::for_each(
    const std::function<void(const std::string& peer, int64_t since_ms)>& visit) const {
  for (const auto& visitor : visitors_) visit(visitor->peer(), visitor->since_ms());
}

void Port::sweep() {
  int64_t now_ms = clients_.clock().monotonic_ms();
  size_t closed = 0;
  while (!visitors_.empty() && now_ms - visitors_.front()->since_ms() >= kSessionlessMs) {
    auto visitor = visitors_.front();
    clients_.metrics().sessionless_expired.add();
    if (++closed <= kSaidInSweep) {
      visitor->say_closing("it said nothing that is understood here in 10 s");
    }
    visitor->leave();
  }
  if (closed <= kSaidInSweep) return;
  LOG_WARN("zookeeper", "{} more connections said nothing that is understood here in 10 s: closed",
           closed - kSaidInSweep);
}

void Port::accepted(net::Accepted accepted) {
  int64_t now_ms = clients_.clock().monotonic_ms();
  if (auto entered = count_.enter(accepted.address); !entered) {
    clients_.metrics().connections_rejected.add();
    ++refused_since_warning_;
    if (now_ms - warned_ms_ >= kWarnEveryMs) {
      LOG_WARN("zookeeper",
               "Too many connections from /{}: {}; maxClientCnxns, maxCnxns and the limit of open "
               "files say how many may be ({} refused since this was last said)",
               accepted.address, entered.error().what(), refused_since_warning_);
      warned_ms_ = now_ms;
      refused_since_warning_ = 0;
    }
    asio::ip::tcp::socket closes(executor_);
    closes.assign(protocol_of(accepted.address), accepted.fd);
    return;
  }
  auto visitor = std::make_shared<Visitor>(*this, std::move(accepted), now_ms);
  visitor->start(visitors_.insert(visitors_.end(), visitor));
}

}  // namespace odradek::coordinator::server
