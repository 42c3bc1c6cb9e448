#pragma once
// The settings of one process, read once at its start: every value checked, typed access by key.
// Immutable after load_settings, so it may be read from any thread.

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/check.h"
#include "common/config/properties.h"
#include "common/config/setting.h"
#include "common/result.h"

namespace odradek::config {

using ConfigMap = std::map<std::string, std::string, std::less<>>;

class Settings {
 public:
  // Only defaults; for tests.
  explicit Settings(const SettingTable& table) : table_(&table) {}

  const SettingTable& table() const { return *table_; }

  // Every getter takes a key of the table; another key is a broken invariant. A getter without "or
  // null" in its comment also needs a value: the default is not null, or has() was asked.
  bool has(std::string_view key) const;     // set or with a default, not null
  bool is_set(std::string_view key) const;  // in the file or by an override
  bool get_bool(std::string_view key) const;
  int32_t get_int(std::string_view key) const;   // INT and SHORT
  int64_t get_long(std::string_view key) const;  // any integer
  double get_double(std::string_view key) const;
  std::string get_string(std::string_view key) const;  // STRING, CLASS, PASSWORD, LIST as text
  std::optional<std::string> find_string(std::string_view key) const;  // or null
  std::vector<std::string> get_list(std::string_view key) const;       // empty for null

  // What the file and the overrides say, without defaults: Kafka's static broker configuration.
  const ConfigMap& given() const { return given_; }
  // The same in the order of the file, known and unknown keys, with secrets as "[hidden]".
  std::vector<std::pair<std::string, std::string>> shown() const;
  // "config/server.properties:12: num.partitions=7" for messages about a key; the bare key where it
  // is not set.
  std::string place(std::string_view key) const;
  // An Error in the one form: "PLACE: WHAT".
  Error refuse(std::string_view key, std::string_view what) const;

  // Lines to be logged once the log is open.
  const std::vector<std::string>& warnings() const { return warnings_; }
  const std::vector<std::string>& notes() const { return notes_; }
  void log_findings(std::string_view logger) const;

 private:
  friend Result<Settings> load_settings(const SettingTable& table, const Properties& properties,
                                        const std::vector<std::string>& overrides);
  const Setting& setting(std::string_view key) const;
  std::optional<std::string_view> value(std::string_view key) const;

  const SettingTable* table_;
  ConfigMap given_;  // known and unknown keys
  std::vector<std::string> order_;
  std::map<std::string, std::string, std::less<>> places_;
  std::vector<std::string> warnings_;
  std::vector<std::string> notes_;
};

// Checks everything. The first wrong value is an Error (bad_setting) of one line: file, line, key,
// value, what is allowed; a setting of security that is not in effect is one, too. Unknown keys
// become warnings with the nearest known name; accepted settings without effect become notes. An
// override is "key=value".
Result<Settings> load_settings(const SettingTable& table, const Properties& properties,
                               const std::vector<std::string>& overrides = {});

}  // namespace odradek::config
