#include "coordinator/server/auth.h"

#include <openssl/evp.h>

#include <algorithm>

#include "common/bytes/text_codec.h"
#include "common/bytes/utf8.h"
#include "coordinator/server/auth_settings.h"

namespace odradek::coordinator::server {

namespace {

// Java's names in OpenSSL's spelling: SHA-256 is SHA256, SHA-512/256 is SHA512-256, SHA3-256 is
// itself.
const EVP_MD* hash_named(std::string name) {
  std::transform(name.begin(), name.end(), name.begin(),
                 [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  if (name == "SHA") name = "SHA1";
  if (name.starts_with("SHA-")) name.erase(3, 1);
  std::replace(name.begin(), name.end(), '/', '-');
  return EVP_get_digestbyname(name.c_str());
}

}  // namespace

std::optional<std::string> digest_id(std::string_view user_and_password,
                                     const std::string& algorithm) {
  const EVP_MD* hash = hash_named(algorithm);
  unsigned char bytes[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  if (!hash || EVP_Digest(user_and_password.data(), user_and_password.size(), bytes, &size, hash,
                          nullptr) != 1) {
    return std::nullopt;
  }
  std::string id(user_and_password.substr(0, user_and_password.find(':')));
  return id + ":" + base64_encode(ByteView(reinterpret_cast<const char*>(bytes), size));
}

std::optional<std::vector<tree::Identity>> authenticate(const std::string& scheme,
                                                        const std::optional<std::string>& data,
                                                        const std::string& peer_address,
                                                        const AuthSettings& settings) {
  std::vector<tree::Identity> identities;
  if (scheme == "ip") {
    identities.emplace_back("ip", peer_address);
    return identities;
  }
  if (scheme != "digest" || !settings.schemes.digest || !data) return std::nullopt;
  auto id = digest_id(replace_malformed(*data), settings.digest_algorithm);
  if (!id) return std::nullopt;
  if (!settings.super_digest.empty() && *id == settings.super_digest) {
    identities.emplace_back("super", "");
  }
  identities.emplace_back("digest", *std::move(id));
  return identities;
}

}  // namespace odradek::coordinator::server
