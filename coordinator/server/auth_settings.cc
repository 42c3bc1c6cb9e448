#include "coordinator/server/auth_settings.h"

#include <algorithm>

#include "common/format.h"
#include "common/fs/file_system.h"
#include "common/security/jaas.h"
#include "coordinator/server/auth.h"

namespace odradek::coordinator::server {

namespace {

constexpr std::string_view kPackage = "org.apache.zookeeper.server.auth.";
constexpr std::string_view kJaasProperty = "java.security.auth.login.config";
constexpr size_t kMaxJaasFile = 1 << 20;

bool is_key_of(std::string_view key, std::string_view name) {
  return key == name || (key.starts_with(name) && key.size() > name.size() + 1 &&
                         key[name.size()] == '.');
}

class Reader {
 public:
  Reader(const config::Settings& settings, const std::vector<config::JavaProperty>& java,
         fs::FileSystem& file_system)
      : settings_(settings), java_(java), file_system_(file_system) {}

  Result<AuthSettings> read();

 private:
  Result<void> providers();
  Result<void> digest();
  Result<void> jaas();
  Result<void> users_of(const security::JaasSection& section, const std::string& file);
  Result<void> enforcement();
  Result<void> check_enforced(std::string_view key);

  const config::Settings& settings_;
  const std::vector<config::JavaProperty>& java_;
  fs::FileSystem& file_system_;
  AuthSettings auth_;
};

// authProvider.N=CLASS: the built-in ones may be named, SASL is switched on by its name.
Result<void> Reader::providers() {
  for (const auto& [key, value] : settings_.given()) {
    if (!is_key_of(key, "authProvider") || key == "authProvider") continue;
    std::string name = value.substr(0, value.find_last_not_of(" \t") + 1);
    std::string_view kind = name;
    if (kind.starts_with(kPackage)) kind.remove_prefix(kPackage.size());
    if (kind == "SASLAuthenticationProvider") {
      auth_.schemes.sasl = true;
    } else if (!kind.empty() && kind != "DigestAuthenticationProvider" &&
               kind != "IPAuthenticationProvider") {
      return settings_.refuse(
          key, "this authentication provider is not here; allowed: " + std::string(kPackage) +
                   "SASLAuthenticationProvider, DigestAuthenticationProvider and "
                   "IPAuthenticationProvider. Starting without it would leave open what it is to "
                   "close");
    }
  }
  return {};
}

Result<void> Reader::digest() {
  auth_.schemes.digest = settings_.get_bool("DigestAuthenticationProvider.enabled");
  auth_.digest_algorithm = settings_.get_string("DigestAuthenticationProvider.digestAlg");
  auth_.super_digest =
      settings_.find_string("DigestAuthenticationProvider.superDigest").value_or("");
  if (!digest_id("user:password", auth_.digest_algorithm)) {
    return settings_.refuse("DigestAuthenticationProvider.digestAlg",
                            "no known hash; allowed: SHA1, SHA-224, SHA-256, SHA-384, SHA-512, "
                            "SHA3-256, SHA3-512, MD5 and their kind");
  }
  return {};
}

Result<void> Reader::users_of(const security::JaasSection& section, const std::string& file) {
  for (const security::JaasModule& module : section.modules) {
    if (module.name != std::string(kPackage) + "DigestLoginModule") {
      return Error(Errc::bad_setting,
                   odradek::format("{}: section {}: the login module {} is not here; allowed: "
                                   "{}DigestLoginModule",
                                   file, section.name, module.name, kPackage));
    }
    for (const auto& [key, value] : module.options) {
      if (key.starts_with("user_")) auth_.sasl_users[key.substr(5)] = value;
    }
  }
  // a password in the settings counts more than the file's
  auto password = settings_.find_string("SASLAuthenticationProvider.superPassword");
  if (auto super = auth_.sasl_users.find("super"); password && super != auth_.sasl_users.end()) {
    super->second = *password;
  }
  auth_.sasl = true;
  auth_.notes.push_back(odradek::format("SASL DIGEST-MD5 knows {} users, from section {} of {}",
                                        auth_.sasl_users.size(), section.name, file));
  return {};
}

Result<void> Reader::jaas() {
  auto named = config::find_java_property(java_, kJaasProperty);
  if (!named || named->empty()) return {};
  std::string_view path = *named;
  if (path.starts_with('=')) path.remove_prefix(1);  // -Dkey==file: this one and no other
  if (path.starts_with("file:")) path.remove_prefix(5);
  std::string file(path);
  auto text = file_system_.read_file(file, kMaxJaasFile);
  if (!text) {
    return Error(Errc::bad_setting, odradek::format("-D{}={}: the JAAS file cannot be read: {}",
                                                    kJaasProperty, file, text.error().what()));
  }
  auto sections = security::parse_jaas(*text, file);
  if (!sections) return sections.error();
  std::string name = settings_.get_string("sasl.serverconfig");
  if (const auto* section = security::find_section(*sections, name)) {
    return users_of(*section, file);
  }
  auth_.notes.push_back(odradek::format(
      "{} has no section {}: nobody can log in by SASL here", file, name));
  return {};
}

Result<void> Reader::check_enforced(std::string_view key) {
  auth_.enforce = true;
  if (auth_.enforced_schemes.empty()) {
    return settings_.refuse(key, "enforce.auth.schemes must name the schemes, for example sasl");
  }
  for (const std::string& scheme : auth_.enforced_schemes) {
    if (scheme != "ip" && !(scheme == "digest" && auth_.schemes.digest) &&
        !(scheme == "sasl" && auth_.schemes.sasl)) {
      return settings_.refuse(
          key, "the scheme " + scheme + " has no provider here" +
                   (scheme == "sasl" ? "; add authProvider.1=" + std::string(kPackage) +
                                           "SASLAuthenticationProvider"
                                     : ""));
    }
  }
  if (auth_.enforced_schemes.size() == 1 && auth_.sasl_required() && auth_.sasl_users.empty()) {
    return settings_.refuse(
        key, odradek::format("nobody could log in: name a JAAS file with a section {} and its "
                             "users by -D{}=FILE in KAFKA_OPTS or SERVER_JVMFLAGS",
                             settings_.get_string("sasl.serverconfig"), kJaasProperty));
  }
  return {};
}

Result<void> Reader::enforcement() {
  std::string required = settings_.find_string("requireClientAuthScheme").value_or("");
  if (required == "none") required.clear();
  if (!required.empty() && required != "sasl") {
    return settings_.refuse("requireClientAuthScheme", "expected sasl or none");
  }
  if (!required.empty()) {
    // Apache's server reads this key nowhere; here it does what it says
    auth_.schemes.sasl = true;
    auth_.enforced_schemes = {"sasl"};
    return check_enforced("requireClientAuthScheme");
  }
  if (settings_.get_bool("sessionRequireClientSASLAuth")) {
    auth_.enforced_schemes = {"sasl"};
    return check_enforced("sessionRequireClientSASLAuth");
  }
  for (const std::string& scheme : settings_.get_list("enforce.auth.schemes")) {
    if (!scheme.empty()) auth_.enforced_schemes.insert(scheme);
  }
  return settings_.get_bool("enforce.auth.enabled") ? check_enforced("enforce.auth.enabled")
                                                    : Result<void>();
}

Result<AuthSettings> Reader::read() {
  if (auto ok = providers(); !ok) return ok.error();
  if (auto ok = digest(); !ok) return ok.error();
  auth_.allow_failed_sasl = settings_.get_bool("allowSaslFailedClients");
  auth_.schemes.any_sasl_user = settings_.find_string("letAnySaslUserDoX").value_or("");
  for (const auto& [key, value] : settings_.given()) {
    bool names_one = is_key_of(key, "superUser") || is_key_of(key, "zookeeper.superUser");
    if (names_one && !value.empty()) auth_.sasl_super_users.insert(value);
  }
  if (auto ok = jaas(); !ok) return ok.error();
  if (auto ok = enforcement(); !ok) return ok.error();
  return std::move(auth_);
}

}  // namespace

Result<AuthSettings> auth_settings(const config::Settings& settings,
                                   const std::vector<config::JavaProperty>& java,
                                   fs::FileSystem& file_system) {
  return Reader(settings, java, file_system).read();
}

}  // namespace odradek::coordinator::server
