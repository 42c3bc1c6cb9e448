#include "common/security/digest_md5.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <strings.h>

#include <algorithm>
#include <map>

#include "common/bytes/text_codec.h"
#include "common/bytes/utf8.h"
#include "common/check.h"

namespace odradek::security {

namespace {

using Directives = std::map<std::string, std::string, std::less<>>;

// What a login is made of; other directives are passed over.
constexpr std::string_view kKnown[] = {"username", "realm",    "nonce", "cnonce",  "nc", "qop",
                                       "digest-uri", "response", "charset", "authzid", "maxbuf"};

Error refused(std::string why) { return Error(Errc::auth_failed, std::move(why)); }

bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

std::string lower(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return out;
}

std::string md5(std::string_view text) {
  unsigned char hash[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  CHECK(EVP_Digest(text.data(), text.size(), hash, &size, EVP_md5(), nullptr) == 1);
  return std::string(reinterpret_cast<const char*>(hash), size);
}

std::string md5_hex(std::string_view text) { return hex_encode(md5(text)); }

// name=value or name="value" with \ before a character that stands for itself, separated by commas;
// blanks may stand around each part.
class DirectiveReader {
 public:
  explicit DirectiveReader(std::string_view text) : text_(text) {}

  Result<Directives> read() {
    Directives found;
    for (;;) {
      skip([](char c) { return is_blank(c) || c == ','; });
      if (at_ == text_.size()) return found;
      std::string name = lower(take([](char c) { return c != '=' && c != ',' && !is_blank(c); }));
      skip(is_blank);
      if (name.empty() || at_ == text_.size() || text_[at_] != '=') {
        return refused("a directive without a value");
      }
      ++at_;
      skip(is_blank);
      auto value = this->value();
      if (!value) return value.error();
      bool known = std::find(std::begin(kKnown), std::end(kKnown), name) != std::end(kKnown);
      if (known && !found.emplace(name, *std::move(value)).second) {
        return refused("the directive " + name + " is there twice");
      }
      // what is left before the next comma means nothing
      take([](char c) { return c != ','; });
    }
  }

 private:
  template <typename Fn>
  void skip(Fn fn) {
    while (at_ < text_.size() && fn(text_[at_])) ++at_;
  }
  template <typename Fn>
  std::string_view take(Fn fn) {
    size_t from = at_;
    skip(fn);
    return text_.substr(from, at_ - from);
  }
  Result<std::string> value() {
    if (at_ == text_.size() || text_[at_] != '"') {
      return std::string(take([](char c) { return c != ',' && !is_blank(c); }));
    }
    std::string value;
    for (++at_; at_ < text_.size() && text_[at_] != '"'; ++at_) {
      if (text_[at_] == '\\' && at_ + 1 < text_.size()) ++at_;
      value += text_[at_];
    }
    if (at_ == text_.size()) return refused("a quoted value without its end");
    ++at_;
    return value;
  }

  std::string_view text_;
  size_t at_ = 0;
};

std::string to_latin1(std::string_view text) {
  std::string out;
  for (size_t at = 0; at < text.size();) out += static_cast<char>(next_character(text, at));
  return out;
}

std::string from_latin1(std::string_view text) {
  std::string out;
  for (char c : text) {
    auto byte = static_cast<unsigned char>(c);
    if (byte < 0x80) {
      out += c;
    } else {
      out += static_cast<char>(0xc0 | byte >> 6);
      out += static_cast<char>(0x80 | (byte & 0x3f));
    }
  }
  return out;
}

bool fits_latin1(std::string_view text) {
  for (size_t at = 0; at < text.size();) {
    if (next_character(text, at) > 0xff) return false;
  }
  return true;
}

// RFC 2831 2.1.2.1: what ISO 8859-1 can say is hashed in ISO 8859-1, also where the charset is
// UTF-8.
std::string hashed_form(std::string_view text) {
  return fits_latin1(text) ? to_latin1(text) : std::string(text);
}

std::string random_nonce() {
  unsigned char bytes[30];
  CHECK(RAND_bytes(bytes, sizeof bytes) == 1);
  return base64_encode(ByteView(reinterpret_cast<const char*>(bytes), sizeof bytes));
}

bool same_secret(std::string_view a, std::string_view b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace

DigestMd5Server::DigestMd5Server(DigestMd5Options options) : options_(std::move(options)) {
  if (options_.nonce.empty()) options_.nonce = random_nonce();
}

Result<std::string> DigestMd5Server::step(std::string_view token) {
  if (state_ == State::begin) {
    state_ = State::challenged;
    return "realm=\"" + options_.server_name + "\",nonce=\"" + options_.nonce +
           "\",charset=utf-8,algorithm=md5-sess";
  }
  if (state_ != State::challenged) {
    state_ = State::failed;
    return refused("the login is over");
  }
  auto answer = check(token);
  state_ = answer ? State::complete : State::failed;
  return answer;
}

Result<std::string> DigestMd5Server::check(std::string_view response) {
  auto found = DirectiveReader(response).read();
  if (!found) return found.error();
  const Directives& given = *found;
  for (std::string_view name : {"username", "realm", "nonce", "cnonce", "digest-uri", "response"}) {
    if (!given.contains(name)) return refused("no " + std::string(name));
  }
  auto given_or = [&given](std::string_view name, std::string_view otherwise) {
    auto at = given.find(name);
    return at == given.end() ? otherwise : std::string_view(at->second);
  };
  if (given_or("charset", "utf-8") != "utf-8") return refused("a charset that is not utf-8");
  std::string_view qop = given_or("qop", "auth");
  if (qop != "auth") return refused("a quality of protection that was not offered");
  std::string_view count = given_or("nc", "00000001");
  if (count != "00000001") return refused("a nonce count that is not 1");
  if (given.at("realm") != options_.server_name) return refused("another realm");
  if (given.at("nonce") != options_.nonce) return refused("another nonce");
  const std::string& uri = given.at("digest-uri");
  if (lower(uri) != lower(options_.protocol + "/" + options_.server_name)) {
    return refused("a digest-uri of another service");
  }

  const std::string& name = given.at("username");
  std::string user = given.contains("charset") ? replace_malformed(name) : from_latin1(name);
  auto password = options_.password(user);
  if (!password) return refused("unknown user " + user.substr(0, 64));
  std::string secret = hashed_form(user) + ":" + options_.server_name + ":" +
                       hashed_form(*password);
  std::string a1 = md5(secret) + ":" + options_.nonce + ":" + given.at("cnonce");
  if (given.contains("authzid")) a1 += ":" + given.at("authzid");
  auto proof = [&](std::string_view method) {
    std::string rest;
    for (std::string_view part : {std::string_view(options_.nonce), count,
                                  std::string_view(given.at("cnonce")), qop}) {
      rest.append(part).append(":");
    }
    return md5_hex(md5_hex(a1) + ":" + rest + md5_hex(std::string(method) + ":" + uri));
  };
  if (!same_secret(proof("AUTHENTICATE"), given.at("response"))) {
    return refused("wrong password of user " + user.substr(0, 64));
  }
  user_ = user;
  return "rspauth=" + proof("");
}

}  // namespace odradek::security
