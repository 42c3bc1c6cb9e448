// How a client says who it is: the auth packet, SASL DIGEST-MD5, and what happens to one that says
// nothing where it must.

#include <algorithm>

#include "common/format.h"
#include "common/log/log.h"
#include "coordinator/server/auth.h"
#include "coordinator/server/client_connection.h"

namespace odradek::coordinator::server {

namespace {

using zookeeper::ErrorCode;

// Of one connection, with the address; and of one identity.
constexpr size_t kMaxIdentities = 100;
constexpr size_t kMaxIdentityBytes = 64 << 10;

// The token of an answer; null is none.
Answer token_answer(ErrorCode error, std::optional<std::string> token) {
  zookeeper::SetSASLResponse response;
  response.token = std::move(token);
  Answer answer = Answer::of(response);
  answer.error = error;
  return answer;
}

}  // namespace

bool ClientConnection::may_ask() const {
  const AuthSettings& auth = clients_.settings().auth;
  return !auth.enforce ||
         std::any_of(auth_->identities.begin(), auth_->identities.end(), [&](const auto& identity) {
           return auth.enforced_schemes.contains(identity.scheme);
         });
}

bool ClientConnection::add_identity(tree::Identity identity) {
  const auto& known = auth_->identities;
  if (std::find(known.begin(), known.end(), identity) != known.end()) return true;
  if (known.size() >= kMaxIdentities || identity.id.size() > kMaxIdentityBytes) return false;
  tree::AuthInfo more = *auth_;
  more.identities.push_back(std::move(identity));
  auth_ = std::make_shared<const tree::AuthInfo>(std::move(more));
  return true;
}

std::optional<Answer> ClientConnection::answer_auth(const Request& request) {
  ByteReader in(request.body());
  auto packet = zookeeper::AuthPacket::decode(in);
  if (!packet) {
    close(packet.error().what());
    return std::nullopt;
  }
  std::string scheme = packet->scheme.value_or("");
  auto identities = authenticate(scheme, packet->auth, address_, clients_.settings().auth);
  if (!identities) {
    Answer answer(ErrorCode::kAuthFailed);
    answer.problem = "failed to authenticate by scheme " + scheme.substr(0, 64);
    return answer;
  }
  for (tree::Identity& identity : *identities) {
    if (add_identity(std::move(identity))) continue;
    Answer answer(ErrorCode::kAuthFailed);
    answer.problem = "wants more identities than one may have";
    return answer;
  }
  return Answer();
}

std::optional<Answer> ClientConnection::answer_sasl(const Request& request) {
  ByteReader in(request.body());
  auto packet = zookeeper::GetSASLRequest::decode(in);
  if (!packet || !packet->token) {
    close(packet ? "GetSASLRequest: token: null" : packet.error().what());
    return std::nullopt;
  }
  const AuthSettings& auth = clients_.settings().auth;
  // a client that is set up for SASL meets a server that is not: it goes on as nobody
  if (!auth.sasl) return token_answer(ErrorCode::kOk, std::nullopt);
  if (!sasl_) {
    security::DigestMd5Options options;
    options.password = [&auth](const std::string& user) -> std::optional<std::string> {
      auto at = auth.sasl_users.find(user);
      return at == auth.sasl_users.end() ? std::nullopt : std::optional(at->second);
    };
    sasl_ = std::make_unique<security::DigestMd5Server>(std::move(options));
  }
  auto token = sasl_->step(*packet->token);
  if (!token) return refuse_sasl(token.error());
  if (sasl_->complete()) {
    LOG_DEBUG("zookeeper", "Session 0x{:x} of /{} is SASL user {}", session_.value(), peer_,
              sasl_->user());
    bool added = add_identity(tree::Identity("sasl", sasl_->user()));
    if (auth.sasl_super_users.contains(sasl_->user())) {
      added = added && add_identity(tree::Identity("super", ""));
    }
    if (!added) return refuse_sasl(Error(Errc::auth_failed, "more identities than one may have"));
  }
  return token_answer(ErrorCode::kOk, *std::move(token));
}

Answer ClientConnection::refuse_sasl(const Error& error) {
  const AuthSettings& auth = clients_.settings().auth;
  bool goes_on = auth.allow_failed_sasl && !auth.sasl_required();
  Answer answer = token_answer(goes_on               ? ErrorCode::kOk
                               : auth.sasl_required() ? ErrorCode::kSessionClosedRequireSaslAuth
                                                      : ErrorCode::kAuthFailed,
                               std::nullopt);
  answer.problem = "failed to log in by SASL: " + error.what();
  return answer;
}

}  // namespace odradek::coordinator::server
