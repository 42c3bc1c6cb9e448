#include "common/http/server.h"

#include <algorithm>
#include <boost/asio/bind_executor.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http.hpp>
#include <chrono>
#include <ctime>
#include <list>

#include "common/log/log.h"
#include "common/net/listener.h"
#include "common/runtime/executor.h"

namespace odradek::http {

namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace bhttp = boost::beast::http;
using Answer = bhttp::response<bhttp::string_body>;
using Parser = bhttp::request_parser<bhttp::empty_body>;

constexpr int64_t kWarnEveryMs = 10'000;

std::string http_date(int64_t wall_ms) {
  time_t seconds = static_cast<time_t>(wall_ms / 1000);
  tm utc{};
  gmtime_r(&seconds, &utc);
  char text[64];
  return std::string(text, strftime(text, sizeof text, "%a, %d %b %Y %H:%M:%S GMT", &utc));
}

Answer make_answer(Response response, unsigned version, bool keep_alive, int64_t wall_ms) {
  Answer answer(static_cast<bhttp::status>(response.status), version);
  answer.set(bhttp::field::date, http_date(wall_ms));
  if (!response.content_type.empty()) {
    answer.set(bhttp::field::content_type, response.content_type);
  }
  answer.body() = std::move(response.body);
  answer.keep_alive(keep_alive);
  answer.prepare_payload();
  return answer;
}

Response plain(int status, std::string text) {
  return {status, "text/plain;charset=utf-8", std::move(text)};
}

// What goes wrong with the bytes of a request; 0 where the peer has simply gone.
int status_of(const beast::error_code& error) {
  if (error == bhttp::error::header_limit || error == bhttp::error::buffer_overflow) return 431;
  if (error == bhttp::error::body_limit) return 413;
  if (error.category() == bhttp::make_error_code(bhttp::error::bad_method).category() &&
      error != bhttp::error::end_of_stream && error != bhttp::error::partial_message) {
    return 400;
  }
  return 0;
}

}  // namespace

class Server::Impl : public std::enable_shared_from_this<Impl> {
 public:
  Impl(asio::any_io_executor executor, ServerOptions options, const Clock& clock, Handler handler)
      : executor_(std::move(executor)),
        options_(std::move(options)),
        clock_(clock),
        handler_(std::move(handler)) {}

  Result<void> open() {
    auto listener = net::Listener::open(executor_, options_.host, options_.port, options_.setting);
    if (!listener) return listener.error();
    listener_ = *std::move(listener);
    return {};
  }

  Result<void> start() {
    return listener_->start(static_cast<int>(std::min<size_t>(options_.max_connections, 128)),
                            [this](net::Accepted accepted) { this->accepted(std::move(accepted)); });
  }

  void stop() {
    stopped_ = true;
    if (listener_) listener_->stop();
    for (auto all = streams_; beast::tcp_stream * stream : all) stream->close();
  }

  uint16_t port() const { return listener_->port(); }

 private:
  // Registers a connection while it lives.
  class Place {
   public:
    Place(std::shared_ptr<Impl> impl, beast::tcp_stream& stream) : impl_(std::move(impl)) {
      at_ = impl_->streams_.insert(impl_->streams_.end(), &stream);
    }
    ~Place() { impl_->streams_.erase(at_); }
    Place(const Place&) = delete;
    Place& operator=(const Place&) = delete;

   private:
    std::shared_ptr<Impl> impl_;
    std::list<beast::tcp_stream*>::iterator at_;
  };

  void accepted(net::Accepted accepted) {
    bool v6 = accepted.address.find(':') != std::string::npos;
    asio::ip::tcp::socket socket(executor_);
    socket.assign(v6 ? asio::ip::tcp::v6() : asio::ip::tcp::v4(), accepted.fd);
    if (stopped_) return;
    if (streams_.size() >= options_.max_connections) return warn_of_many(accepted);
    auto serving = serve(shared_from_this(), std::move(socket));
    asio::co_spawn(executor_, std::move(serving), asio::detached);
  }

  void warn_of_many(const net::Accepted& accepted) {
    int64_t now_ms = clock_.monotonic_ms();
    if (now_ms - warned_ms_ < kWarnEveryMs) return;
    warned_ms_ = now_ms;
    LOG_WARN(options_.logger, "{} closes the connection of /{}: there are {} already", options_.name,
             accepted.peer(), streams_.size());
  }

  // `self` keeps all this alive while the connection is served.
  static asio::awaitable<void> serve(std::shared_ptr<Impl> self, asio::ip::tcp::socket socket) {
    beast::tcp_stream stream(std::move(socket));
    Place place(self, stream);
    beast::flat_buffer buffer(self->options_.max_request_bytes);
    bool more = true;
    while (more && !self->stopped_) {
      Parser parser;
      parser.header_limit(static_cast<uint32_t>(self->options_.max_request_bytes));
      parser.body_limit(self->options_.max_request_bytes);
      stream.expires_after(std::chrono::milliseconds(self->options_.idle_ms));
      auto [error, size] = co_await bhttp::async_read_header(stream, buffer, parser, runtime::kAsTuple);
      if (error && status_of(error) == 0) break;
      Answer answer = error ? self->refuse(status_of(error)) : self->answer(parser.get());
      more = answer.keep_alive();
      size_t bytes = answer.body().size();
      self->answer_bytes_ += bytes;
      stream.expires_after(std::chrono::milliseconds(self->options_.idle_ms));
      bhttp::response_serializer<bhttp::string_body> serializer(answer);
      bool head = !error && parser.get().method() == bhttp::verb::head;
      beast::error_code written;
      if (head) {
        auto [failed, count] = co_await bhttp::async_write_header(stream, serializer, runtime::kAsTuple);
        written = failed;
      } else {
        auto [failed, count] = co_await bhttp::async_write(stream, serializer, runtime::kAsTuple);
        written = failed;
      }
      self->answer_bytes_ -= bytes;
      if (written) break;
    }
    beast::error_code ignored;
    stream.socket().shutdown(asio::ip::tcp::socket::shutdown_send, ignored);
  }

  Answer refuse(int status) {
    Response response = plain(status, "This is no request that can be answered\n");
    return make_answer(std::move(response), 11, false, clock_.wall_ms());
  }

  Answer answer(const bhttp::request<bhttp::empty_body>& request) {
    // a body is not read, so that nothing can follow on this connection
    bool body = request.has_content_length() ? request[bhttp::field::content_length] != "0"
                                             : request.chunked();
    bool keep_alive = request.keep_alive() && !body;
    auto make = [&](Response response) {
      return make_answer(std::move(response), request.version(), keep_alive, clock_.wall_ms());
    };
    if (request.method() == bhttp::verb::options) {
      Answer answer = make(Response());
      answer.set(bhttp::field::allow, "GET, HEAD, OPTIONS");
      return answer;
    }
    if (request.method() == bhttp::verb::unknown) return make(plain(501, "Unknown method\n"));
    if (request.method() != bhttp::verb::get && request.method() != bhttp::verb::head) {
      Answer answer = make(plain(405, "Only GET and HEAD are answered\n"));
      answer.set(bhttp::field::allow, "GET, HEAD, OPTIONS");
      return answer;
    }
    Request asked;
    if (!read_target({request.target().data(), request.target().size()}, asked)) {
      return make(plain(400, "This is no path\n"));
    }
    if (answer_bytes_ > options_.max_answer_bytes) {
      return make(plain(503, "Too many answers are on the way\n"));
    }
    return make(handler_(asked));
  }

  asio::any_io_executor executor_;
  const ServerOptions options_;
  const Clock& clock_;
  Handler handler_;
  std::unique_ptr<net::Listener> listener_;
  std::list<beast::tcp_stream*> streams_;  // of the connections that are served
  size_t answer_bytes_ = 0;
  int64_t warned_ms_ = INT64_MIN / 2;
  bool stopped_ = false;
};

Result<std::unique_ptr<Server>> Server::open(asio::any_io_executor executor, ServerOptions options,
                                             const Clock& clock, Handler handler) {
  auto impl = std::make_shared<Impl>(std::move(executor), std::move(options), clock, std::move(handler));
  if (auto opened = impl->open(); !opened) return opened.error();
  return std::unique_ptr<Server>(new Server(std::move(impl)));
}

Server::~Server() { stop(); }

Result<void> Server::start() { return impl_->start(); }
void Server::stop() { impl_->stop(); }
uint16_t Server::port() const { return impl_->port(); }

}  // namespace odradek::http
