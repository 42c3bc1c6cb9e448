#include "coordinator/tree/acl.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <optional>

#include "coordinator/tree/java_number.h"

namespace odradek::coordinator::tree {

namespace {

struct Address {
  std::array<uint8_t, 16> bytes{};
  int bits = 0;  // 32 or 128
};

std::optional<Address> parse_v4(std::string_view text) {
  Address address;
  address.bits = 32;
  for (size_t i = 0; i < 4; ++i) {
    size_t dot = text.find('.');
    if ((dot == std::string_view::npos) != (i == 3)) return std::nullopt;
    auto part = java_number<int>(text.substr(0, dot));
    if (!part || *part < 0 || *part > 255) return std::nullopt;
    address.bytes[i] = static_cast<uint8_t>(*part);
    if (i < 3) text.remove_prefix(dot + 1);
  }
  return address;
}

// IPv6 since ZooKeeper 3.9; an address of 3.8 has it never.
std::optional<Address> parse_address(std::string_view text) {
  if (auto address = parse_v4(text)) return address;
  std::string copy(text);
  if (copy.find('\0') != std::string::npos) return std::nullopt;
  Address address;
  address.bits = 128;
  if (inet_pton(AF_INET6, copy.c_str(), address.bytes.data()) == 1) return address;
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
    auto bits = java_number<int>(expression.substr(slash + 1));
    if (!bits || *bits < 0 || *bits > address->bits) return std::nullopt;
    range.bits = *bits;
  }
  return range;
}

Error invalid(const char* why) { return Error(Errc::invalid_acl, why); }

void add_once(Acl& acl, AclEntry entry) {
  if (std::find(acl.begin(), acl.end(), entry) == acl.end()) acl.push_back(std::move(entry));
}

// user:digest. Empty parts at the end do not count, as in Java's split: "user:" is one part,
// "user:digest::" two.
bool valid_digest(std::string_view id) {
  while (id.ends_with(':')) id.remove_suffix(1);
  return std::count(id.begin(), id.end(), ':') == 1;
}

// A Kerberos principal, or any name without '@': service[/host]@realm.
bool valid_sasl_id(std::string_view id) {
  size_t at = id.find('@');
  if (at == std::string_view::npos) return true;
  std::string_view realm = id.substr(at + 1);
  std::string_view name = id.substr(0, at);
  return realm.find_first_of("/@") == std::string_view::npos &&
         std::count(name.begin(), name.end(), '/') <= 1;
}

bool provided(std::string_view scheme, const Schemes& schemes) {
  return scheme == "ip" || (scheme == "digest" && schemes.digest) ||
         (scheme == "sasl" && schemes.sasl);
}

bool valid_id(std::string_view scheme, std::string_view id) {
  if (scheme == "digest") return valid_digest(id);
  return scheme == "sasl" ? valid_sasl_id(id) : valid_ip_expression(id);
}

// Whether an identity is what an entry of its scheme names.
bool matches(const Identity& identity, const Identity& wanted, const Schemes& schemes) {
  if (identity.scheme == "ip") return ip_matches(identity.id, wanted.id);
  if (identity.id == wanted.id) return true;
  // the sasl user "super" passes every entry of its scheme
  return identity.scheme == "sasl" &&
         (identity.id == "super" ||
          (!schemes.any_sasl_user.empty() && wanted.id == schemes.any_sasl_user));
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

const Schemes& default_schemes() {
  static const Schemes schemes;
  return schemes;
}

Result<Acl> fix_acl(const Acl& acl, const AuthInfo& auth, const Schemes& schemes) {
  if (acl.empty()) return invalid("the ACL is empty");
  Acl unique;
  for (const AclEntry& entry : acl) add_once(unique, entry);
  Acl fixed;
  for (const AclEntry& entry : unique) {
    const auto& [scheme, id] = entry.who;
    if (scheme == "world" && id == "anyone") {
      fixed.push_back(entry);
    } else if (scheme == "auth") {
      bool found = false;
      for (const Identity& identity : auth.identities) {
        // an address is not an authentication
        if (identity.scheme == "ip" || !provided(identity.scheme, schemes)) continue;
        found = true;
        fixed.emplace_back(entry.perms, identity);
      }
      if (!found) return invalid("scheme auth without an authenticated identity");
    } else if (provided(scheme, schemes) && valid_id(scheme, id)) {
      fixed.push_back(entry);
    } else {
      return invalid("an unknown scheme, or an id that is none of its scheme");
    }
  }
  return fixed;
}

bool allowed(const Acl& acl, int32_t perms, const AuthInfo& auth, const Schemes& schemes) {
  if (auth.internal || acl.empty()) return true;
  for (const Identity& identity : auth.identities) {
    if (identity.scheme == "super") return true;
  }
  for (const AclEntry& entry : acl) {
    if (!(entry.perms & perms)) continue;
    if (entry.who.scheme == "world" && entry.who.id == "anyone") return true;
    if (!provided(entry.who.scheme, schemes)) continue;
    for (const Identity& identity : auth.identities) {
      if (identity.scheme == entry.who.scheme && matches(identity, entry.who, schemes)) return true;
    }
  }
  return false;
}

}  // namespace odradek::coordinator::tree
