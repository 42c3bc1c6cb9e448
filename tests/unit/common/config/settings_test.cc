#include "common/config/settings.h"

#include <gtest/gtest.h>

#include "common/config/broker_rules.h"
#include "common/config/java_memory.h"
#include "common/config/listeners.h"

namespace odradek::config {
namespace {

Result<Settings> load(std::string_view text, const std::vector<std::string>& overrides = {},
                      const SettingTable& table = broker_settings()) {
  auto properties = Properties::parse(text, "config/server.properties");
  if (!properties) return properties.error();
  return load_settings(table, *properties, overrides);
}

std::string problem(const Result<Settings>& result) {
  return result.ok() ? "" : result.error().what();
}

TEST(Settings, TypedValuesAndDefaults) {
  auto settings =
      load("num.partitions = 7 \nlog.dirs=/a, /b,/a\ndelete.topic.enable=FALSE\nbroker.rack=\n",
           {"broker.id=3"});
  ASSERT_TRUE(settings.ok()) << problem(settings);
  EXPECT_EQ(settings->get_int("num.partitions"), 7);
  EXPECT_EQ(settings->get_int("broker.id"), 3);
  EXPECT_FALSE(settings->get_bool("delete.topic.enable"));
  EXPECT_EQ(settings->get_long("log.retention.check.interval.ms"), 300'000);
  EXPECT_EQ(settings->get_double("log.cleaner.min.cleanable.ratio"), 0.5);
  EXPECT_EQ(settings->get_list("log.dirs"), (std::vector<std::string>{"/a", "/b", "/a"}));
  EXPECT_EQ(log_dirs(*settings), (std::vector<std::string>{"/a", "/b"}));
  EXPECT_FALSE(settings->has("log.retention.ms"));
  EXPECT_EQ(settings->find_string("log.retention.ms"), std::nullopt);
  EXPECT_EQ(settings->find_string("broker.rack"), "");
  EXPECT_TRUE(settings->is_set("num.partitions"));
  EXPECT_FALSE(settings->is_set("listeners"));
  EXPECT_EQ(settings->place("num.partitions"), "config/server.properties:1: num.partitions=7 ");
  EXPECT_TRUE(settings->warnings().empty());
}

TEST(Settings, WrongValuesAreOneLine) {
  EXPECT_EQ(problem(load("\n\nnum.partitions=abc\n")),
            "config/server.properties:3: num.partitions=abc: expected an integer from 1 up");
  EXPECT_EQ(problem(load("num.partitions=0")),
            "config/server.properties:1: num.partitions=0: expected an integer from 1 up");
  EXPECT_EQ(problem(load("", {"delete.topic.enable=maybe"})),
            "--override: delete.topic.enable=maybe: expected true or false");
  EXPECT_EQ(problem(load("log.retention.ms=")),
            "config/server.properties:1: log.retention.ms=: expected an integer");
  EXPECT_FALSE(load("", {"nothing"}).ok());
}

TEST(Settings, UnknownAndUnusedKeys) {
  auto settings = load(
      "num.partitons=3\nnum.io.threads=8\nreplica.lag.time.max.ms=1\nlistener.name.x.ssl.protocol="
      "TLS\n");
  ASSERT_TRUE(settings.ok()) << problem(settings);
  EXPECT_EQ(settings->warnings(),
            (std::vector<std::string>{
                "config/server.properties:1: unknown setting num.partitons is passed over; did you "
                "mean num.partitions?"}));
  EXPECT_EQ(
      settings->notes(),
      (std::vector<std::string>{
          "Accepted, but not yet in effect: replica.lag.time.max.ms, listener.name.x.ssl.protocol",
          "Accepted, but without a meaning here: num.io.threads"}));
}

TEST(Settings, SecurityStopsTheStart) {
  for (const char* line :
       {"authorizer.class.name=kafka.security.authorizer.AclAuthorizer", "ssl.client.auth=required",
        "zookeeper.set.acl=true", "listener.name.a.ssl.client.auth=requested"}) {
    auto settings = load(line);
    ASSERT_FALSE(settings.ok()) << line;
    EXPECT_TRUE(settings.error().what().starts_with("config/server.properties:1: "))
        << settings.error().what();
    EXPECT_EQ(settings.error().what().find('\n'), std::string::npos);
  }
  for (const char* line :
       {"authorizer.class.name=", "ssl.client.auth=none", "zookeeper.set.acl=false"}) {
    EXPECT_TRUE(load(line).ok()) << line;
  }
  for (const char* line :
       {"secureClientPort=2182", "ssl.clientAuth=need", "sslQuorum=true",
        "ssl.authProvider=x509"}) {
    EXPECT_FALSE(load(line, {}, zookeeper_settings()).ok()) << line;
  }
  // these are in effect; what they ask for is looked at by the coordinator
  for (const char* line :
       {"authProvider.1=org.apache.zookeeper.server.auth.SASLAuthenticationProvider",
        "authProvider.sasl=org.apache.zookeeper.server.auth.SASLAuthenticationProvider",
        "requireClientAuthScheme=sasl", "sessionRequireClientSASLAuth=true", "superUser.2=bob"}) {
    auto settings = load(line, {}, zookeeper_settings());
    ASSERT_TRUE(settings.ok()) << line;
    EXPECT_TRUE(settings->warnings().empty()) << line;
    EXPECT_TRUE(settings->notes().empty()) << line;
  }
}

TEST(Settings, SecretsAreNotShown) {
  auto settings = load("ssl.key.password=geheim\n");
  ASSERT_TRUE(settings.ok());
  EXPECT_EQ(settings->place("ssl.key.password"),
            "config/server.properties:1: ssl.key.password=[hidden]");
}

TEST(Settings, ZooKeeper) {
  auto settings = load(
      "dataDir=/tmp/zookeeper\nclientPort=2181\nserver.1=a:2888:3888\n4lw.commands.whitelist=ruok, "
      "stat\n",
      {}, zookeeper_settings());
  ASSERT_TRUE(settings.ok()) << problem(settings);
  EXPECT_EQ(settings->get_int("clientPort"), 2181);
  EXPECT_EQ(settings->get_int("tickTime"), 3000);
  EXPECT_EQ(settings->get_list("4lw.commands.whitelist"),
            (std::vector<std::string>{"ruok", "stat"}));
  EXPECT_EQ(settings->given().at("server.1"), "a:2888:3888");
}

struct ListenerCase {
  const char* name;
  std::string text;
  std::string expected;  // "listeners | advertised | inter-broker", or a part of the error
};

class ListenerText : public testing::TestWithParam<ListenerCase> {};

TEST_P(ListenerText, FollowsKafkasRules) {
  auto settings = load(GetParam().text);
  ASSERT_TRUE(settings.ok()) << problem(settings);
  auto listeners = parse_listeners(*settings);
  std::string got;
  if (listeners) {
    for (const Endpoint& endpoint : listeners->listeners) got += endpoint.to_string() + " ";
    got += "| ";
    for (const Endpoint& endpoint : listeners->advertised) got += endpoint.to_string() + " ";
    got += "| " + listeners->inter_broker_name;
    EXPECT_EQ(got, GetParam().expected);
  } else {
    EXPECT_NE(listeners.error().what().find(GetParam().expected), std::string::npos)
        << listeners.error().what();
    EXPECT_EQ(listeners.error().code(), Errc::bad_setting);
  }
}

INSTANTIATE_TEST_SUITE_P(
    Rows, ListenerText,
    testing::Values(
        ListenerCase{"defaults", "", "PLAINTEXT://:9092 | PLAINTEXT://:9092 | PLAINTEXT"},
        ListenerCase{
            "advertised",
            "listeners=plaintext://0.0.0.0:9092\nadvertised.listeners=PLAINTEXT://h.example:19092",
            "PLAINTEXT://0.0.0.0:9092 | PLAINTEXT://h.example:19092 | PLAINTEXT"},
        ListenerCase{
            "two",
            "listeners=CLIENT://127.0.0.1:9092,REPLICATION://127.0.0.1:9093\n"
            "listener.security.protocol.map=CLIENT:PLAINTEXT,REPLICATION:PLAINTEXT\n"
            "inter.broker.listener.name=REPLICATION",
            "CLIENT://127.0.0.1:9092 REPLICATION://127.0.0.1:9093 | CLIENT://127.0.0.1:9092 "
            "REPLICATION://127.0.0.1:9093 | REPLICATION"},
        ListenerCase{"ipv6", "listeners=PLAINTEXT://[::1]:9092",
                     "PLAINTEXT://[::1]:9092 | PLAINTEXT://[::1]:9092 | PLAINTEXT"},
        ListenerCase{"any_port", "listeners=PLAINTEXT://localhost:0",
                     "PLAINTEXT://localhost:0 | PLAINTEXT://localhost:0 | PLAINTEXT"},
        ListenerCase{"old_style", "host.name=a\nport=1234\nadvertised.host.name=b",
                     "PLAINTEXT://a:1234 | PLAINTEXT://b:1234 | PLAINTEXT"},
        ListenerCase{"wildcard_is_not_advertised", "listeners=PLAINTEXT://0.0.0.0:9092",
                     "set advertised.listeners"},
        ListenerCase{"no_port", "listeners=PLAINTEXT://localhost", "expected NAME://host:port"},
        ListenerCase{"not_a_uri", "listeners=localhost:9092", "expected NAME://host:port"},
        ListenerCase{"port_too_large", "listeners=PLAINTEXT://:70000", "expected NAME://host:port"},
        ListenerCase{"empty", "listeners=", "at least one"},
        ListenerCase{"unknown_name", "listeners=CLIENT://:9092", "no security protocol is defined"},
        ListenerCase{"same_name", "listeners=PLAINTEXT://a:1,PLAINTEXT://b:2", "is there twice"},
        ListenerCase{
            "same_port",
            "listeners=A://a:1,B://b:1\nlistener.security.protocol.map=A:PLAINTEXT,B:PLAINTEXT",
            "is there twice"},
        ListenerCase{"bad_map", "listener.security.protocol.map=A:TLS", "expected NAME:PROTOCOL"},
        ListenerCase{"ssl", "listeners=SSL://:9093", "only PLAINTEXT listeners can be started"},
        ListenerCase{"sasl_by_map",
                     "listeners=A://:9093\nlistener.security.protocol.map=A:SASL_PLAINTEXT",
                     "only PLAINTEXT listeners can be started"},
        ListenerCase{"advertised_not_bound",
                     "listeners=PLAINTEXT://:1\nadvertised.listeners=SSL://h:2",
                     "is not in listeners"},
        ListenerCase{"inter_broker_missing", "inter.broker.listener.name=X",
                     "one of the advertised listeners"},
        ListenerCase{"no_plaintext", "listeners=A://:1\nlistener.security.protocol.map=A:PLAINTEXT",
                     "set inter.broker.listener.name"},
        ListenerCase{
            "both",
            "inter.broker.listener.name=PLAINTEXT\nsecurity.inter.broker.protocol=PLAINTEXT",
            "only one of"}),
    [](const auto& info) { return info.param.name; });

TEST(BrokerRules, BetweenSettings) {
  auto check = [](std::string_view text) {
    auto settings = load(text);
    if (!settings) return settings.error().what();
    auto checked = check_broker_settings(*settings);
    return checked.ok() ? std::string() : checked.error().what();
  };
  const std::string zk = "zookeeper.connect=localhost:2181\n";
  EXPECT_EQ(check(zk), "");
  EXPECT_NE(check("").find("zookeeper.connect: it is required"), std::string::npos);
  EXPECT_NE(check("process.roles=broker\n").find("KRaft"), std::string::npos);
  EXPECT_NE(check(zk + "broker.id=1001\n").find("broker.id=1001: expected -1"), std::string::npos);
  EXPECT_EQ(check(zk + "broker.id=1001\nbroker.id.generation.enable=false\n"), "");
  EXPECT_NE(check(zk + "broker.id.generation.enable=false\n").find("from 0 up"), std::string::npos);
  EXPECT_EQ(check(zk + "node.id=4\n"), "");
  EXPECT_NE(check(zk + "node.id=4\nbroker.id=5\n").find("same number"), std::string::npos);
  EXPECT_NE(check(zk + "group.min.session.timeout.ms=10\ngroup.max.session.timeout.ms=9\n"), "");
  EXPECT_NE(check(zk + "log.retention.ms=0\n"), "");
  EXPECT_EQ(check(zk + "log.retention.ms=-1\n"), "");
  EXPECT_NE(check(zk + "log.dirs=,\n"), "");
  EXPECT_NE(check(zk + "log.cleaner.dedupe.buffer.size=1048576\n").find("at least 1MB per cleaner"),
            std::string::npos);
  EXPECT_NE(check(zk + "log.cleaner.dedupe.buffer.size=2097152\nlog.cleaner.threads=2\n"), "");
  EXPECT_EQ(check(zk + "log.cleaner.dedupe.buffer.size=1048577\nlog.cleaner.threads=0\n"), "");
  EXPECT_NE(check(zk + "max.connections.per.ip.overrides=a\n"), "");
  EXPECT_EQ(check(zk + "max.connections.per.ip.overrides=127.0.0.1:5,::1:6\n"), "");
}

TEST(BrokerRules, DynamicSettings) {
  auto refuse = [](std::string_view key, std::string value, bool per_broker) {
    return refuse_dynamic_broker_config(key, value, per_broker).value_or("");
  };
  EXPECT_EQ(refuse("num.partitions", "3", true),
            "Cannot update these configs dynamically: Set(num.partitions)");
  EXPECT_EQ(refuse("log.retention.ms", "3", false), "");
  EXPECT_EQ(refuse("log.retention.ms", "x", false),
            "Invalid value x for configuration log.retention.ms: Not a number of type LONG");
  EXPECT_EQ(refuse("advertised.listeners", "PLAINTEXT://a:1", false),
            "Cannot update these configs at default cluster level: Set(advertised.listeners)");
  EXPECT_NE(refuse("ssl.keystore.location", "x", true), "");
  EXPECT_EQ(refuse("my.own.key", "x", true), "");
}

TEST(JavaMemory, Sizes) {
  EXPECT_EQ(parse_java_memory("400m"), 400 << 20);
  EXPECT_EQ(parse_java_memory("1G"), 1 << 30);
  EXPECT_EQ(parse_java_memory("1048576"), 1 << 20);
  EXPECT_EQ(parse_java_memory(""), std::nullopt);
  EXPECT_EQ(parse_java_memory("m"), std::nullopt);
  EXPECT_EQ(parse_java_memory("-5m"), std::nullopt);
  EXPECT_EQ(parse_java_memory("99999999999t"), std::nullopt);
  EXPECT_EQ(heap_budget("KAFKA_HEAP_OPTS", "-Xmx1G -Xms1G -Xmx256m").value(), 256 << 20);
  EXPECT_EQ(heap_budget("KAFKA_HEAP_OPTS", "-Xms1G").value(), std::nullopt);
  EXPECT_FALSE(heap_budget("KAFKA_HEAP_OPTS", "-Xmxlots").ok());
}

}  // namespace
}  // namespace odradek::config
