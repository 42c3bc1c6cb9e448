// What zookeeper.properties says about running the server, and about its members.
#include "coordinator/server/operations_settings.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>

#include "common/config/settings.h"
#include "coordinator/server/settings.h"

namespace odradek::coordinator::server {
namespace {

Result<ServerSettings> read(const std::string& more, size_t budget = 512u << 20,
                            const std::string& base = "dataDir=/data\nclientPort=2181\n") {
  auto properties = config::Properties::parse(base + more, "zoo.cfg");
  EXPECT_TRUE(properties.ok());
  auto settings = config::load_settings(config::zookeeper_settings(), *properties);
  if (!settings) return settings.error();
  return server_settings(*settings, budget);
}

TEST(OperationsSettings, DefaultsAreZooKeepers) {
  auto server = read("");
  ASSERT_TRUE(server.ok());
  const OperationsSettings& operations = server->operations;
  EXPECT_TRUE(operations.admin.enabled);
  EXPECT_EQ(operations.admin.address, "");
  EXPECT_EQ(operations.admin.port, 8080);
  EXPECT_EQ(operations.admin.command_url, "/commands");
  EXPECT_EQ(operations.admin.idle_ms, 30000);
  EXPECT_EQ(operations.metrics.provider, MetricsProvider::standard);
  EXPECT_EQ(operations.metrics.port, 7000);
  EXPECT_TRUE(operations.metrics.export_process);
  EXPECT_FALSE(operations.audit);
  EXPECT_EQ(operations.connection_throttle.max_tokens, 0);
  EXPECT_EQ(operations.request_throttle_limit, 0);
  EXPECT_EQ(server->four_letter_words, (std::set<std::string>{"srvr"}));
}

TEST(OperationsSettings, LimitsFollowFromTheBudgetOrTheFile) {
  const MemoryLimits open = read("", 1024u << 20)->operations.memory;
  EXPECT_EQ(open.watches, 1u << 20);
  EXPECT_EQ(open.watches_of_connection, 1u << 19);
  EXPECT_EQ(open.request_bytes, 128u << 20);
  EXPECT_EQ(open.outgoing_bytes, 256u << 20);
  const MemoryLimits given = read("odradek.watches.max=500\nodradek.requests.max.bytes=70000\n"
                                  "odradek.outgoing.max.bytes=80000\nodradek.grpc.max.connections=3\n")
                                 ->operations.memory;
  EXPECT_EQ(given.watches, 500u);
  EXPECT_EQ(given.watches_of_connection, 250u);
  EXPECT_EQ(given.request_bytes, 70000u);
  EXPECT_EQ(given.outgoing_bytes, 80000u);
  EXPECT_EQ(given.grpc_connections, 3);
  EXPECT_EQ(read("odradek.watches.max=500\nodradek.watches.max.per.connection=7\n")
                ->operations.memory.watches_of_connection,
            7u);
}

TEST(OperationsSettings, TheAdminServerIsTold) {
  auto server = read("admin.serverPort=18080\nadmin.serverAddress=127.0.0.1\n"
                     "admin.commandURL=/zk/commands/\nadmin.idleTimeout=5\n");
  ASSERT_TRUE(server.ok());
  const AdminSettings& admin = server->operations.admin;
  EXPECT_EQ(admin.port, 18080);
  EXPECT_EQ(admin.address, "127.0.0.1");
  EXPECT_EQ(admin.command_url, "/zk/commands");
  EXPECT_EQ(admin.idle_ms, 5);
  for (const char* bad : {"commands", "/a b", "/a?b", "/<x>"}) {
    EXPECT_FALSE(read(std::string("admin.commandURL=") + bad + "\n").ok()) << bad;
  }
}

TEST(OperationsSettings, TheFileIsShownWithoutSecrets) {
  auto server = read("jute.maxbuffer=70000\nDigestAuthenticationProvider.superDigest=super:abc=\n"
                     "server.1=a:2888:3888\nunknown.key=7\n");
  ASSERT_TRUE(server.ok());
  const AdminSettings& admin = server->operations.admin;
  EXPECT_EQ(admin.initial_configuration,
            "dataDir=/data\nclientPort=2181\njute.maxbuffer=70000\n"
            "DigestAuthenticationProvider.superDigest=[hidden]\nserver.1=a:2888:3888\n"
            "unknown.key=7\n");
  EXPECT_EQ(admin.system_properties,
            (std::map<std::string, std::string>{
                {"zookeeper.jute.maxbuffer", "70000"},
                {"zookeeper.DigestAuthenticationProvider.superDigest", "[hidden]"},
                {"zookeeper.unknown.key", "7"}}));
}

TEST(OperationsSettings, MetricsProvidersAreZooKeepersOwn) {
  const std::string package = "metricsProvider.className=org.apache.zookeeper.metrics.";
  EXPECT_EQ(read(package + "prometheus.PrometheusMetricsProvider\n")->operations.metrics.provider,
            MetricsProvider::prometheus);
  EXPECT_EQ(read(package + "impl.NullMetricsProvider\n")->operations.metrics.provider,
            MetricsProvider::null);
  EXPECT_EQ(read(package + "impl.DefaultMetricsProvider\n")->operations.metrics.provider,
            MetricsProvider::standard);
  auto other = read("metricsProvider.className=com.example.Mine\n");
  ASSERT_FALSE(other.ok());
  EXPECT_NE(other.error().what().find("zoo.cfg:3"), std::string::npos) << other.error().what();
  EXPECT_NE(other.error().what().find("PrometheusMetricsProvider"), std::string::npos);
}

TEST(OperationsSettings, WordsThatAreAlwaysAnswered) {
  EXPECT_EQ(read("4lw.commands.whitelist=mntr, ruok\n")->four_letter_words,
            (std::set<std::string>{"mntr", "ruok", "srvr"}));
  EXPECT_EQ(read("readonlymode.enabled=true\n4lw.commands.whitelist=\n")->four_letter_words,
            (std::set<std::string>{"isro", "srvr"}));
}

// ---- server.N

TEST(Members, AnEnsembleDoesNotStart) {
  auto three = read("server.1=a:2888:3888\nserver.2=b:2888:3888\nserver.3=c:2888:3888:observer\n");
  ASSERT_FALSE(three.ok());
  EXPECT_EQ(three.error().code(), Errc::bad_setting);
  EXPECT_EQ(three.error().what().find("zoo.cfg:3: server.1=a:2888:3888: one of 3 members"), 0u)
      << three.error().what();
  EXPECT_EQ(three.error().what().find('\n'), std::string::npos);
}

TEST(Members, ASingleOneIsThisServer) {
  EXPECT_FALSE(read("")->single_member);
  auto alone = read("initLimit=5\nsyncLimit=2\nserver.1=zk1.example.org:2888:3888\n");
  ASSERT_TRUE(alone.ok()) << alone.error().what();
  EXPECT_TRUE(alone->single_member);
  EXPECT_EQ(alone->client_port, 2181);
  EXPECT_TRUE(read("server.7=[::1]:2888:3888:participant;2181\n").ok());
}

TEST(Members, ItsLineMayHaveTheClientPort) {
  auto alone = read("server.1=zk1:2888:3888;127.0.0.1:21810\n", 512u << 20, "dataDir=/data\n");
  ASSERT_TRUE(alone.ok()) << alone.error().what();
  EXPECT_EQ(alone->client_port, 21810);
  EXPECT_EQ(alone->client_port_address, "127.0.0.1");
  auto differs = read("server.1=zk1:2888:3888;2182\n");
  ASSERT_FALSE(differs.ok());
  EXPECT_NE(differs.error().what().find("is not clientPort, 2181"), std::string::npos);
}

TEST(Members, LinesThatAreNoneAreRefused) {
  for (const char* bad :
       {"foo", "a:2888", "a:2888:3888:leader", "a:2888:2888", ":2888:3888", "a:0:3888",
        "a:2888:70000", "a:2888:3888;", "a:2888:3888;x", "a:2888:3888;b:c:2181", "a:28 8:3888"}) {
    auto server = read(std::string("server.1=") + bad + "\n");
    ASSERT_FALSE(server.ok()) << bad;
    EXPECT_NE(server.error().what().find("expected host:port:port"), std::string::npos) << bad;
  }
  EXPECT_FALSE(read("server.1=a:2888:3888:observer\n").ok()) << "nobody to observe";
  EXPECT_FALSE(read("standaloneEnabled=false\nserver.1=a:2888:3888\n").ok());
}

TEST(Members, StandInAFileOfTheirOwnToo) {
  std::string pattern = (std::filesystem::temp_directory_path() / "odradek-zoo-XXXXXX").string();
  std::string folder = mkdtemp(pattern.data());
  std::string file = folder + "/zoo.dynamic";
  std::ofstream(file) << "server.1=a:2888:3888;2181\nserver.2=b:2888:3888;2181\n";
  auto two = read("dynamicConfigFile=" + file + "\n");
  ASSERT_FALSE(two.ok());
  EXPECT_EQ(two.error().what().find(file + ":1: server.1="), 0u) << two.error().what();
  std::ofstream(file) << "server.1=a:2888:3888;2181\n";
  auto one = read("dynamicConfigFile=" + file + "\n");
  ASSERT_TRUE(one.ok()) << one.error().what();
  EXPECT_TRUE(one->single_member);
  std::filesystem::remove_all(folder);
  EXPECT_FALSE(read("dynamicConfigFile=" + file + "\n").ok()) << "not there";
}

}  // namespace
}  // namespace odradek::coordinator::server
