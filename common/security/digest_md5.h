#pragma once
// SASL DIGEST-MD5 (RFC 2831), the server's side, as the JVM's mechanism does it: one realm, quality
// of protection "auth", no reauthentication. One object serves one login; it belongs to its
// connection.

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "common/result.h"

namespace odradek::security {

struct DigestMd5Options {
  std::string protocol = "zookeeper";  // of digest-uri: protocol/server_name
  std::string server_name = "zk-sasl-md5";  // the realm too
  // Of a user in UTF-8; nothing where there is no such user.
  std::function<std::optional<std::string>(const std::string& user)> password;
  // Random and printable, of one use; empty: 30 bytes of the system's random source in base64.
  std::string nonce;
};

class DigestMd5Server {
 public:
  explicit DigestMd5Server(DigestMd5Options options);

  // The answer to the client's next token: first the challenge, whatever the token holds, then
  // rspauth. auth_failed otherwise, with the reason for the log; the client may only begin anew.
  Result<std::string> step(std::string_view token);

  bool complete() const { return state_ == State::complete; }
  // Who logged in; an authorization id that the client names is passed over, as ZooKeeper does.
  const std::string& user() const { return user_; }

 private:
  enum class State { begin, challenged, complete, failed };
  Result<std::string> check(std::string_view response);

  DigestMd5Options options_;
  State state_ = State::begin;
  std::string user_;
};

}  // namespace odradek::security
