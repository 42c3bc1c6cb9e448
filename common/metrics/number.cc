#include "common/metrics/number.h"

#include <charconv>
#include <cmath>
#include <string_view>

namespace odradek::metrics {

namespace {

// "12345" and an exponent of ten for the first digit, from "1.2345e+04".
struct Digits {
  bool negative;
  std::string digits;
  int exponent;
};

Digits digits_of(double value) {
  char text[40];
  auto end = std::to_chars(text, text + sizeof text, value, std::chars_format::scientific).ptr;
  std::string_view all(text, static_cast<size_t>(end - text));
  Digits out{all.front() == '-', "", 0};
  if (out.negative) all.remove_prefix(1);
  size_t e = all.find('e');
  for (char c : all.substr(0, e)) {
    if (c != '.') out.digits += c;
  }
  std::string_view exponent = all.substr(e + 1);
  if (exponent.front() == '+') exponent.remove_prefix(1);
  std::from_chars(exponent.data(), exponent.data() + exponent.size(), out.exponent);
  return out;
}

}  // namespace

std::string java_double(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value < 0 ? "-Infinity" : "Infinity";
  if (value == 0) return std::signbit(value) ? "-0.0" : "0.0";
  Digits number = digits_of(value);
  std::string out = number.negative ? "-" : "";
  std::string& digits = number.digits;
  double size = std::fabs(value);
  if (size < 1e-3 || size >= 1e7) {
    if (digits.size() == 1) digits += '0';
    return out + digits.substr(0, 1) + "." + digits.substr(1) + "E" +
           std::to_string(number.exponent);
  }
  if (number.exponent < 0) {
    digits.insert(0, static_cast<size_t>(-number.exponent), '0');
    number.exponent = 0;
  }
  size_t whole = static_cast<size_t>(number.exponent) + 1;
  while (digits.size() <= whole) digits += '0';
  return out + digits.substr(0, whole) + "." + digits.substr(whole);
}

std::string java_average(double value) { return java_double(std::round(value * 1e4) / 1e4); }

}  // namespace odradek::metrics
