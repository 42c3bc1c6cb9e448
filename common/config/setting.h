#pragma once
// What is known about each setting: Kafka's broker and topic settings of 2.5 to 4.x, those of
// users, clients and addresses, and ZooKeeper's. The tables are made from
// common/config/*_settings.tsv.

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace odradek::config {

// The numbers are those of DescribeConfigs (KIP-569).
enum class Type : int8_t {
  boolean = 1,
  string = 2,
  int32 = 3,
  int16 = 4,
  int64 = 5,
  float64 = 6,
  list = 7,
  class_name = 8,
  password = 9,
};

enum class Update : uint8_t {
  read_only,     // a restart
  per_broker,    // at run time, for one broker
  cluster_wide,  // at run time, for one broker or for all
};

enum class Importance : uint8_t { high, medium, low };

enum class Effect : uint8_t {
  in_effect,
  later,     // accepted; said once that it is not yet in effect
  none,      // accepted; has no meaning in this program
  security,  // leaving it out would open what was asked to be closed: stops the start
};

// What a value must be beyond its type.
enum class Rule : uint8_t {
  any,
  range,  // min..max, either may be missing
  range_or_minus_one,
  one_of,  // `choices`, for a list each of its entries
  one_of_any_case,
  non_empty,
  throttled_replicas,  // "*" or "partition:broker,..."
  kafka_version,       // as inter.broker.protocol.version
};

struct Setting {
  std::string_view name;  // "server.N" stands for server.1, server.2 ...
  Type type;
  bool has_default;  // false: null
  std::string_view default_value;
  Rule rule;
  bool has_min;
  double min;
  bool has_max;
  double max;
  std::string_view choices;  // separated by ", "
  Update update;
  Importance importance;
  Effect effect;
  bool internal;             // not shown by DescribeConfigs
  std::string_view synonym;  // of a topic setting: the broker setting that it falls back to
  std::string_view about;

  std::optional<std::string_view> default_or_null() const {
    return has_default ? std::optional(default_value) : std::nullopt;
  }
  bool sensitive() const { return type == Type::password; }
};

// One table, sorted by name.
struct SettingTable {
  std::span<const Setting> settings;
  // The setting of this key; nullptr for none. "server.3" finds "server.N".
  const Setting* find(std::string_view key) const;
  // The known name that is most like this one; empty where none is near.
  std::string_view nearest(std::string_view key) const;
};

const SettingTable& broker_settings();
const SettingTable& topic_settings();
const SettingTable& zookeeper_settings();
const SettingTable& user_settings();  // also of clients: quotas and SCRAM
const SettingTable& client_settings();
const SettingTable& ip_settings();

// "INT" and so on.
std::string_view name_of(Type type);

}  // namespace odradek::config
