#pragma once
// JsonWriter: JSON text as it is made, without a document in memory, so that a long list costs no
// more than its text. The layout is that of Jackson's default pretty printer, which people know from
// Apache's servers: objects indented by two, arrays in line.

#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace odradek::http {

class JsonWriter {
 public:
  JsonWriter& begin_object();
  JsonWriter& end_object();
  JsonWriter& begin_array();
  JsonWriter& end_array();
  // Of the member whose value comes next.
  JsonWriter& key(std::string_view name);

  JsonWriter& string(std::string_view value);  // bytes that are no UTF-8 become U+FFFD
  template <std::integral T>
  JsonWriter& number(T value) {
    return raw(std::to_string(value));
  }
  JsonWriter& number(double value);  // as Java prints it; NaN and infinities as strings
  JsonWriter& boolean(bool value) { return raw(value ? "true" : "false"); }
  JsonWriter& null() { return raw("null"); }

  // The whole text, when all that was begun is ended.
  std::string take() { return std::move(out_); }
  size_t size() const { return out_.size(); }

 private:
  struct Level {
    bool array;
    bool empty = true;
  };
  JsonWriter& raw(std::string_view text);
  void before_value();
  void new_line();
  void quoted(std::string_view text);

  std::string out_;
  std::vector<Level> levels_;
  bool after_key_ = false;
};

}  // namespace odradek::http
