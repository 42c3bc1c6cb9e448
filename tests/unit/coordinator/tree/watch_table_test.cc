#include "coordinator/tree/watch_table.h"

#include <gtest/gtest.h>

namespace odradek::coordinator::tree {
namespace {

struct Hears final : Watcher {
  void on_watch_event(EventType type, const std::string& path, Zxid) override {
    const char* names[] = {"", "Created", "Deleted", "DataChanged", "ChildrenChanged"};
    events.push_back(std::string(names[static_cast<int>(type)]) + " " + path);
  }
  bool may_hear(const Acl& acl) const override { return acl == *open_acl(); }
  std::vector<std::string> events;
};

Change change(Change::Kind kind, const std::string& path) {
  Change change;
  change.kind = kind;
  change.path = path;
  return change;
}

// facts/zk-watch-table.tsv: a watch on /w/n, then changes.
TEST(WatchTable, FiresAsZooKeeperDoes) {
  using Kind = Change::Kind;
  const Change set = change(Kind::data_changed, "/w/n");
  const Change gone = change(Kind::deleted, "/w/n");
  const Change made = change(Kind::created, "/w/n");
  const Change acl = change(Kind::acl_changed, "/w/n");
  const Change child_made = change(Kind::created, "/w/n/c");
  const Change child2_made = change(Kind::created, "/w/n/c2");
  const Change child_gone = change(Kind::deleted, "/w/n/c");
  const Change child_set = change(Kind::data_changed, "/w/n/c");
  const Change grandchild = change(Kind::created, "/w/n/c/d");
  const Change sibling = change(Kind::created, "/w/s");
  struct Row {
    uint8_t kind;
    std::vector<Change> changes;
    std::vector<std::string> events;
  };
  const Row rows[] = {
      {kWatchData, {set}, {"DataChanged /w/n"}},
      {kWatchData, {gone}, {"Deleted /w/n"}},
      {kWatchData, {acl}, {}},
      {kWatchData, {child_made}, {}},
      {kWatchData, {child_set}, {}},
      {kWatchData, {sibling}, {}},
      {kWatchData, {set, set}, {"DataChanged /w/n"}},
      {kWatchData, {gone, made}, {"Deleted /w/n"}},
      {kWatchData, {made}, {"Created /w/n"}},
      {kWatchChild, {set}, {}},
      {kWatchChild, {gone}, {"Deleted /w/n"}},
      {kWatchChild, {child_made}, {"ChildrenChanged /w/n"}},
      {kWatchChild, {child_gone}, {"ChildrenChanged /w/n"}},
      {kWatchChild, {grandchild}, {}},
      {kWatchChild, {child_made, child2_made}, {"ChildrenChanged /w/n"}},
      {kWatchData | kWatchChild, {gone}, {"Deleted /w/n"}},
      {kWatchPersistent, {set, set}, {"DataChanged /w/n", "DataChanged /w/n"}},
      {kWatchPersistent, {gone, made}, {"Deleted /w/n", "Created /w/n"}},
      {kWatchPersistent,
       {child_made, child_gone},
       {"ChildrenChanged /w/n", "ChildrenChanged /w/n"}},
      {kWatchPersistent, {child_set, grandchild, acl, sibling}, {}},
      {kWatchRecursive, {set}, {"DataChanged /w/n"}},
      {kWatchRecursive,
       {child_made, child_set, child_gone},
       {"Created /w/n/c", "DataChanged /w/n/c", "Deleted /w/n/c"}},
      {kWatchRecursive, {grandchild}, {"Created /w/n/c/d"}},
      {kWatchRecursive, {sibling, acl}, {}},
      {kWatchRecursive | kWatchData, {set}, {"DataChanged /w/n"}},
  };
  int number = 0;
  for (const Row& row : rows) {
    WatchTable table;
    Hears hears;
    ASSERT_TRUE(table.add("/w/n", row.kind, &hears));
    for (const Change& each : row.changes) table.fire(each, Zxid(1));
    EXPECT_EQ(hears.events, row.events) << "row " << number;
    table.remove_all(&hears);
    EXPECT_EQ(table.watch_count(), 0u);
    EXPECT_EQ(table.path_count(), 0u);
    EXPECT_EQ(table.watcher_count(), 0u);
    ++number;
  }
}

TEST(WatchTable, ADeletionTellsTheParentsWatchersToo) {
  WatchTable table;
  Hears hears;
  ASSERT_TRUE(table.add("/w", kWatchChild, &hears));
  ASSERT_TRUE(table.add("/w/n", kWatchData, &hears));
  table.fire(change(Change::Kind::deleted, "/w/n"), Zxid(1));
  EXPECT_EQ(hears.events, (std::vector<std::string>{"Deleted /w/n", "ChildrenChanged /w"}));
}

TEST(WatchTable, ChildrenOfTheRoot) {
  WatchTable table;
  Hears hears;
  ASSERT_TRUE(table.add("/", kWatchChild, &hears));
  ASSERT_TRUE(table.add("/", kWatchRecursive, &hears));
  table.fire(change(Change::Kind::created, "/a"), Zxid(1));
  EXPECT_EQ(hears.events, (std::vector<std::string>{"Created /a", "ChildrenChanged /"}));
}

TEST(WatchTable, CountsRemovalsAndManyWatchers) {
  WatchTable table;
  Hears a;
  Hears b;
  ASSERT_TRUE(table.add("/x", kWatchData, &a));
  ASSERT_TRUE(table.add("/x", kWatchData, &a));  // twice is once
  ASSERT_TRUE(table.add("/x", kWatchData | kWatchChild, &b));
  ASSERT_TRUE(table.add("/y", kWatchPersistent, &b));
  EXPECT_EQ(table.watch_count(), 5u);  // one that stays is two
  EXPECT_EQ(table.path_count(), 2u);
  EXPECT_EQ(table.watcher_count(), 2u);
  EXPECT_EQ(table.kinds("/x", &b), kWatchData | kWatchChild);
  EXPECT_FALSE(table.remove("/x", kWatchChild, &a));
  EXPECT_TRUE(table.remove("/x", kWatchChild, &b));
  EXPECT_FALSE(table.remove("/none", kWatchChild, &b));
  table.fire(change(Change::Kind::data_changed, "/x"), Zxid(1));
  EXPECT_EQ(a.events.size(), 1u);
  EXPECT_EQ(b.events.size(), 1u);
  EXPECT_EQ(table.path_count(), 1u);
  table.remove_all(&b);
  EXPECT_EQ(table.watch_count(), 0u);
}

// Measured on 3.8.4: the events of a znode that one may not read are not told, and a one-shot watch
// is spent all the same.
TEST(WatchTable, WhoMayNotReadHearsNothing) {
  auto closed = std::make_shared<const Acl>(Acl{AclEntry(31, Identity("digest", "u:x"))});
  WatchTable table;
  Hears hears;
  ASSERT_TRUE(table.add("/p", kWatchChild, &hears));
  ASSERT_TRUE(table.add("/p/n", kWatchData, &hears));
  Change made = change(Change::Kind::created, "/p/n");
  made.acl = closed;
  made.parent_acl = open_acl();
  table.fire(made, Zxid(1));
  EXPECT_EQ(hears.events, std::vector<std::string>{"ChildrenChanged /p"});
  Change set = change(Change::Kind::data_changed, "/p/n");
  set.acl = open_acl();
  table.fire(set, Zxid(2));
  EXPECT_EQ(hears.events.size(), 1u);
  ASSERT_TRUE(table.add("/p", kWatchRecursive, &hears));
  table.fire(made, Zxid(3));
  EXPECT_EQ(hears.events.size(), 1u);
  Change gone = change(Change::Kind::deleted, "/p/n");
  gone.acl = open_acl();
  gone.parent_acl = closed;
  table.fire(gone, Zxid(4));
  EXPECT_EQ(hears.events.back(), "Deleted /p/n");
  table.remove_all(&hears);
}

TEST(WatchTable, LimitsCountPlacesAndLongPathsMore) {
  WatchTable table;
  table.set_limits({6, 4});
  Hears a;
  Hears b;
  EXPECT_TRUE(table.add("/1", kWatchData, &a));
  EXPECT_TRUE(table.add("/1", kWatchChild | kWatchRecursive, &a));  // the same place
  EXPECT_EQ(table.places(), 1u);
  std::string longer = "/" + std::string(600, 'x');
  EXPECT_TRUE(table.add(longer, kWatchData, &a));
  EXPECT_EQ(table.places_of(&a), 4u);
  EXPECT_FALSE(table.add("/2", kWatchData, &a)) << "beyond what one watcher may have";
  EXPECT_EQ(table.kinds("/2", &a), 0);
  EXPECT_TRUE(table.add("/2", kWatchData, &b));
  EXPECT_TRUE(table.add("/3", kWatchData, &b));
  EXPECT_FALSE(table.add("/4", kWatchData, &b)) << "beyond what there may be";
  EXPECT_TRUE(table.add("/3", kWatchPersistent, &b)) << "what is there may grow";
  EXPECT_EQ(table.path_count(), 4u);
  table.fire(change(Change::Kind::data_changed, longer), Zxid(1));
  EXPECT_EQ(table.places(), 3u);
  EXPECT_TRUE(table.add("/4", kWatchData, &b));
  table.remove_all(&a);
  table.remove_all(&b);
  EXPECT_EQ(table.places(), 0u);
  EXPECT_EQ(table.places_of(&b), 0u);
}

TEST(WatchTable, SaysHowManyAnEventConcerns) {
  WatchTable table;
  std::vector<std::pair<EventType, size_t>> fired;
  table.on_fired([&](EventType type, size_t watchers) { fired.emplace_back(type, watchers); });
  Hears a;
  Hears b;
  ASSERT_TRUE(table.add("/n", kWatchData, &a));
  ASSERT_TRUE(table.add("/n", kWatchPersistent, &b));
  ASSERT_TRUE(table.add("/", kWatchChild, &a));
  table.fire(change(Change::Kind::data_changed, "/n"), Zxid(1));
  table.fire(change(Change::Kind::data_changed, "/other"), Zxid(2));
  table.fire(change(Change::Kind::deleted, "/n"), Zxid(3));
  EXPECT_EQ(fired, (std::vector<std::pair<EventType, size_t>>{{EventType::data_changed, 2},
                                                              {EventType::deleted, 1},
                                                              {EventType::children_changed, 1}}));
}

}  // namespace
}  // namespace odradek::coordinator::tree
