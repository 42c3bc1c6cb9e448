#include "coordinator/server/auth.h"

#include <openssl/evp.h>
#include <openssl/sha.h>

namespace odradek::coordinator::server {

std::string digest_id(std::string_view user_and_password) {
  unsigned char hash[SHA_DIGEST_LENGTH];
  SHA1(reinterpret_cast<const unsigned char*>(user_and_password.data()), user_and_password.size(),
       hash);
  unsigned char text[4 * ((SHA_DIGEST_LENGTH + 2) / 3) + 1];
  int size = EVP_EncodeBlock(text, hash, SHA_DIGEST_LENGTH);
  std::string id(user_and_password.substr(0, user_and_password.find(':')));
  id += ':';
  id.append(reinterpret_cast<const char*>(text), static_cast<size_t>(size));
  return id;
}

std::optional<std::vector<tree::Identity>> authenticate(const std::string& scheme,
                                                        const std::optional<Bytes>& data,
                                                        const std::string& peer_address,
                                                        const std::string& super_digest) {
  std::vector<tree::Identity> identities;
  if (scheme == "ip") {
    identities.emplace_back("ip", peer_address);
  } else if (scheme == "digest") {
    if (!data) return std::nullopt;
    std::string id = digest_id(*data);
    if (!super_digest.empty() && id == super_digest) identities.emplace_back("super", "");
    identities.emplace_back("digest", std::move(id));
  } else {
    return std::nullopt;
  }
  return identities;
}

}  // namespace odradek::coordinator::server
