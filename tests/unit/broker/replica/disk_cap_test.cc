#include "broker/replica/disk_cap.h"

#include <gtest/gtest.h>

namespace odradek::broker::replica {
namespace {

CapCandidate segment(const char* topic, int64_t base, uint64_t size, int64_t time) {
  return {{topic, PartitionId(0)}, Offset(base), size, time};
}

// "a0 b10": which segments, in the order in which they were chosen
std::string names(const std::vector<CapCandidate>& chosen) {
  std::string text;
  for (const CapCandidate& each : chosen) {
    text += (text.empty() ? "" : " ") + each.id.topic + std::to_string(each.base_offset.value());
  }
  return text;
}

TEST(DiskCap, TheOldestOfAllGoFirst) {
  const std::vector<CapCandidate> candidates = {
      segment("a", 0, 100, 10), segment("a", 10, 100, 40), segment("b", 0, 100, 20),
      segment("b", 7, 100, 30), segment("c", 0, 100, 50)};
  EXPECT_EQ(names(segments_to_remove(candidates, 0)), "");
  EXPECT_EQ(names(segments_to_remove(candidates, 1)), "a0");
  EXPECT_EQ(names(segments_to_remove(candidates, 100)), "a0");
  EXPECT_EQ(names(segments_to_remove(candidates, 101)), "a0 b0");
  EXPECT_EQ(names(segments_to_remove(candidates, 350)), "a0 b0 b7 a10");
  EXPECT_EQ(names(segments_to_remove(candidates, 5000)), "a0 b0 b7 a10 c0");
  EXPECT_EQ(names(segments_to_remove({}, 5000)), "");
}

// Offsets of a log leave from the front alone: a newer timestamp there keeps what is behind it.
TEST(DiskCap, APartitionIsNeverOpenedInTheMiddle) {
  const std::vector<CapCandidate> candidates = {segment("a", 0, 100, 90), segment("a", 5, 100, 1),
                                                segment("b", 0, 100, 50)};
  EXPECT_EQ(names(segments_to_remove(candidates, 100)), "b0");
  EXPECT_EQ(names(segments_to_remove(candidates, 300)), "b0 a0 a5");
}

TEST(DiskCap, TheSameMomentGoesByName) {
  const std::vector<CapCandidate> candidates = {segment("b", 0, 1, 5), segment("a", 0, 1, 5),
                                                segment("c", 0, 1, 5)};
  EXPECT_EQ(names(segments_to_remove(candidates, 3)), "a0 b0 c0");
}

}  // namespace
}  // namespace odradek::broker::replica
