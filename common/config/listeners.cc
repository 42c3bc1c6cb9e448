#include "common/config/listeners.h"

#include <algorithm>
#include <map>
#include <optional>

#include "common/config/values.h"

namespace odradek::config {
namespace {

using ProtocolMap = std::map<std::string, SecurityProtocol, std::less<>>;

std::string upper(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return out;
}

std::optional<SecurityProtocol> find_protocol(std::string_view name) {
  for (auto protocol : {SecurityProtocol::plaintext, SecurityProtocol::ssl,
                        SecurityProtocol::sasl_plaintext, SecurityProtocol::sasl_ssl}) {
    if (name_of(protocol) == name) return protocol;
  }
  return std::nullopt;
}

bool is_host_character(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) || c == '-' || c == '%' || c == '.' ||
         c == '_' || c == ':';
}

// "NAME://host:port".
std::optional<Endpoint> parse_endpoint(std::string_view text) {
  size_t scheme = text.find("://");
  size_t colon = text.rfind(':');
  if (scheme == 0 || scheme == std::string_view::npos || colon <= scheme + 2) return std::nullopt;
  Endpoint endpoint;
  endpoint.listener_name = upper(text.substr(0, scheme));
  std::string_view host = text.substr(scheme + 3, colon - scheme - 3);
  if (host.starts_with('[') != host.ends_with(']')) return std::nullopt;
  if (host.starts_with('[')) host = host.substr(1, host.size() - 2);
  if (!std::all_of(host.begin(), host.end(), is_host_character)) return std::nullopt;
  endpoint.host = host;
  auto port = parse_integer(text.substr(colon + 1));
  if (!port || *port < 0 || *port > 65535) return std::nullopt;
  endpoint.port = static_cast<uint16_t>(*port);
  return endpoint;
}

Result<ProtocolMap> parse_map(const Settings& settings) {
  constexpr std::string_view kKey = "listener.security.protocol.map";
  ProtocolMap map;
  for (const std::string& part : parse_list(settings.get_string(kKey))) {
    size_t colon = part.rfind(':');
    auto protocol = colon == std::string::npos
                        ? std::nullopt
                        : find_protocol(upper(trim(std::string_view(part).substr(colon + 1))));
    if (!protocol || colon == 0) {
      return settings.refuse(
          kKey,
          "expected NAME:PROTOCOL, separated by commas, where the protocol is PLAINTEXT, SSL, "
          "SASL_PLAINTEXT or SASL_SSL");
    }
    std::string name = upper(trim(std::string_view(part).substr(0, colon)));
    if (!map.emplace(name, *protocol).second)
      return settings.refuse(kKey, "the name " + name + " is there twice");
  }
  return map;
}

Result<std::vector<Endpoint>> parse_list_of(const Settings& settings, std::string_view key,
                                            const ProtocolMap& map) {
  std::vector<Endpoint> endpoints;
  for (const std::string& part : settings.get_list(key)) {
    auto endpoint = parse_endpoint(part);
    if (!endpoint)
      return settings.refuse(
          key, "expected NAME://host:port, separated by commas, with a port up to 65535");
    auto protocol = map.find(endpoint->listener_name);
    if (protocol == map.end()) {
      return settings.refuse(key, "no security protocol is defined for the listener " +
                                      endpoint->listener_name +
                                      "; name it in listener.security.protocol.map");
    }
    endpoint->protocol = protocol->second;
    for (const Endpoint& other : endpoints) {
      if (other.listener_name == endpoint->listener_name) {
        return settings.refuse(key, "each listener needs a name of its own, but " +
                                        other.listener_name + " is there twice");
      }
    }
    endpoints.push_back(std::move(*endpoint));
  }
  return endpoints;
}

bool is_ipv6(const std::string& host) { return host.find(':') != std::string::npos; }

// KIP-797: one IPv4 and one IPv6 address may share a port.
bool share_port(const Endpoint& a, const Endpoint& b) {
  return a.port != 0 && a.port == b.port &&
         (a.host.empty() || b.host.empty() || is_ipv6(a.host) == is_ipv6(b.host));
}

Result<std::vector<Endpoint>> bound_endpoints(const Settings& settings, const ProtocolMap& map) {
  if (!settings.is_set("listeners") &&
      (settings.is_set("host.name") || settings.is_set("port"))) {  // Kafka 2.5
    Endpoint endpoint;
    endpoint.listener_name = "PLAINTEXT";
    endpoint.host = settings.find_string("host.name").value_or("");
    int32_t port = settings.get_int("port");
    if (port < 0 || port > 65535) return settings.refuse("port", "expected a port up to 65535");
    endpoint.port = static_cast<uint16_t>(port);
    auto protocol = map.find(endpoint.listener_name);
    if (protocol == map.end())
      return settings.refuse("listener.security.protocol.map", "PLAINTEXT is missing");
    endpoint.protocol = protocol->second;
    return std::vector<Endpoint>{endpoint};
  }
  auto endpoints = parse_list_of(settings, "listeners", map);
  if (!endpoints) return endpoints;
  if (endpoints->empty())
    return settings.refuse("listeners", "expected at least one NAME://host:port");
  for (size_t i = 0; i < endpoints->size(); ++i) {
    for (size_t j = 0; j < i; ++j) {
      if (share_port((*endpoints)[i], (*endpoints)[j])) {
        return settings.refuse("listeners", "each listener needs a port of its own, but " +
                                                std::to_string((*endpoints)[i].port) +
                                                " is there twice");
      }
    }
  }
  return endpoints;
}

Result<std::vector<Endpoint>> advertised_endpoints(const Settings& settings, const ProtocolMap& map,
                                                   const std::vector<Endpoint>& bound) {
  std::string_view key = "advertised.listeners";
  std::vector<Endpoint> endpoints = bound;
  bool old_style = settings.find_string("advertised.host.name").has_value() ||
                   settings.find_string("advertised.port").has_value();
  if (settings.find_string(key).has_value()) {
    auto parsed = parse_list_of(settings, key, map);
    if (!parsed) return parsed;
    if (parsed->empty()) return settings.refuse(key, "expected at least one NAME://host:port");
    endpoints = std::move(*parsed);
  } else if (old_style) {  // Kafka 2.5
    Endpoint& first = endpoints.front();
    if (auto host = settings.find_string("advertised.host.name")) first.host = *host;
    if (settings.find_string("advertised.port")) {
      int32_t port = settings.get_int("advertised.port");
      if (port < 1 || port > 65535)
        return settings.refuse("advertised.port", "expected a port from 1 to 65535");
      first.port = static_cast<uint16_t>(port);
    }
    endpoints.resize(1);
  } else {
    key = "listeners";
  }
  for (const Endpoint& endpoint : endpoints) {
    bool listens = std::any_of(bound.begin(), bound.end(), [&](const Endpoint& other) {
      return other.listener_name == endpoint.listener_name;
    });
    if (!listens)
      return settings.refuse(key,
                             "the listener " + endpoint.listener_name + " is not in listeners");
    if (endpoint.host == "0.0.0.0" || endpoint.host == "::") {
      return settings.refuse(
          key, "clients cannot connect to " + endpoint.host +
                   "; set advertised.listeners to a name or an address that reaches this machine");
    }
  }
  return endpoints;
}

}  // namespace

std::string_view name_of(SecurityProtocol protocol) {
  switch (protocol) {
    case SecurityProtocol::plaintext:
      return "PLAINTEXT";
    case SecurityProtocol::ssl:
      return "SSL";
    case SecurityProtocol::sasl_plaintext:
      return "SASL_PLAINTEXT";
    case SecurityProtocol::sasl_ssl:
      return "SASL_SSL";
  }
  return "PLAINTEXT";
}

std::string Endpoint::to_string() const {
  std::string shown = is_ipv6(host) ? "[" + host + "]" : host;
  return listener_name + "://" + shown + ":" + std::to_string(port);
}

const Endpoint* Listeners::find(std::string_view listener_name) const {
  for (const Endpoint& endpoint : listeners) {
    if (endpoint.listener_name == listener_name) return &endpoint;
  }
  return nullptr;
}

const Endpoint* Listeners::find_advertised(std::string_view listener_name) const {
  for (const Endpoint& endpoint : advertised) {
    if (endpoint.listener_name == listener_name) return &endpoint;
  }
  return nullptr;
}

Result<Listeners> parse_listeners(const Settings& settings) {
  auto map = parse_map(settings);
  if (!map) return map.error();
  auto bound = bound_endpoints(settings, *map);
  if (!bound) return bound.error();
  for (const Endpoint& endpoint : *bound) {
    if (endpoint.protocol != SecurityProtocol::plaintext) {
      std::string_view key =
          settings.is_set("listeners") ? "listeners" : "listener.security.protocol.map";
      return settings.refuse(
          key, "the listener " + endpoint.listener_name + " is to speak " +
                   std::string(name_of(endpoint.protocol)) +
                   ", which is not yet in effect; only PLAINTEXT listeners can be started");
    }
  }
  auto advertised = advertised_endpoints(settings, *map, *bound);
  if (!advertised) return advertised.error();
  Listeners listeners{std::move(*bound), std::move(*advertised), {}};

  auto name = settings.find_string("inter.broker.listener.name");
  if (name && !name->empty()) {
    if (settings.is_set("security.inter.broker.protocol")) {
      return settings.refuse("inter.broker.listener.name",
                             "only one of it and security.inter.broker.protocol may be set");
    }
    listeners.inter_broker_name = upper(*name);
    if (listeners.find_advertised(listeners.inter_broker_name) == nullptr) {
      return settings.refuse("inter.broker.listener.name",
                             "it must be one of the advertised listeners");
    }
    return listeners;
  }
  listeners.inter_broker_name = upper(settings.get_string("security.inter.broker.protocol"));
  if (listeners.find_advertised(listeners.inter_broker_name) == nullptr) {
    std::string_view key = settings.is_set("security.inter.broker.protocol")
                               ? "security.inter.broker.protocol"
                           : settings.is_set("advertised.listeners") ? "advertised.listeners"
                                                                     : "listeners";
    return settings.refuse(
        key, "no advertised listener is named " + listeners.inter_broker_name +
                 "; set inter.broker.listener.name to the one that brokers are to use");
  }
  return listeners;
}

}  // namespace odradek::config
