#include "coordinator/server/members.h"

#include <charconv>
#include <utility>
#include <vector>

#include "common/config/properties.h"
#include "common/config/settings.h"
#include "common/format.h"
#include "common/fs/real_file_system.h"

namespace odradek::coordinator::server {

namespace {

constexpr const char* kForm =
    "expected host:port:port, with :participant or :observer where it is said, and ;clientPort or "
    ";address:clientPort behind it, for example server.1=zk1.example.org:2888:3888;2181";

// "a:b:c"; the colons of "[::1]" do not part.
std::vector<std::string> split_host_and_ports(std::string_view text) {
  std::vector<std::string> parts(1);
  bool bracketed = false;
  for (char c : text) {
    if (c == '[' || c == ']') {
      bracketed = c == '[';
    } else if (c == ':' && !bracketed) {
      parts.emplace_back();
    } else {
      parts.back() += c;
    }
  }
  return parts;
}

std::optional<uint16_t> port_of(std::string_view text) {
  uint16_t port = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (error != std::errc() || end != text.data() + text.size() || port == 0) return std::nullopt;
  return port;
}

std::string lower(std::string text) {
  for (char& c : text) c = static_cast<char>(tolower(static_cast<unsigned char>(c)));
  return text;
}

struct Member {
  bool observer = false;
  std::optional<uint16_t> client_port;
  std::string client_address;
};

// Nothing where the text is no member.
std::optional<Member> read_member(std::string_view text) {
  Member member;
  size_t semicolon = text.find(';');
  auto server = split_host_and_ports(text.substr(0, semicolon));
  if (server.size() < 3 || server.size() > 4 || server[0].empty()) return std::nullopt;
  auto quorum = port_of(server[1]);
  auto election = port_of(server[2]);
  if (!quorum || !election || quorum == election) return std::nullopt;
  if (server.size() == 4) {
    std::string type = lower(server[3]);
    if (type != "participant" && type != "observer") return std::nullopt;
    member.observer = type == "observer";
  }
  if (semicolon == std::string_view::npos) return member;
  auto client = split_host_and_ports(text.substr(semicolon + 1));
  if (client.size() > 2) return std::nullopt;
  member.client_port = port_of(client.back());
  if (!member.client_port) return std::nullopt;
  if (client.size() == 2 && client.front() != "0.0.0.0") member.client_address = client.front();
  return member;
}

struct Line {
  std::string key;
  std::string value;
  std::string place;  // "FILE:LINE: KEY=VALUE"
};

bool is_member_key(std::string_view key) { return key.starts_with("server."); }

Result<std::vector<Line>> member_lines(const config::Settings& settings) {
  std::vector<Line> lines;
  for (const auto& [key, value] : settings.given()) {
    if (is_member_key(key) && settings.table().find(key) != nullptr) {
      lines.push_back({key, value, settings.place(key)});
    }
  }
  auto file = settings.find_string("dynamicConfigFile");
  if (!file || file->empty()) return lines;
  fs::RealFileSystem file_system;
  auto dynamic = config::Properties::read(file_system, *file);
  if (!dynamic) return settings.refuse("dynamicConfigFile", dynamic.error().what());
  for (const config::Property& each : dynamic->entries()) {
    if (!is_member_key(each.key)) continue;
    lines.push_back({each.key, each.value, dynamic->place(each) + ": " + each.key + "=" + each.value});
  }
  return lines;
}

Error refuse(const Line& line, std::string_view what) {
  return Error(Errc::bad_setting, odradek::format("{}: {}", line.place, what));
}

Error refuse_ensemble(const std::vector<Line>& lines) {
  return refuse(lines.front(),
                odradek::format("one of {} members of an ensemble, and this release runs as a "
                                "single server: leave the server.N lines out (each machine would "
                                "have a tree of its own), or stay with ZooKeeper for these members",
                                lines.size()));
}

}  // namespace

Result<Members> read_members(const config::Settings& settings) {
  auto lines = member_lines(settings);
  if (!lines) return lines.error();
  Members members;
  if (lines->empty()) return members;
  for (const Line& line : *lines) {
    if (!read_member(line.value)) return refuse(line, kForm);
  }
  if (lines->size() > 1) return refuse_ensemble(*lines);
  const Line& line = lines->front();
  Member only = *read_member(line.value);
  if (only.observer) {
    return refuse(line, "an observer alone has nobody to observe: a single server is a participant");
  }
  if (!settings.get_bool("standaloneEnabled")) {
    return refuse(line,
                  "standaloneEnabled=false asks for an ensemble, and this release runs as a single "
                  "server: remove one of the two lines");
  }
  members.single = true;
  members.client_port = only.client_port;
  members.client_address = only.client_address;
  if (only.client_port && settings.has("clientPort") &&
      settings.get_int("clientPort") != *only.client_port) {
    return refuse(line, odradek::format("its client port is not clientPort, {}: write the same one, "
                                        "or leave one of them out",
                                        settings.get_int("clientPort")));
  }
  return members;
}

}  // namespace odradek::coordinator::server
