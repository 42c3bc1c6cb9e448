#include "common/http/json_writer.h"

#include <gtest/gtest.h>

#include <limits>

namespace odradek::http {
namespace {

// The layout of what ZooKeeper's admin server sends.
TEST(JsonWriter, LaysOutAsJackson) {
  JsonWriter out;
  out.begin_object();
  out.key("connections").begin_array();
  for (int i = 1; i <= 2; ++i) {
    out.begin_object();
    out.key("peer").string("127.0.0.1:" + std::to_string(i));
    out.key("ops").number(i);
    out.end_object();
  }
  out.end_array();
  out.key("none").begin_array().end_array();
  out.key("empty").begin_object().end_object();
  out.key("ids").begin_array().number(7).number(-8).end_array();
  out.key("inner").begin_object().key("half").number(0.5).end_object();
  out.key("yes").boolean(true);
  out.key("error").null();
  out.end_object();
  EXPECT_EQ(out.take(), R"({
  "connections" : [ {
    "peer" : "127.0.0.1:1",
    "ops" : 1
  }, {
    "peer" : "127.0.0.1:2",
    "ops" : 2
  } ],
  "none" : [ ],
  "empty" : { },
  "ids" : [ 7, -8 ],
  "inner" : {
    "half" : 0.5
  },
  "yes" : true,
  "error" : null
})");
}

TEST(JsonWriter, EscapesAndMendsText) {
  const std::pair<std::string, std::string> rows[] = {
      {"plain", "plain"},
      {"\"\\/", "\\\"\\\\/"},
      {"a\nb\tc\rd", "a\\nb\\tc\\rd"},
      {std::string("\0\x1f\x7f", 3), "\\u0000\\u001F\x7f"},
      {"첫토픽 \xf0\x9f\x98\x80", "첫토픽 \xf0\x9f\x98\x80"},
      {"\xff" "a", "\xef\xbf\xbd" "a"},
      {"cut \xe2\x82", "cut \xef\xbf\xbd\xef\xbf\xbd"},
      {"\xc0\xaf", "\xef\xbf\xbd\xef\xbf\xbd"},           // over-long
      {"\xed\xa0\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"},  // half of a pair
  };
  for (const auto& [text, json] : rows) {
    JsonWriter out;
    out.string(text);
    EXPECT_EQ(out.take(), "\"" + json + "\"");
  }
}

TEST(JsonWriter, NumbersThatJsonDoesNotKnow) {
  JsonWriter out;
  out.begin_array();
  out.number(std::numeric_limits<double>::quiet_NaN()).number(1e20);
  out.number(std::numeric_limits<int64_t>::min()).end_array();
  EXPECT_EQ(out.take(), "[ \"NaN\", 1.0E20, -9223372036854775808 ]");
}

}  // namespace
}  // namespace odradek::http
