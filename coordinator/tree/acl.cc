#include "coordinator/tree/acl.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

namespace odradek::coordinator::tree {

namespace {

struct Address {
  std::array<uint8_t, 16> bytes{};
  int bits = 0;  // 32 or 128
};

std::optional<Address> parse_address(std::string_view text) {
  std::string copy(text);
  Address address;
  if (inet_pton(AF_INET, copy.c_str(), address.bytes.data()) == 1) {
    address.bits = 32;
    return address;
  }
  if (inet_pton(AF_INET6, copy.c_str(), address.bytes.data()) == 1) {
    address.bits = 128;
    return address;
  }
  return std::nullopt;
}

struct Range {
  Address address;
  int bits = 0;
};

std::optional<Range> parse_range(std::string_view expression) {
  size_t slash = expression.find('/');
  auto address = parse_address(expression.substr(0, slash));
  if (!address) return std::nullopt;
  Range range{*address, address->bits};
  if (slash != std::string_view::npos) {
    std::string_view digits = expression.substr(slash + 1);
    auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), range.bits);
    if (error != std::errc() || end != digits.data() + digits.size()) return std::nullopt;
    if (range.bits < 0 || range.bits > address->bits) return std::nullopt;
  }
  return range;
}

Error invalid(const char* why) { return Error(Errc::invalid_acl, why); }

void add_once(Acl& acl, AclEntry entry) {
  if (std::find(acl.begin(), acl.end(), entry) == acl.end()) acl.push_back(std::move(entry));
}

// user:digest, each part once and not empty behind the colon
bool valid_digest(std::string_view id) {
  size_t colon = id.find(':');
  return colon != std::string_view::npos && colon + 1 < id.size() &&
         id.find(':', colon + 1) == std::string_view::npos;
}

}  // namespace

bool valid_ip_expression(std::string_view expression) {
  return parse_range(expression).has_value();
}

bool ip_matches(std::string_view address_text, std::string_view expression) {
  auto address = parse_address(address_text);
  auto range = parse_range(expression);
  if (!address || !range || address->bits != range->address.bits) return false;
  for (int bit = 0; bit < range->bits; bit += 8) {
    int rest = range->bits - bit;
    uint8_t mask = rest >= 8 ? 0xff : static_cast<uint8_t>(0xff << (8 - rest));
    if ((address->bytes[bit / 8] ^ range->address.bytes[bit / 8]) & mask) return false;
  }
  return true;
}

Result<Acl> fix_acl(const Acl& acl, const AuthInfo& auth) {
  if (acl.empty()) return invalid("the ACL is empty");
  Acl fixed;
  for (const AclEntry& entry : acl) {
    const auto& [scheme, id] = entry.who;
    if (scheme == "world") {
      if (id != "anyone") return invalid("world has anyone only");
      add_once(fixed, entry);
    } else if (scheme == "auth") {
      bool found = false;
      for (const Identity& identity : auth.identities) {
        if (identity.scheme != "digest") continue;  // an address is not an authentication
        found = true;
        add_once(fixed, AclEntry(entry.perms, identity));
      }
      if (!found) return invalid("scheme auth without an authenticated identity");
    } else if (scheme == "digest") {
      if (!valid_digest(id)) return invalid("digest wants user:digest");
      add_once(fixed, entry);
    } else if (scheme == "ip") {
      if (!valid_ip_expression(id)) return invalid("ip wants address or address/bits");
      add_once(fixed, entry);
    } else {
      return invalid("unknown scheme");
    }
  }
  return fixed;
}

bool allowed(const Acl& acl, int32_t perms, const AuthInfo& auth) {
  if (auth.internal || acl.empty()) return true;
  for (const Identity& identity : auth.identities) {
    if (identity.scheme == "super") return true;
  }
  for (const AclEntry& entry : acl) {
    if (!(entry.perms & perms)) continue;
    if (entry.who.scheme == "world" && entry.who.id == "anyone") return true;
    for (const Identity& identity : auth.identities) {
      if (identity.scheme != entry.who.scheme) continue;
      if (identity.scheme == "ip" ? ip_matches(identity.id, entry.who.id)
                                  : identity.id == entry.who.id) {
        return true;
      }
    }
  }
  return false;
}

}  // namespace odradek::coordinator::tree
