#include "coordinator/store/znode_cache.h"

#include <gtest/gtest.h>

#include <string>

namespace odradek::coordinator::store {
namespace {

tree::ZnodeRef znode(std::string data) {
  auto node = std::make_shared<tree::Znode>();
  node->data = std::move(data);
  return node;
}

std::string path_of(int i) { return "/n" + std::to_string(i); }

TEST(ZnodeCache, KnowsWhatWasAdded) {
  ZnodeCache cache(1 << 20);
  EXPECT_EQ(cache.find("/a"), nullptr);
  cache.add("/a", znode("one"));
  ASSERT_NE(cache.find("/a"), nullptr);
  EXPECT_EQ(cache.find("/a")->bytes(), "one");
}

TEST(ZnodeCache, AnUpdateReplacesWhatIsKnownAndNothingElse) {
  ZnodeCache cache(1 << 20);
  cache.add("/a", znode("one"));
  cache.update("/a", znode("two"));
  cache.update("/b", znode("nobody asked"));
  EXPECT_EQ(cache.find("/a")->bytes(), "two");
  EXPECT_EQ(cache.find("/b"), nullptr);
  cache.update("/a", nullptr);
  EXPECT_EQ(cache.find("/a"), nullptr);
  EXPECT_EQ(cache.size(), 0u);
  EXPECT_EQ(cache.bytes(), 0u);
}

TEST(ZnodeCache, KeepsNothingWithoutRoom) {
  ZnodeCache cache(0);
  cache.add("/a", znode("one"));
  EXPECT_EQ(cache.find("/a"), nullptr);
}

TEST(ZnodeCache, StaysWithinItsBytesAndForgetsTheOldestFirst) {
  constexpr size_t kBytes = 256 << 10;
  ZnodeCache cache(kBytes);
  cache.add("/often", znode("x"));
  for (int i = 0; i < 10'000; ++i) {
    cache.add(path_of(i), znode(std::string(100, 'x')));
    ASSERT_NE(cache.find("/often"), nullptr) << i;
    ASSERT_LE(cache.bytes(), kBytes + (1 << 10));
  }
  EXPECT_EQ(cache.find(path_of(0)), nullptr);
  EXPECT_NE(cache.find(path_of(9'999)), nullptr);
  EXPECT_GT(cache.size(), 100u);
}

// An older generation may not show what was written since.
TEST(ZnodeCache, AnUpdateReachesTheOlderGeneration) {
  ZnodeCache cache(64 << 10);
  cache.add("/a", znode("one"));
  cache.add("/gone", znode("one"));
  for (int i = 0; i < 30; ++i) cache.add(path_of(i), znode(std::string(1000, 'x')));
  ASSERT_GT(cache.bytes(), size_t{32} << 10);  // more than one generation holds
  cache.update("/a", znode("two"));
  cache.update("/gone", nullptr);
  ASSERT_NE(cache.find("/a"), nullptr);
  EXPECT_EQ(cache.find("/a")->bytes(), "two");
  EXPECT_EQ(cache.find("/gone"), nullptr);
}

TEST(ZnodeCache, ALargeZnodeDoesNotPushOutAllOthers) {
  ZnodeCache cache(64 << 10);
  cache.add("/a", znode("one"));
  cache.add("/large", znode(std::string(60 << 10, 'x')));
  EXPECT_EQ(cache.find("/large"), nullptr);
  EXPECT_NE(cache.find("/a"), nullptr);
  cache.update("/a", znode(std::string(60 << 10, 'x')));
  EXPECT_EQ(cache.find("/a"), nullptr);
  EXPECT_EQ(cache.bytes(), 0u);
}

// Whoever got a znode keeps it as it was.
TEST(ZnodeCache, WhatWasFoundDoesNotMove) {
  ZnodeCache cache(1 << 20);
  cache.add("/a", znode("one"));
  tree::ZnodeRef held = cache.find("/a");
  cache.update("/a", znode("two"));
  EXPECT_EQ(held->bytes(), "one");
}

}  // namespace
}  // namespace odradek::coordinator::store
