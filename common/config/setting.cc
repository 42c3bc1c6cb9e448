#include "common/config/setting.h"

#include <algorithm>
#include <utility>
#include <vector>

namespace odradek::config {
namespace {

// Insertions, removals and replacements from one to the other; `bound` or more are all the same.
size_t edit_distance(std::string_view a, std::string_view b, size_t bound) {
  if (a.size() > b.size()) std::swap(a, b);
  if (b.size() - a.size() >= bound) return bound;
  std::vector<size_t> row(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    size_t diagonal = row[0];
    row[0] = i;
    size_t least = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      size_t above = row[j];
      size_t best = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      if (above + 1 < best) best = above + 1;
      if (row[j - 1] + 1 < best) best = row[j - 1] + 1;
      row[j] = best;
      if (best < least) least = best;
      diagonal = above;
    }
    if (least >= bound) return bound;
  }
  return row[b.size()];
}

}  // namespace

const Setting* SettingTable::find(std::string_view key) const {
  auto exact = [this](std::string_view name) -> const Setting* {
    auto at = std::lower_bound(
        settings.begin(), settings.end(), name,
        [](const Setting& setting, std::string_view wanted) { return setting.name < wanted; });
    return at != settings.end() && at->name == name ? &*at : nullptr;
  };
  if (const Setting* setting = exact(key)) return setting;
  size_t dot = key.rfind('.');
  if (dot == std::string_view::npos || dot + 1 == key.size()) return nullptr;
  // ZooKeeper takes any name there
  if (key.starts_with("authProvider.")) return exact("authProvider.N");
  std::string_view number = key.substr(dot + 1);
  if (!std::all_of(number.begin(), number.end(), [](char c) { return c >= '0' && c <= '9'; }))
    return nullptr;
  return exact(std::string(key.substr(0, dot)) + ".N");
}

std::string_view SettingTable::nearest(std::string_view key) const {
  if (key.size() > 200) return {};
  std::string_view best;
  size_t best_distance = std::min<size_t>(5, key.size() / 3) + 1;
  for (const Setting& setting : settings) {
    if (setting.internal) continue;
    size_t distance = edit_distance(key, setting.name, best_distance);
    if (distance < best_distance) {
      best = setting.name;
      best_distance = distance;
    }
  }
  return best;
}

std::string_view name_of(Type type) {
  switch (type) {
    case Type::boolean:
      return "BOOLEAN";
    case Type::string:
      return "STRING";
    case Type::int32:
      return "INT";
    case Type::int16:
      return "SHORT";
    case Type::int64:
      return "LONG";
    case Type::float64:
      return "DOUBLE";
    case Type::list:
      return "LIST";
    case Type::class_name:
      return "CLASS";
    case Type::password:
      return "PASSWORD";
  }
  return "STRING";
}

}  // namespace odradek::config
