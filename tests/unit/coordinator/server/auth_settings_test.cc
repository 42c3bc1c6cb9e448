#include "coordinator/server/auth_settings.h"

#include <gtest/gtest.h>

#include "coordinator/server/auth.h"
#include "tests/support/faulty_file_system.h"

namespace odradek::coordinator::server {
namespace {

constexpr const char* kSasl =
    "authProvider.1=org.apache.zookeeper.server.auth.SASLAuthenticationProvider\n";

class AuthSettingsTest : public ::testing::Test {
 protected:
  // `jaas`, where not empty, is the file that KAFKA_OPTS names.
  Result<AuthSettings> read(const std::string& properties, const std::string& jaas = "",
                            const std::string& options = "") {
    auto file = config::Properties::parse(properties, "zookeeper.properties");
    EXPECT_TRUE(file.ok());
    std::string text = options;
    if (!jaas.empty()) {
      write(jaas);
      text += " -Djava.security.auth.login.config=/jaas.conf";
    }
    auto java = config::java_properties("KAFKA_OPTS", text);
    std::vector<std::string> unknown;
    config::add_java_settings(config::zookeeper_settings(), java, *file, unknown);
    auto settings = config::load_settings(config::zookeeper_settings(), *file);
    EXPECT_TRUE(settings.ok()) << (settings.ok() ? "" : settings.error().what());
    return auth_settings(*settings, java, files);
  }
  void write(const std::string& jaas) {
    auto file = files.open("/jaas.conf", fs::OpenMode::create);
    ASSERT_TRUE(file.ok());
    ASSERT_TRUE((*file)->truncate(0).ok());
    ASSERT_TRUE((*file)->pwrite(jaas, 0).ok());
  }
  std::string problem(const Result<AuthSettings>& result) {
    return result.ok() ? "no problem" : result.error().what();
  }
  static std::string section(const std::string& options,
                             const std::string& module =
                                 "org.apache.zookeeper.server.auth.DigestLoginModule") {
    return "Server { " + module + " required " + options + "; };";
  }

  fs::FaultyFileSystem files;
};

TEST_F(AuthSettingsTest, NothingIsAskedByDefault) {
  auto auth = read("");
  ASSERT_TRUE(auth.ok()) << problem(auth);
  EXPECT_TRUE(auth->schemes.digest);
  EXPECT_FALSE(auth->schemes.sasl);
  EXPECT_FALSE(auth->sasl);
  EXPECT_FALSE(auth->enforce);
  EXPECT_EQ(auth->digest_algorithm, "SHA1");
  EXPECT_TRUE(auth->notes.empty());
}

TEST_F(AuthSettingsTest, UsersOfTheJaasFile) {
  auto auth = read(kSasl, section("user_bob=\"secret\" user_super=\"admin\" other=\"x\""),
                   "-Dzookeeper.superUser=bob");
  ASSERT_TRUE(auth.ok()) << problem(auth);
  EXPECT_TRUE(auth->schemes.sasl);
  EXPECT_TRUE(auth->sasl);
  EXPECT_EQ(auth->sasl_users,
            (std::map<std::string, std::string>{{"bob", "secret"}, {"super", "admin"}}));
  EXPECT_EQ(auth->sasl_super_users, std::set<std::string>{"bob"});
  ASSERT_EQ(auth->notes.size(), 1u);
  EXPECT_EQ(auth->notes[0], "SASL DIGEST-MD5 knows 2 users, from section Server of /jaas.conf");
}

TEST_F(AuthSettingsTest, AnotherSectionAndPassword) {
  auto auth = read("sasl.serverconfig=Mine\nSASLAuthenticationProvider.superPassword=geheim\n"
                   "superUser=a\nsuperUser.1=b\nallowSaslFailedClients=true\n",
                   "Mine { org.apache.zookeeper.server.auth.DigestLoginModule required "
                   "user_super=\"admin\"; };");
  ASSERT_TRUE(auth.ok()) << problem(auth);
  EXPECT_EQ(auth->sasl_users.at("super"), "geheim");
  EXPECT_EQ(auth->sasl_super_users, (std::set<std::string>{"a", "b"}));
  EXPECT_TRUE(auth->allow_failed_sasl);
}

// As in ZooKeeper, a file without the section is a server without SASL.
TEST_F(AuthSettingsTest, AFileWithoutTheSection) {
  auto auth = read("", "KafkaServer { a.B required; };");
  ASSERT_TRUE(auth.ok()) << problem(auth);
  EXPECT_FALSE(auth->sasl);
  ASSERT_EQ(auth->notes.size(), 1u);
  EXPECT_EQ(auth->notes[0], "/jaas.conf has no section Server: nobody can log in by SASL here");
}

TEST_F(AuthSettingsTest, WaysToAskItOfEverybody) {
  std::string jaas = section("user_bob=\"secret\"");
  for (const std::string& lines :
       {std::string("requireClientAuthScheme=sasl\n"),
        kSasl + std::string("sessionRequireClientSASLAuth=true\n"),
        kSasl + std::string("enforce.auth.enabled=true\nenforce.auth.schemes=sasl\n")}) {
    auto auth = read(lines, jaas);
    ASSERT_TRUE(auth.ok()) << problem(auth);
    EXPECT_TRUE(auth->enforce) << lines;
    EXPECT_TRUE(auth->sasl_required()) << lines;
    EXPECT_TRUE(auth->schemes.sasl) << lines;
  }
  auto digest = read("enforce.auth.enabled=true\nenforce.auth.schemes=digest\n");
  ASSERT_TRUE(digest.ok()) << problem(digest);
  EXPECT_TRUE(digest->enforce);
  EXPECT_FALSE(digest->sasl_required());
  auto none = read("requireClientAuthScheme=none\nenforce.auth.schemes=sasl\n");
  ASSERT_TRUE(none.ok()) << problem(none);
  EXPECT_FALSE(none->enforce);
}

// Never an open port where a closed one was asked for.
TEST_F(AuthSettingsTest, WhatCannotBePutInForceStopsTheStart) {
  std::string users = section("user_bob=\"secret\"");
  struct Row {
    std::string properties;
    std::string jaas;
    std::string named;  // in the one line
  };
  for (const Row& row : std::vector<Row>{
           {"authProvider.1=org.apache.zookeeper.server.auth.X509AuthenticationProvider\n", "",
            "zookeeper.properties:1: authProvider.1="},
           {"authProvider.own=com.example.Provider\n", "", "authProvider.own"},
           {"requireClientAuthScheme=sasl\n", "", "java.security.auth.login.config"},
           {"requireClientAuthScheme=x509\n", "", "expected sasl or none"},
           {"requireClientAuthScheme=sasl\n", "Client { a.B required; };", "nobody could log in"},
           {"sessionRequireClientSASLAuth=true\n", users, "SASLAuthenticationProvider"},
           {"enforce.auth.enabled=true\n", users, "enforce.auth.schemes must name"},
           {"enforce.auth.enabled=true\nenforce.auth.schemes=x509\n", users, "scheme x509"},
           {"enforce.auth.enabled=true\nenforce.auth.schemes=digest\n"
            "DigestAuthenticationProvider.enabled=false\n",
            "", "scheme digest"},
           {"DigestAuthenticationProvider.digestAlg=SHA-257\n", "", "digestAlg"},
           {"", section("useKeyTab=true", "com.sun.security.auth.module.Krb5LoginModule"),
            "Krb5LoginModule"},
           {"", "Server {", "/jaas.conf:1: expected"},
       }) {
    auto auth = read(row.properties, row.jaas);
    ASSERT_FALSE(auth.ok()) << row.properties;
    EXPECT_EQ(auth.error().code(), Errc::bad_setting);
    EXPECT_NE(auth.error().what().find(row.named), std::string::npos) << auth.error().what();
    EXPECT_EQ(auth.error().what().find('\n'), std::string::npos) << auth.error().what();
    EXPECT_EQ(auth.error().what().find("secret"), std::string::npos) << auth.error().what();
  }
  auto missing = read("", "", "-Djava.security.auth.login.config=/none.conf");
  ASSERT_FALSE(missing.ok());
  EXPECT_NE(missing.error().what().find("/none.conf"), std::string::npos);
}

// echo -n u:p | openssl dgst -ALG -binary | base64
TEST_F(AuthSettingsTest, DigestsOfEachAlgorithm) {
  EXPECT_EQ(digest_id("u:p"), "u:Jq7wMyA/w2Vd5WIDAKdu4OIIFEQ=");
  EXPECT_EQ(digest_id("u:p", "SHA-1"), digest_id("u:p"));
  EXPECT_EQ(digest_id("u:p", "sha"), digest_id("u:p"));
  EXPECT_EQ(digest_id("u:p", "SHA-256"), "u:/Y8xRBngpX5duYn15uUqIRaIaCviy5TEwSk419hCwuA=");
  EXPECT_EQ(digest_id("u:p", "SHA3-256"), "u:3+U94Pf1dSrKR/q5qu/huTFf1Fha6TtpdtpSdhWvIS0=");
  EXPECT_EQ(digest_id("u:p", "SHA-512/256"), "u:GahcuEqKVDomB4u/ebwuUp9/SoZ9jjQVdblytNb5wPo=");
  EXPECT_EQ(digest_id("u:p", "MD5"), "u:wj9ntl1lUHd6RGlGHs+1Hg==");
  EXPECT_EQ(digest_id("nocolon")->substr(0, 8), "nocolon:");
  EXPECT_EQ(digest_id("u:p", "CRC32"), std::nullopt);
}

TEST_F(AuthSettingsTest, AuthPackets) {
  AuthSettings settings;
  settings.super_digest = *digest_id("super:admin");
  auto ids = [&](const char* scheme, std::optional<std::string> data) {
    std::string text;
    auto found = authenticate(scheme, data, "127.0.0.1", settings);
    if (!found) return std::string("refused");
    for (const auto& id : *found) text += id.scheme + "=" + id.id + " ";
    return text;
  };
  EXPECT_EQ(ids("digest", "u:p"), "digest=u:Jq7wMyA/w2Vd5WIDAKdu4OIIFEQ= ");
  EXPECT_EQ(ids("digest", "super:admin"), "super= digest=" + settings.super_digest + " ");
  EXPECT_EQ(ids("digest", std::nullopt), "refused");
  // what is no UTF-8 is hashed as a JVM reads it
  EXPECT_EQ(ids("digest", "\xff:x"), ids("digest", "\xef\xbf\xbd:x"));
  EXPECT_EQ(ids("ip", std::nullopt), "ip=127.0.0.1 ");
  for (const char* scheme : {"world", "auth", "super", "sasl", "x509", "", "DIGEST"}) {
    EXPECT_EQ(ids(scheme, "x"), "refused") << scheme;
  }
  settings.schemes.digest = false;
  EXPECT_EQ(ids("digest", "u:p"), "refused");
}

}  // namespace
}  // namespace odradek::coordinator::server
