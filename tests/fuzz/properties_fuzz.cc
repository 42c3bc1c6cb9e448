// A properties file, read as server.properties and as zookeeper.properties, with everything that
// follows from it.
#include "common/check.h"
#include "common/config/broker_rules.h"
#include "common/config/describe.h"
#include "common/config/java_memory.h"
#include "common/config/listeners.h"

namespace {

using namespace odradek::config;

void run(const SettingTable& table, const Properties& properties) {
  auto settings = load_settings(table, properties);
  if (!settings) {
    CHECK(!settings.error().what().empty());
    return;
  }
  for (const Setting& setting : table.settings) settings->find_string(setting.name);
  if (&table != &broker_settings()) return;
  if (!check_broker_settings(*settings)) return;
  CHECK(!log_dirs(*settings).empty());
  auto listeners = parse_listeners(*settings);
  if (listeners) CHECK(listeners->find_advertised(listeners->inter_broker_name) != nullptr);
  BrokerConfigs broker{nullptr, nullptr, &*settings};
  // What the file says counts as a topic's own settings, too.
  std::string problem;
  resolve_topic_config(settings->given(), broker, &problem);
  describe_topic_configs(settings->given(), broker);
  describe_broker_configs(broker);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view text(reinterpret_cast<const char*>(data), size);
  (void)heap_budget("KAFKA_HEAP_OPTS", text);
  auto properties = Properties::parse(text, "fuzz.properties");
  if (!properties) return 0;
  run(broker_settings(), *properties);
  run(zookeeper_settings(), *properties);
  return 0;
}
