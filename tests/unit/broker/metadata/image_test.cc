#include "broker/metadata/image.h"

#include <gtest/gtest.h>

#include "broker/metadata/connect_string.h"
#include "broker/metadata/wire_codec.h"

namespace odradek::broker::metadata {
namespace {

std::shared_ptr<Topic> topic(std::string name, uint8_t id, int partitions = 1) {
  auto made = std::make_shared<Topic>();
  made->name = std::move(name);
  made->id.bytes[0] = id;
  made->partitions.resize(static_cast<size_t>(partitions));
  return made;
}

Image image(int64_t zxid, std::vector<std::shared_ptr<Topic>> topics) {
  Image made;
  made.zxid = Zxid(zxid);
  for (auto& one : topics) {
    made.topic_names[one->id] = one->name;
    made.topics[one->name] = one;
  }
  return made;
}

TEST(ImageChange, DeletedOnlyWhereARecordSaysSo) {
  auto kept = topic("kept", 1);
  Image before = image(5, {kept, topic("recorded", 2), topic("lost", 3), topic("replaced", 4)});
  Image after = image(9, {kept, topic("replaced", 5), topic("new", 6)});
  after.deleted_topics = {{"old", Uuid(), Zxid(1), Zxid(4)},
                          {"recorded", before.topics["recorded"]->id, Zxid(2), Zxid(7)},
                          {"replaced", before.topics["replaced"]->id, Zxid(2), Zxid(8)}};
  ImageChange change = difference(&before, after, false);
  EXPECT_EQ(change.made, (std::vector<std::string>{"new", "replaced"}));
  EXPECT_EQ(change.vanished, std::vector<std::string>{"lost"});
  ASSERT_EQ(change.deleted.size(), 2u);  // the record of before was seen already
  EXPECT_EQ(change.deleted[0].name, "recorded");
  EXPECT_TRUE(change.changed.empty());
}

TEST(ImageChange, TheFirstImageBringsAllRecords) {
  Image after = image(9, {topic("t", 1)});
  after.deleted_topics = {{"old", Uuid(), Zxid(1), Zxid(4)}};
  ImageChange change = difference(nullptr, after, true);
  EXPECT_TRUE(change.snapshot);
  EXPECT_EQ(change.made, std::vector<std::string>{"t"});
  EXPECT_EQ(change.deleted.size(), 1u);
}

TEST(ImageChange, PartitionsAndConfigsApart) {
  Image before = image(5, {topic("a", 1), topic("b", 2)});
  auto a = std::make_shared<Topic>(*before.topics["a"]);
  a->partitions[0].leader = BrokerId(3);
  auto b = std::make_shared<Topic>(*before.topics["b"]);
  b->configs["x"] = "y";
  Image after = image(6, {a, b});
  ImageChange change = difference(&before, after, false);
  EXPECT_EQ(change.changed, std::vector<std::string>{"a"});
  EXPECT_EQ(change.configs_changed, std::vector<std::string>{"b"});
  EXPECT_FALSE(change.brokers_changed);
}

TEST(WireImage, DeltasAreCheckedAndShareWhatDidNotChange) {
  Image before = image(5, {topic("a", 1, 2), topic("b", 2)});
  wire::Delta delta;
  delta.set_before_zxid(4);
  EXPECT_FALSE(apply(before, delta));
  delta.set_before_zxid(5);
  delta.set_zxid(8);
  wire::Topic& changed = *delta.add_topics();
  changed.set_name("a");
  changed.set_id(std::string(1, '\1') + std::string(15, '\0'));
  wire::Partition& partition = *changed.add_partitions();
  partition.set_index(1);
  partition.set_leader(7);
  auto after = apply(before, delta);
  ASSERT_TRUE(after);
  EXPECT_EQ((*after)->zxid, Zxid(8));
  EXPECT_EQ((*after)->topic("a")->partitions[1].leader, BrokerId(7));
  EXPECT_EQ((*after)->topics.at("b"), before.topics.at("b"));
  EXPECT_EQ((*after)->topic((*after)->topic("a")->id)->name, "a");
  partition.set_index(2'000'000'000);
  EXPECT_FALSE(apply(before, delta));
  partition.set_index(-1);
  EXPECT_FALSE(apply(before, delta));
  partition.set_index(0);
  changed.set_id("short");
  EXPECT_FALSE(apply(before, delta));
  changed.set_id(std::string(16, 'x'));
  changed.set_name("nosuch");
  EXPECT_FALSE(apply(before, delta));
  delta.clear_topics();
  delta.add_topics_gone("a");
  after = apply(before, delta);
  ASSERT_TRUE(after);
  EXPECT_EQ((*after)->topic("a"), nullptr);
  EXPECT_EQ((*after)->topic(before.topics.at("a")->id), nullptr);
}

TEST(ConnectString, HostsPortsAndChroot) {
  struct Row {
    const char* text;
    std::vector<std::string> hosts;
    const char* chroot;
  };
  for (const Row& row :
       std::vector<Row>{{"localhost:2181", {"localhost:2181"}, ""},
                        {"localhost", {"localhost:2181"}, ""},
                        {"localhost:2181/", {"localhost:2181"}, ""},
                        {"localhost:2181/tutorial/two", {"localhost:2181"}, "/tutorial/two"},
                        {" a:1 , b:2/x/ ", {"a:1", "b:2"}, "/x"},
                        {"[::1]:7", {"[::1]:7"}, ""},
                        {"[::1]", {"[::1]:2181"}, ""},
                        {"fe80::1", {"[fe80::1]:2181"}, ""}}) {
    auto parsed = parse_connect_string(row.text);
    ASSERT_TRUE(parsed) << row.text;
    EXPECT_EQ(parsed->hosts, row.hosts) << row.text;
    EXPECT_EQ(parsed->chroot, row.chroot) << row.text;
  }
  for (const char* text : {"", "/x", "a:0", "a:65536", "a:b", ":1", "[::1", "[::1]x"}) {
    EXPECT_FALSE(parse_connect_string(text)) << text;
  }
}

}  // namespace
}  // namespace odradek::broker::metadata
