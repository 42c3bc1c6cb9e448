#include "common/http/server.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <boost/asio/post.hpp>
#include <future>

#include "common/clock.h"
#include "common/runtime/shards.h"

namespace odradek::http {
namespace {

class Client {
 public:
  explicit Client(uint16_t port) {
    timeval patience{10, 0};
    fd_ = socket(AF_INET, SOCK_STREAM, 0);
    setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(port);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(connect(fd_, reinterpret_cast<sockaddr*>(&to), sizeof to), 0);
  }
  ~Client() { ::close(fd_); }
  void send(std::string_view bytes) {
    ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
  }
  // Until the server closes.
  std::string rest() {
    std::string all;
    char chunk[4096];
    ssize_t got;
    while ((got = recv(fd_, chunk, sizeof chunk, 0)) > 0) all.append(chunk, static_cast<size_t>(got));
    EXPECT_FALSE(got < 0 && errno == EAGAIN) << "the server does not close";
    return all;
  }
  // One answer with a Content-Length.
  std::string answer() {
    std::string all;
    char c;
    while (all.find("\r\n\r\n") == std::string::npos && recv(fd_, &c, 1, 0) == 1) all += c;
    size_t at = all.find("Content-Length: ");
    size_t left = at == std::string::npos ? 0 : std::stoul(all.substr(at + 16));
    for (; left > 0 && recv(fd_, &c, 1, 0) == 1; --left) all += c;
    return all;
  }

 private:
  int fd_;
};

class HttpServer : public ::testing::Test {
 protected:
  ~HttpServer() override { stop(); }
  void start() {
    options.host = "127.0.0.1";
    options.name = "test";
    options.setting = "test";
    auto opened = Server::open(loop.executor(0), options, clock, [](const Request& request) {
      if (request.path == "/long") return Response{200, "text/plain", std::string(3 << 20, 'x')};
      if (request.path != "/hello") return not_found(request.path);
      std::string body = "hello";
      for (const auto& [name, value] : request.query) body += " " + name + "=" + value;
      return Response{200, "text/plain", body};
    });
    ASSERT_TRUE(opened.ok()) << opened.error().what();
    server = *std::move(opened);
    ASSERT_TRUE(server->start().ok());
    loop.start();
  }
  void stop() {
    if (!server) return;
    std::promise<void> stopped;
    boost::asio::post(loop.executor(0), [&] {
      server->stop();
      stopped.set_value();
    });
    stopped.get_future().wait();
    loop.stop();
    server.reset();
  }
  std::string ask(std::string_view request) {
    Client client(server->port());
    client.send(request);
    return client.rest();
  }

  SystemClock clock;
  ServerOptions options;
  runtime::Shards loop{"http", 1};
  std::unique_ptr<Server> server;
};

TEST_F(HttpServer, AnswersAndKeepsTheConnection) {
  start();
  Client client(server->port());
  for (int i = 0; i < 3; ++i) {
    client.send("GET /hello?b=2&a=x%20y+z HTTP/1.1\r\nHost: here\r\n\r\n");
    std::string answer = client.answer();
    EXPECT_EQ(answer.find("HTTP/1.1 200 OK\r\n"), 0u) << answer;
    EXPECT_NE(answer.find("Content-Type: text/plain\r\n"), std::string::npos);
    EXPECT_NE(answer.find("Date: "), std::string::npos);
    EXPECT_TRUE(answer.ends_with("\r\n\r\nhello a=x y z b=2")) << answer;
  }
  client.send("GET /hello HTTP/1.1\r\n\r\nGET /hello HTTP/1.1\r\n\r\n");
  EXPECT_TRUE(client.answer().ends_with("hello")) << "two at once";
  EXPECT_TRUE(client.answer().ends_with("hello"));
}

TEST_F(HttpServer, SpeaksHttp10) {
  start();
  std::string answer = ask("GET /hello HTTP/1.0\r\n\r\n");
  EXPECT_EQ(answer.find("HTTP/1.0 200 OK\r\n"), 0u) << answer;
  EXPECT_TRUE(answer.ends_with("hello"));
}

TEST_F(HttpServer, HeadHasNoBody) {
  start();
  std::string answer = ask("HEAD /hello HTTP/1.1\r\nConnection: close\r\n\r\n");
  EXPECT_NE(answer.find("Content-Length: 5\r\n"), std::string::npos) << answer;
  EXPECT_TRUE(answer.ends_with("\r\n\r\n"));
}

TEST_F(HttpServer, SaysNoWhereItMust) {
  start();
  const std::pair<std::string, const char*> rows[] = {
      {"GET /none HTTP/1.1\r\nConnection: close\r\n\r\n", "HTTP/1.1 404 "},
      {"POST /hello HTTP/1.1\r\nContent-Length: 2\r\n\r\nab", "HTTP/1.1 405 "},
      {"DELETE /hello HTTP/1.1\r\nConnection: close\r\n\r\n", "HTTP/1.1 405 "},
      {"BREW /hello HTTP/1.1\r\nConnection: close\r\n\r\n", "HTTP/1.1 501 "},
      {"GET /%zz HTTP/1.1\r\nConnection: close\r\n\r\n", "HTTP/1.1 400 "},
      {"GET hello HTTP/1.1\r\nConnection: close\r\n\r\n", "HTTP/1.1 400 "},
      {"this is no HTTP\r\n\r\n", "HTTP/1.1 400 "},
      {"GET /hello HTTP/1.1\r\nX: " + std::string(20'000, 'x') + "\r\n\r\n", "HTTP/1.1 431 "},
      {"GET /hello HTTP/1.1\r\nContent-Length: 999999999\r\n\r\n", "HTTP/1.1 413 "},
      {"OPTIONS /hello HTTP/1.1\r\nConnection: close\r\n\r\n", "HTTP/1.1 200 "},
  };
  for (const auto& [request, begin] : rows) {
    std::string answer = ask(request);
    EXPECT_EQ(answer.find(begin), 0u) << request.substr(0, 40) << " -> " << answer;
  }
  EXPECT_NE(ask("PUT /hello HTTP/1.1\r\nConnection: close\r\n\r\n").find("Allow: GET, HEAD"),
            std::string::npos);
}

TEST_F(HttpServer, ClosesWhoDoesNothing) {
  options.idle_ms = 50;
  start();
  Client silent(server->port());
  EXPECT_EQ(silent.rest(), "");
  Client slow(server->port());
  slow.send("GET /hello HT");
  EXPECT_EQ(slow.rest(), "");
  Client kept(server->port());
  kept.send("GET /hello HTTP/1.1\r\n\r\n");
  EXPECT_TRUE(kept.answer().ends_with("hello"));
  EXPECT_EQ(kept.rest(), "");
}

TEST_F(HttpServer, LetsNoMoreIn) {
  options.max_connections = 2;
  start();
  Client one(server->port());
  Client two(server->port());
  one.send("GET /hello HTTP/1.1\r\n\r\n");
  two.send("GET /hello HTTP/1.1\r\n\r\n");
  EXPECT_NE(one.answer(), "");
  EXPECT_NE(two.answer(), "");
  Client three(server->port());
  EXPECT_EQ(three.rest(), "");
}

TEST_F(HttpServer, WhileAnswersAreNotTakenThereAreNoMore) {
  options.max_answer_bytes = 1 << 20;
  start();
  Client deaf(server->port());
  // eight of three megabytes: far more than the buffers of a socket take
  for (int i = 0; i < 8; ++i) deaf.send("GET /long HTTP/1.1\r\n\r\n");
  std::string answer;
  for (int i = 0; i < 1000 && answer.find("503") == std::string::npos; ++i) {
    answer = ask("GET /hello HTTP/1.1\r\nConnection: close\r\n\r\n");
  }
  EXPECT_EQ(answer.find("HTTP/1.1 503 "), 0u) << answer;
}

TEST_F(HttpServer, StopEndsConnections) {
  start();
  Client waiting(server->port());
  waiting.send("GET /hello HTTP/1.1\r\n\r\n");
  EXPECT_NE(waiting.answer(), "");
  std::promise<void> stopped;
  boost::asio::post(loop.executor(0), [&] {
    server->stop();
    stopped.set_value();
  });
  stopped.get_future().wait();
  EXPECT_EQ(waiting.rest(), "");
}

TEST_F(HttpServer, ATakenPortIsAnErrorWithARemedy) {
  start();
  ServerOptions same = options;
  same.port = server->port();
  same.setting = "admin.serverPort";
  auto second = Server::open(loop.executor(0), same, clock, [](const Request&) { return Response(); });
  ASSERT_FALSE(second.ok());
  EXPECT_NE(second.error().what().find("admin.serverPort"), std::string::npos);
}

TEST(Target, IsReadOrRefused) {
  Request request;
  EXPECT_TRUE(read_target("/a%2fb?x=1&x=2&y&=z&%41=%26", request));
  EXPECT_EQ(request.path, "/a/b");
  EXPECT_EQ(request.query,
            (std::map<std::string, std::string>{{"x", "1"}, {"y", ""}, {"A", "&"}}));
  for (const char* bad : {"", "a", "*", "http://host/a", "/%", "/%4", "/%g1", "/a?x=%"}) {
    EXPECT_FALSE(read_target(bad, request)) << bad;
  }
}

}  // namespace
}  // namespace odradek::http
