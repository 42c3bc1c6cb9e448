#include "broker/metadata/connect_string.h"

#include <charconv>

namespace odradek::broker::metadata {

namespace {

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  return text;
}

// "host", "host:port", "[::1]", "[::1]:port" or a bare IPv6 address.
Result<std::string> host_and_port(std::string_view text) {
  auto wrong = [&] {
    return Error(Errc::bad_setting,
                 "zookeeper.connect: '" + std::string(text) +
                     "' is not a host, or a host and a port of 1 to 65535, as in localhost:2181");
  };
  std::string_view host = text, port = "2181";
  size_t colon = text.rfind(':');
  bool bracketed = text.starts_with('[');
  if (bracketed) {
    size_t end = text.find(']');
    if (end == std::string_view::npos) return wrong();
    host = text.substr(0, end + 1);
    if (end + 1 < text.size()) {
      if (text[end + 1] != ':') return wrong();
      port = text.substr(end + 2);
    }
  } else if (colon != std::string_view::npos && text.find(':') == colon) {
    host = text.substr(0, colon);
    port = text.substr(colon + 1);
  }
  int number = 0;
  auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), number);
  if (host.empty() || error != std::errc() || end != port.data() + port.size() || number < 1 ||
      number > 65535) {
    return wrong();
  }
  bool bare_ipv6 = !bracketed && host.find(':') != std::string_view::npos;
  return (bare_ipv6 ? "[" + std::string(host) + "]" : std::string(host)) + ":" +
         std::to_string(number);
}

}  // namespace

Result<ConnectString> parse_connect_string(std::string_view text) {
  ConnectString connect;
  text = trimmed(text);
  size_t slash = text.find('/');
  if (slash != std::string_view::npos) {
    connect.chroot = std::string(text.substr(slash));
    while (connect.chroot.ends_with('/')) connect.chroot.pop_back();
    text = text.substr(0, slash);
  }
  while (!text.empty()) {
    size_t comma = text.find(',');
    std::string_view part = trimmed(text.substr(0, comma));
    text = comma == std::string_view::npos ? std::string_view() : text.substr(comma + 1);
    if (part.empty()) continue;
    auto host = host_and_port(part);
    if (!host) return host.error();
    connect.hosts.push_back(std::move(*host));
  }
  if (connect.hosts.empty()) {
    return Error(Errc::bad_setting,
                 "zookeeper.connect names no host: it is host:port, or several with commas, and "
                 "then maybe a chroot, as in localhost:2181/kafka");
  }
  return connect;
}

}  // namespace odradek::broker::metadata
