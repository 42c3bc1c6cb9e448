#pragma once
// Rows of the tab-separated files of tests/golden; lines that start with '#' are notes.

#include <gtest/gtest.h>

#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "common/bytes/text_codec.h"

namespace odradek::golden {

using Row = std::vector<std::string>;

inline std::vector<Row> read_rows(const std::string& name) {
  std::ifstream in(std::string(TEST_DATA_DIR) + "/golden/" + name);
  std::vector<Row> rows;
  for (std::string line; std::getline(in, line);) {
    if (line.empty() || line.front() == '#') continue;
    Row row;
    std::stringstream cells(line);
    for (std::string cell; std::getline(cells, cell, '\t');) row.push_back(cell);
    rows.push_back(std::move(row));
  }
  EXPECT_FALSE(rows.empty()) << name;
  return rows;
}

inline std::string unhex(const std::string& text) {
  auto bytes = hex_decode(text);
  EXPECT_TRUE(bytes.has_value()) << text;
  return bytes.value_or("");
}

// Without the int32 length in front, which must be right.
inline std::string frame(const std::string& text) {
  std::string bytes = unhex(text);
  ByteReader reader(bytes);
  EXPECT_EQ(static_cast<size_t>(reader.i32()), reader.remaining());
  return std::string(reader.rest());
}

}  // namespace odradek::golden
