#include "coordinator/server/peer_guard.h"

#include <arpa/inet.h>
#include <unistd.h>

#include <charconv>
#include <cstring>
#include <fstream>
#include <sstream>

#include "common/format.h"

namespace odradek::coordinator::server {

namespace {

constexpr std::string_view kEstablished = "01";
constexpr std::string_view kMappedV4("\0\0\0\0\0\0\0\0\0\0\xff\xff", 12);

void undress(std::string& bytes) {
  if (bytes.starts_with(kMappedV4)) bytes.erase(0, kMappedV4.size());
}

struct TableAddress {
  std::string bytes;
  uint32_t port = 0;
};

// "0100007F:1F90". The table has each word of four bytes as the machine's own number, in upper case hex.
std::optional<TableAddress> parse_table_address(std::string_view text) {
  size_t colon = text.find(':');
  if (colon != 8 && colon != 32) return std::nullopt;
  TableAddress address;
  std::from_chars(text.data() + colon + 1, text.data() + text.size(), address.port, 16);
  std::string_view hex = text.substr(0, colon);
  for (; !hex.empty(); hex.remove_prefix(8)) {
    uint32_t word = 0;
    auto [end, error] = std::from_chars(hex.data(), hex.data() + 8, word, 16);
    if (error != std::errc() || end != hex.data() + 8) return std::nullopt;
    char raw[sizeof word];
    std::memcpy(raw, &word, sizeof word);
    address.bytes.append(raw, sizeof raw);
  }
  undress(address.bytes);
  return address;
}

void replace_all(std::string& text, std::string_view from, std::string_view to) {
  for (size_t at; (at = text.find(from)) != std::string::npos;) text.replace(at, from.size(), to);
}

std::string read_table(const char* path) {
  std::ifstream in(path);
  std::stringstream text;
  text << in.rdbuf();
  return text.str();
}

}  // namespace

bool PeerAddress::loopback() const {
  if (bytes.size() == 4) return bytes[0] == 127;
  return bytes == std::string(15, '\0') + '\x01';
}

std::optional<PeerAddress> parse_peer(std::string_view peer) {
  size_t kind_end = peer.find(':');
  size_t port_begin = peer.rfind(':');
  if (kind_end == std::string_view::npos || port_begin <= kind_end) return std::nullopt;
  std::string_view kind = peer.substr(0, kind_end);
  std::string host(peer.substr(kind_end + 1, port_begin - kind_end - 1));
  replace_all(host, "%5B", "[");
  replace_all(host, "%5D", "]");
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  std::string_view port = peer.substr(port_begin + 1);
  PeerAddress address;
  auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), address.port);
  if (error != std::errc() || end != port.data() + port.size()) return std::nullopt;
  int family = kind == "ipv4" ? AF_INET : AF_INET6;
  address.bytes.resize(kind == "ipv4" ? 4 : 16);
  if (kind != "ipv4" && kind != "ipv6") return std::nullopt;
  if (inet_pton(family, host.c_str(), address.bytes.data()) != 1) return std::nullopt;
  undress(address.bytes);
  return address;
}

std::optional<uint32_t> owner_in_table(std::string_view table, const PeerAddress& peer,
                                       uint16_t our_port) {
  std::istringstream lines{std::string(table)};
  std::string line;
  std::getline(lines, line);  // the names of the columns
  while (std::getline(lines, line)) {
    std::istringstream words(line);
    std::string number, local, remote, state, queues, timer, retransmits;
    uint32_t uid = 0;
    if (!(words >> number >> local >> remote >> state >> queues >> timer >> retransmits >> uid)) {
      continue;
    }
    auto from = parse_table_address(local);
    auto to = parse_table_address(remote);
    if (state != kEstablished || !from || !to) continue;
    if (from->bytes == peer.bytes && from->port == peer.port && to->port == our_port) return uid;
  }
  return std::nullopt;
}

Result<void> allow_admin(std::string_view peer, uint16_t our_port) {
  auto address = parse_peer(peer);
  if (!address || !address->loopback()) {
    return Error(Errc::permission_denied,
                 odradek::format("{} is not on this machine: run coordinator-admin beside the "
                                 "coordinator, with localhost as its server",
                                 peer));
  }
  std::optional<uint32_t> uid;
  for (const char* path : {"/proc/net/tcp", "/proc/net/tcp6"}) {
    if (!uid) uid = owner_in_table(read_table(path), *address, our_port);
  }
  if (uid && (*uid == 0 || *uid == geteuid())) return {};
  return Error(Errc::permission_denied,
               uid ? odradek::format("user {} may not administer a coordinator that user {} runs: be "
                                     "that user, or root",
                                     *uid, geteuid())
                   : odradek::format("the system does not tell whose connection {} is", peer));
}

}  // namespace odradek::coordinator::server
