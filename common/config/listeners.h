#pragma once
// listeners, advertised.listeners, listener.security.protocol.map and inter.broker.listener.name,
// by Kafka's rules (KIP-103), with the settings of Kafka 2.5 that came before them (host.name,
// port, advertised.host.name, ...).

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "common/config/settings.h"

namespace odradek::config {

enum class SecurityProtocol : int8_t { plaintext = 0, ssl = 1, sasl_plaintext = 2, sasl_ssl = 3 };

std::string_view name_of(SecurityProtocol protocol);

struct Endpoint {
  std::string listener_name;  // upper case
  SecurityProtocol protocol = SecurityProtocol::plaintext;
  // Of a listener: empty is every address. Of an advertised one: empty is the machine's own name.
  std::string host;
  uint16_t port = 0;  // 0: any free one; advertised, the one that the listener got

  // "PLAINTEXT://host:9092", an IPv6 address in brackets.
  std::string to_string() const;
  bool operator==(const Endpoint&) const = default;
};

struct Listeners {
  std::vector<Endpoint> listeners;
  std::vector<Endpoint> advertised;  // a part of the names above, at least the inter-broker one
  std::string inter_broker_name;

  const Endpoint* find(std::string_view listener_name) const;
  const Endpoint* find_advertised(std::string_view listener_name) const;
};

// bad_setting with file and line. A listener that is not PLAINTEXT stops the start as well.
Result<Listeners> parse_listeners(const Settings& settings);

}  // namespace odradek::config
