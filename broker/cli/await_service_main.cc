// await-service kafka|zookeeper PID NAME OUTPUT SECONDS
// Comes back when the process PID answers on a port of its own, and says so; or with status 1 when
// it ended or does not answer in time, with the last lines of its output. For the start scripts;
// only ports that PID itself listens on count, so that another server on the same port is never
// taken for it.

#include <arpa/inet.h>
#include <dirent.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <optional>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "broker/cli/kafka_connection.h"
#include "common/cli/socket.h"
#include "common/cli/text.h"

namespace odradek::broker::cli {
namespace {

using odradek::cli::now_ms;

// The system's table of sockets is dear to read: a service that takes its time is looked at less often.
constexpr int64_t kMinPauseMs = 10;
constexpr int64_t kMaxPauseMs = 250;
constexpr int64_t kAskMs = 2000;
constexpr size_t kLastLines = 12;

struct Listener {
  std::string host;
  int port = 0;
};

std::string text_of(const std::string& file) {
  std::ifstream in(file, std::ios::binary);
  std::stringstream text;
  text << in.rdbuf();
  return text.str();
}

// Gone, or a zombie that nobody has waited for.
bool has_ended(pid_t pid) {
  if (kill(pid, 0) != 0 && errno == ESRCH) return true;
  std::string stat = text_of("/proc/" + std::to_string(pid) + "/stat");
  size_t at = stat.rfind(") ");
  return at == std::string::npos || stat[at + 2] == 'Z';
}

// Inodes of the sockets that the process holds.
std::set<std::string> sockets_of(pid_t pid) {
  std::set<std::string> found;
  std::string folder = "/proc/" + std::to_string(pid) + "/fd";
  DIR* directory = opendir(folder.c_str());
  if (!directory) return found;
  while (const dirent* entry = readdir(directory)) {
    char target[64];
    ssize_t size = readlink((folder + "/" + entry->d_name).c_str(), target, sizeof target);
    if (size > 9 && std::memcmp(target, "socket:[", 8) == 0)
      found.emplace(target + 8, static_cast<size_t>(size) - 9);
  }
  closedir(directory);
  return found;
}

// "0100007F:2384" of /proc/net/tcp: words of the address in host order, the port in hex.
std::optional<Listener> parse_local(const std::string& text, bool v6) {
  size_t colon = text.find(':');
  if (colon == std::string::npos) return std::nullopt;
  Listener listener;
  listener.port = static_cast<int>(std::stoul(text.substr(colon + 1), nullptr, 16));
  uint32_t words[4] = {};
  size_t n = v6 ? 4 : 1;
  bool any = true;
  for (size_t i = 0; i < n; ++i) {
    words[i] = static_cast<uint32_t>(std::stoul(text.substr(8 * i, 8), nullptr, 16));
    any = any && words[i] == 0;
  }
  char address[INET6_ADDRSTRLEN];
  inet_ntop(v6 ? AF_INET6 : AF_INET, words, address, sizeof address);
  listener.host = any ? (v6 ? "localhost" : "127.0.0.1") : address;
  return listener;
}

std::vector<Listener> listeners_of(pid_t pid) {
  std::vector<Listener> found;
  auto sockets = sockets_of(pid);
  for (bool v6 : {false, true}) {
    std::istringstream table(text_of(v6 ? "/proc/net/tcp6" : "/proc/net/tcp"));
    std::string line;
    std::getline(table, line);
    while (std::getline(table, line)) {
      std::istringstream fields(line);
      std::string number, local, remote, state, queues, timer, retransmits, uid, timeout, inode;
      fields >> number >> local >> remote >> state >> queues >> timer >> retransmits >> uid >>
          timeout >> inode;
      if (state != "0A" || !sockets.contains(inode)) continue;
      if (auto listener = parse_local(local, v6)) found.push_back(*listener);
    }
  }
  return found;
}

bool kafka_answers(const Listener& listener) {
  auto link =
      KafkaConnection::open(listener.host, listener.port, "await-service", now_ms() + kAskMs);
  return link && link->negotiate(now_ms() + kAskMs).ok();
}

// Any answer will do, also that the word is not on the whitelist.
bool zookeeper_answers(const Listener& listener) {
  auto socket = odradek::cli::Socket::connect(listener.host, listener.port, now_ms() + kAskMs);
  return socket && socket->send("ruok", now_ms() + kAskMs).ok() &&
         socket->receive(4, now_ms() + kAskMs).ok();
}

void print_last_lines(const std::string& file) {
  auto lines = odradek::cli::split(text_of(file), '\n');
  while (!lines.empty() && lines.back().empty()) lines.pop_back();
  size_t from = lines.size() > kLastLines ? lines.size() - kLastLines : 0;
  for (size_t i = from; i < lines.size(); ++i) std::fprintf(stderr, "  %s\n", lines[i].c_str());
}

int run(int argc, char** argv) {
  if (argc != 6) {
    std::fputs("usage: await-service kafka|zookeeper PID NAME OUTPUT SECONDS\n", stderr);
    return 2;
  }
  bool kafka = std::strcmp(argv[1], "kafka") == 0;
  auto pid = static_cast<pid_t>(odradek::cli::parse_int(argv[2]).value_or(0));
  std::string name = argv[3];
  std::string output = argv[4];
  const int64_t started = now_ms();
  int64_t until = started + odradek::cli::parse_int(argv[5]).value_or(30) * 1000;
  while (!has_ended(pid)) {
    for (const auto& listener : listeners_of(pid)) {
      if (!(kafka ? kafka_answers(listener) : zookeeper_answers(listener))) continue;
      std::printf("%s runs: pid %d, port %d, output in %s\n", name.c_str(), pid, listener.port,
                  output.c_str());
      return 0;
    }
    if (now_ms() >= until) {
      std::fprintf(stderr,
                   "%s (pid %d) does not answer yet; it goes on trying. Its last lines, from %s:\n",
                   name.c_str(), pid, output.c_str());
      print_last_lines(output);
      return 1;
    }
    odradek::cli::sleep_ms(std::clamp((now_ms() - started) / 20, kMinPauseMs, kMaxPauseMs));
  }
  std::fprintf(stderr, "%s did not start. Its last lines, from %s:\n", name.c_str(),
               output.c_str());
  print_last_lines(output);
  return 1;
}

}  // namespace
}  // namespace odradek::broker::cli

int main(int argc, char** argv) { return odradek::broker::cli::run(argc, argv); }
