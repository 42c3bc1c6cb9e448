#include "common/config/settings.h"

#include "common/config/values.h"
#include "common/log/log.h"

namespace odradek::config {
namespace {

constexpr std::string_view kListenerPrefix = "listener.name.";

// The setting of a key as it stands in a file: also "listener.name.NAME.KEY" and
// "listener.name.NAME.MECHANISM.KEY".
const Setting* find_setting(const SettingTable& table, std::string_view key) {
  if (const Setting* setting = table.find(key)) return setting;
  if (!key.starts_with(kListenerPrefix)) return nullptr;
  std::string_view rest = key.substr(kListenerPrefix.size());
  for (size_t dot = rest.find('.'); dot != std::string_view::npos; dot = rest.find('.')) {
    rest = rest.substr(dot + 1);
    if (const Setting* setting = table.find(rest)) return setting;
  }
  return nullptr;
}

// Whether a setting of security asks for anything: its default, "none", "no" and "false" do not.
bool asks_for_security(const Setting& setting, std::string_view value) {
  std::string text = normal_form(setting, value);
  for (char& c : text) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  if (text.empty() || text == "none" || text == "no" || text == "false") return false;
  return !setting.has_default || normal_form(setting, value) != setting.default_value;
}

std::string note(std::string_view head, const std::vector<std::string>& keys) {
  std::string out(head);
  for (const std::string& key : keys) out.append(&key == &keys.front() ? " " : ", ").append(key);
  return out;
}

}  // namespace

const Setting& Settings::setting(std::string_view key) const {
  const Setting* found = table_->find(key);
  CHECK(found != nullptr);
  return *found;
}

std::optional<std::string_view> Settings::value(std::string_view key) const {
  auto at = given_.find(key);
  if (at != given_.end()) return std::string_view(at->second);
  return setting(key).default_or_null();
}

bool Settings::has(std::string_view key) const {
  setting(key);
  return value(key).has_value();
}

bool Settings::is_set(std::string_view key) const { return given_.contains(key); }

bool Settings::get_bool(std::string_view key) const {
  auto parsed = parse_boolean(trim(value(key).value_or("")));
  CHECK(parsed.has_value());
  return *parsed;
}

int32_t Settings::get_int(std::string_view key) const {
  int64_t number = get_long(key);
  CHECK(number >= INT32_MIN && number <= INT32_MAX);
  return static_cast<int32_t>(number);
}

int64_t Settings::get_long(std::string_view key) const {
  auto parsed = parse_integer(trim(value(key).value_or("")));
  CHECK(parsed.has_value());
  return *parsed;
}

double Settings::get_double(std::string_view key) const {
  auto parsed = parse_double(trim(value(key).value_or("")));
  CHECK(parsed.has_value());
  return *parsed;
}

std::string Settings::get_string(std::string_view key) const {
  auto text = value(key);
  CHECK(text.has_value());
  return std::string(trim(*text));
}

std::optional<std::string> Settings::find_string(std::string_view key) const {
  auto text = value(key);
  if (!text) return std::nullopt;
  return std::string(trim(*text));
}

std::vector<std::string> Settings::get_list(std::string_view key) const {
  return parse_list(value(key).value_or(""));
}

std::string Settings::place(std::string_view key) const {
  auto at = places_.find(key);
  if (at == places_.end()) return std::string(key);
  const Setting* known = find_setting(*table_, key);
  auto given = given_.find(key);
  std::string out = at->second + ": " + std::string(key) + "=";
  if (known != nullptr && known->sensitive()) return out + "[hidden]";
  return out + given->second;
}

std::vector<std::pair<std::string, std::string>> Settings::shown() const {
  std::vector<std::pair<std::string, std::string>> lines;
  for (const std::string& key : order_) {
    const Setting* known = find_setting(*table_, key);
    bool hidden = known != nullptr && known->sensitive();
    lines.emplace_back(key, hidden ? "[hidden]" : given_.at(key));
  }
  return lines;
}

Error Settings::refuse(std::string_view key, std::string_view what) const {
  return Error(Errc::bad_setting, place(key).append(": ").append(what));
}

void Settings::log_findings(std::string_view logger) const {
  for (const std::string& line : warnings_) LOG_WARN(logger, "{}", line);
  for (const std::string& line : notes_) LOG_INFO(logger, "{}", line);
}

Result<Settings> load_settings(const SettingTable& table, const Properties& properties,
                               const std::vector<std::string>& overrides) {
  Properties all = properties;
  for (const std::string& assignment : overrides) {
    if (auto added = all.add_override(assignment); !added) return added.error();
  }
  Settings settings(table);
  std::vector<std::string> later;
  std::vector<std::string> meaningless;
  for (const Property& entry : all.entries()) {
    settings.order_.push_back(entry.key);
    settings.given_[entry.key] = entry.value;
    settings.places_[entry.key] = all.place(entry);
    const Setting* setting = find_setting(table, entry.key);
    if (setting == nullptr) {
      std::string line = all.place(entry) + ": unknown setting " + entry.key + " is passed over";
      std::string_view nearest = table.nearest(entry.key);
      if (!nearest.empty()) line.append("; did you mean ").append(nearest).append("?");
      settings.warnings_.push_back(std::move(line));
      continue;
    }
    if (refuse_value(*setting, entry.key, entry.value)) {
      return settings.refuse(entry.key, "expected " + allowed_values(*setting));
    }
    switch (setting->effect) {
      case Effect::in_effect:
        break;
      case Effect::later:
        later.push_back(entry.key);
        break;
      case Effect::none:
        meaningless.push_back(entry.key);
        break;
      case Effect::security:
        if (asks_for_security(*setting, entry.value)) {
          return settings.refuse(
              entry.key,
              "not yet in effect; starting without it would leave open what it is to close. "
              "Remove the line to start without that protection");
        }
    }
  }
  if (!later.empty()) settings.notes_.push_back(note("Accepted, but not yet in effect:", later));
  if (!meaningless.empty())
    settings.notes_.push_back(note("Accepted, but without a meaning here:", meaningless));
  return settings;
}

}  // namespace odradek::config
