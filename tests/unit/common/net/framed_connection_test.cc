// Real sockets on the loopback, one thread.
#include "common/net/framed_connection.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <cstdio>
#include <filesystem>
#include <thread>

#include "common/fs/real_file_system.h"
#include "common/net/listener.h"
#include "common/runtime/background.h"

namespace odradek::net {
namespace {

namespace asio = boost::asio;

struct Pair {
  Pair() {
    int fds[2];
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
    Accepted accepted;
    accepted.fd = fds[0];
    accepted.address = "127.0.0.1";
    accepted.port = 1;
    server = std::make_unique<FramedConnection>(loop.get_executor(), std::move(accepted), 1'000'000,
                                                clock, nullptr, nullptr);
    client = fds[1];
  }
  ~Pair() {
    if (client >= 0) ::close(client);
  }
  template <typename Task>
  void run(Task task) {
    asio::co_spawn(loop, std::move(task), asio::detached);
    loop.run();
    loop.restart();
  }

  asio::io_context loop{1};
  ManualClock clock;
  std::unique_ptr<FramedConnection> server;
  int client = -1;
};

TEST(FramedConnection, ReadsFramesAndTheEnd) {
  Pair pair;
  std::string stream("\0\0\0\3abc\0\0\0\2de", 13);
  ASSERT_EQ(::send(pair.client, stream.data(), stream.size(), 0), 13);
  ::close(std::exchange(pair.client, -1));
  std::vector<std::string> got;
  bool ended = false;
  auto read = [&]() -> asio::awaitable<void> {
    while (true) {
      auto frame = co_await pair.server->read_frame();
      EXPECT_TRUE(frame.ok());
      if (!frame || !frame->has_value()) break;
      got.emplace_back((*frame)->view());
    }
    ended = true;
  };
  pair.run(read());
  EXPECT_TRUE(ended);
  EXPECT_EQ(got, (std::vector<std::string>{"abc", "de"}));
}

TEST(FramedConnection, ACutFrameIsAnError) {
  Pair pair;
  ASSERT_EQ(::send(pair.client, "\0\0\0\7abc", 7, 0), 7);
  ::close(std::exchange(pair.client, -1));
  std::optional<Errc> code;
  auto read = [&]() -> asio::awaitable<void> {
    auto frame = co_await pair.server->read_frame();
    if (!frame) code = frame.error().code();
  };
  pair.run(read());
  EXPECT_EQ(code, Errc::malformed);
}

TEST(FramedConnection, SendsBytesAndFileRangesThroughASlowReader) {
  Pair pair;
  auto path =
      std::filesystem::temp_directory_path() / ("odradek-net-" + std::to_string(::getpid()));
  fs::RealFileSystem files;
  auto file = files.open(path.string(), fs::OpenMode::create);
  ASSERT_TRUE(file);
  std::string content;
  for (int i = 0; i < 400'000; ++i) content += static_cast<char>('a' + i % 26);
  ASSERT_TRUE((*file)->pwrite(content, 0));

  std::string received;
  std::thread reader([&] {
    char buffer[10'000];
    while (received.size() < 300'000 + 10) {
      ssize_t got = ::recv(pair.client, buffer, sizeof buffer, 0);
      if (got > 0) received.append(buffer, static_cast<size_t>(got));
      if (got == 0) break;
    }
  });
  bool sent = false;
  runtime::Background background("test", 1, 10);
  auto send = [&]() -> asio::awaitable<void> {
    std::vector<Piece> pieces;
    pieces.emplace_back(Bytes("head:"));
    pieces.emplace_back(FileRange{*file, 1000, 300'000});
    pieces.emplace_back(Bytes(":tail"));
    auto result = co_await pair.server->send(std::move(pieces));
    sent = result.ok();
  };
  pair.run(send());
  reader.join();
  EXPECT_TRUE(sent);
  EXPECT_EQ(received, "head:" + content.substr(1000, 300'000) + ":tail");
  std::filesystem::remove(path);
}

TEST(FramedConnection, CloseEndsAWaitingRead) {
  Pair pair;
  bool failed = false;
  auto read = [&]() -> asio::awaitable<void> {
    auto frame = co_await pair.server->read_frame();
    failed = !frame.ok();
  };
  asio::co_spawn(pair.loop, read(), asio::detached);
  asio::post(pair.loop, [&] { pair.server->close(); });
  pair.loop.run();
  EXPECT_TRUE(failed);
}

TEST(Listener, SaysThatAPortIsInUseAndWhatToDo) {
  asio::io_context loop;
  auto first = Listener::open(loop.get_executor(), "127.0.0.1", 0);
  ASSERT_TRUE(first);
  ASSERT_TRUE((*first)->start(5, [](Accepted accepted) { ::close(accepted.fd); }));
  auto second = Listener::open(loop.get_executor(), "127.0.0.1", (*first)->port());
  ASSERT_FALSE(second);
  EXPECT_NE(second.error().what().find("is in use by another program"), std::string::npos)
      << second.error().what();
  EXPECT_NE(second.error().what().find("listeners"), std::string::npos);
}

}  // namespace
}  // namespace odradek::net
