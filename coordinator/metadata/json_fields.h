#pragma once
// Reading and writing JSON fields, for znodes.cc and own_records.cc alone: the JSON library stays
// out of other headers.

#include <charconv>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/bytes/byte_reader.h"
#include "common/ids.h"

namespace odradek::coordinator::metadata {

using Json = nlohmann::ordered_json;

// Bytes that are not UTF-8 become U+FFFD: JSON cannot carry them.
inline std::string text_of(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

// An object, or a discarded value.
inline Json parse_object(ByteView data) {
  Json json = Json::parse(data, nullptr, false);
  return json.is_object() ? json : Json(Json::value_t::discarded);
}

inline const Json* find(const Json& json, const char* key) {
  auto found = json.find(key);
  return found == json.end() ? nullptr : &*found;
}

template <typename T>
std::optional<T> integer(const Json* json) {
  if (json == nullptr || !json->is_number_integer()) return std::nullopt;
  if (json->is_number_unsigned() && json->get<uint64_t>() > static_cast<uint64_t>(INT64_MAX))
    return std::nullopt;
  int64_t value = json->get<int64_t>();
  if (value < std::numeric_limits<T>::min() || value > std::numeric_limits<T>::max())
    return std::nullopt;
  return static_cast<T>(value);
}

inline std::optional<std::string> string(const Json* json) {
  if (json == nullptr || !json->is_string()) return std::nullopt;
  return json->get<std::string>();
}

template <typename T>
std::optional<T> number_in(std::string_view text, int base = 10) {
  T value{};
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

// Kafka writes 64-bit numbers as text.
inline std::optional<int64_t> long_text(const Json* json) {
  auto text = string(json);
  return text ? number_in<int64_t>(*text) : integer<int64_t>(json);
}

inline Json id_list(const std::vector<BrokerId>& ids) {
  Json list = Json::array();
  for (BrokerId id : ids) list.push_back(id.value());
  return list;
}

inline std::optional<std::vector<BrokerId>> decode_id_list(const Json* json) {
  if (json == nullptr || !json->is_array()) return std::nullopt;
  std::vector<BrokerId> ids;
  for (const Json& item : *json) {
    auto id = integer<int32_t>(&item);
    if (!id) return std::nullopt;
    ids.emplace_back(*id);
  }
  return ids;
}

inline std::optional<Uuid> uuid(const Json* json) {
  auto text = string(json);
  return text ? Uuid::parse(*text) : std::nullopt;
}

}  // namespace odradek::coordinator::metadata
