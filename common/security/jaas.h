#pragma once
// A JAAS file, as -Djava.security.auth.login.config names it:
//
//   Server {
//     org.apache.zookeeper.server.auth.DigestLoginModule required
//     user_bob="secret";
//   };

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "common/result.h"

namespace odradek::security {

struct JaasModule {
  std::string name;  // of the class, in full
  std::string flag;  // required, requisite, sufficient or optional
  std::map<std::string, std::string> options;
};

struct JaasSection {
  std::string name;
  std::vector<JaasModule> modules;
};

// bad_setting, one line with `file`, the line and what is expected; never with a value of the file,
// which may be a password. A value that refers to a system property (${...}) is refused.
Result<std::vector<JaasSection>> parse_jaas(std::string_view text, const std::string& file);

// Null where there is none of that name.
const JaasSection* find_section(const std::vector<JaasSection>& sections, std::string_view name);

}  // namespace odradek::security
