#include "common/config/java_options.h"

#include <gtest/gtest.h>

namespace odradek::config {
namespace {

TEST(JavaOptions, PropertiesOfAVariable) {
  auto found = java_properties(
      "KAFKA_OPTS", " -Xmx400m -Djava.security.auth.login.config=/etc/jaas.conf\t-Da -D -Db=c=d ");
  ASSERT_EQ(found.size(), 3u);
  EXPECT_EQ(found[0].key, "java.security.auth.login.config");
  EXPECT_EQ(found[0].value, "/etc/jaas.conf");
  EXPECT_EQ(found[0].variable, "KAFKA_OPTS");
  EXPECT_EQ(found[1].key, "a");
  EXPECT_EQ(found[1].value, "");
  EXPECT_EQ(found[2].value, "c=d");
  EXPECT_EQ(find_java_property(found, "b"), "c=d");
  EXPECT_EQ(find_java_property(found, "c"), std::nullopt);
  EXPECT_TRUE(java_properties("JVMFLAGS", "").empty());
}

TEST(JavaOptions, TheLastOfAKeyCounts) {
  auto found = java_properties("JVMFLAGS", "-Da=1 -Da=2");
  EXPECT_EQ(find_java_property(found, "a"), "2");
}

TEST(JavaOptions, SettingsOfZooKeeper) {
  auto file = Properties::parse("skipACL=no\n", "zoo.cfg");
  ASSERT_TRUE(file.ok());
  std::vector<std::string> unknown;
  add_java_settings(zookeeper_settings(),
                    java_properties("SERVER_JVMFLAGS",
                                    "-Dzookeeper.skipACL=yes -Dzookeeper.extendedTypesEnabled=true "
                                    "-Dznode.container.checkIntervalMs=500 -Djute.maxbuffer=5000 "
                                    "-Dzookeeper.superUser=bob -Dzookeeper.no.such=1 "
                                    "-Dzookeeper.tickTime=1 -DtickTime=1 -DsuperUser=eve "
                                    "-Duser.home=/home/u"),
                    *file, unknown);
  auto value = [&](const char* key) {
    const Property* found = file->find(key);
    return found ? found->value : "(none)";
  };
  EXPECT_EQ(value("skipACL"), "no");  // the file counts more
  EXPECT_EQ(value("extendedTypesEnabled"), "true");
  EXPECT_EQ(value("znode.container.checkIntervalMs"), "500");
  EXPECT_EQ(value("jute.maxbuffer"), "5000");
  EXPECT_EQ(value("superUser"), "bob");
  EXPECT_EQ(value("tickTime"), "(none)");  // of the file alone, in ZooKeeper too
  EXPECT_EQ(value("user.home"), "(none)");
  EXPECT_EQ(unknown, (std::vector<std::string>{"-Dzookeeper.no.such", "-Dzookeeper.tickTime"}));
  EXPECT_EQ(file->place(*file->find("superUser")), "SERVER_JVMFLAGS");
}

}  // namespace
}  // namespace odradek::config
