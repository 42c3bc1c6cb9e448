#pragma once
// Who may log in and how, from zookeeper.properties, the options of a JVM that the official scripts
// take from the environment, and the JAAS file that these name.

#include <map>
#include <set>
#include <string>
#include <vector>

#include "common/config/java_options.h"
#include "common/config/settings.h"
#include "common/result.h"
#include "coordinator/tree/acl.h"

namespace odradek::fs {
class FileSystem;
}

namespace odradek::coordinator::server {

struct AuthSettings {
  tree::Schemes schemes;
  std::string digest_algorithm = "SHA1";  // as Java calls it
  std::string super_digest;               // user:hash that passes every ACL; empty: nobody
  bool sasl = false;                      // a JAAS section is there: opcode 102 is served
  std::map<std::string, std::string> sasl_users;  // name → password
  std::set<std::string> sasl_super_users;         // pass every ACL (superUser, superUser.N)
  bool allow_failed_sasl = false;  // who failed goes on, as nobody (allowSaslFailedClients)
  bool enforce = false;            // who has none of these schemes is sent away
  std::set<std::string> enforced_schemes;
  std::vector<std::string> notes;  // for the log, once it is open

  bool sasl_required() const { return enforce && enforced_schemes.contains("sasl"); }
};

// bad_setting, one line, for what cannot be put in force: a provider that is not here, a JAAS file
// that cannot be read, a scheme that is asked of everybody and that nobody could have.
Result<AuthSettings> auth_settings(const config::Settings& settings,
                                   const std::vector<config::JavaProperty>& java,
                                   fs::FileSystem& file_system);

}  // namespace odradek::coordinator::server
