#include "coordinator/store/store_check.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/bytes/byte_writer.h"
#include "coordinator/store/memory_store.h"

namespace odradek::coordinator::store {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr int64_t kSession = 0x42;

class StoreCheckTest : public ::testing::Test {
 protected:
  StoreCheckTest() : fence(*store.lead()) {
    add("/", 3, 3);
    add("/a", 1, 2);
    add("/a/b", 0, 0);
    tree::Stat ephemeral;
    ephemeral.kind = tree::NodeKind::ephemeral;
    ephemeral.ephemeral_owner = SessionId(kSession);
    add("/e", 0, 0, ephemeral);
    tree::Stat container;
    container.kind = tree::NodeKind::container;
    add("/c", 0, 0, container, 1);
    put(ephemeral_key(SessionId(kSession), "/e"), "");
    put(swept_key("/c"), "");
    put(session_key(SessionId(kSession)), encode_session({9000, {}}));
    std::string acl = encode_acl({tree::AclEntry(1, tree::Identity("ip", "10.0.0.1"))});
    ByteWriter one;
    one.u32(1);
    put(acl_key(1), acl);
    put(acl_content_key(acl), one.take());
    totals.nodes = 5;
    totals.ephemerals = 1;
    totals.data_bytes = 1 + 2 + 4 + 2 + 2 + 5;
    totals.last_acl = 1;
    totals.last_zxid = Zxid(9);
    put_totals();
  }

  void add(const std::string& path, int32_t children, int32_t creates, tree::Stat stat = {},
           uint32_t acl = 0) {
    tree::Znode node;
    node.data = "x";
    node.stat = stat;
    node.stat.czxid = node.stat.mzxid = node.stat.pzxid = Zxid(3);
    node.stat.num_children = children;
    node.stat.created_children = creates;
    put(node_key(path), encode_node(node, acl));
  }
  void put(std::string key, std::string value) {
    Batch batch;
    batch.put(std::move(key), std::move(value));
    ASSERT_TRUE(store.commit(batch, fence).ok());
  }
  void remove(std::string key) {
    Batch batch;
    batch.remove(std::move(key));
    ASSERT_TRUE(store.commit(batch, fence).ok());
  }
  void put_totals() { put(std::string(totals_key()), encode_totals(totals)); }
  std::vector<std::string> check() {
    std::vector<std::string> found;
    report = check_contents(*store.snapshot(), [&](const std::string& what) { found.push_back(what); });
    EXPECT_EQ(report.findings, static_cast<int64_t>(found.size()));
    return found;
  }

  MemoryStore store;
  Fence fence;
  Totals totals;
  CheckReport report;
};

TEST_F(StoreCheckTest, NothingIsWrongWithAStoreThatFits) {
  EXPECT_THAT(check(), IsEmpty());
  EXPECT_EQ(report.znodes, 5);
  EXPECT_EQ(report.ephemerals, 1);
  EXPECT_EQ(report.sessions, 1);
  EXPECT_EQ(report.acls, 1);
  EXPECT_EQ(report.last_zxid, Zxid(9));
}

TEST_F(StoreCheckTest, AParentThatIsNotThere) {
  remove(node_key("/a"));
  totals.nodes -= 1;
  totals.data_bytes -= 3;
  put_totals();
  EXPECT_THAT(check(),
              ElementsAre("/ says that it has 3 children, and 2 are there",
                          "1 znodes stand below /a, which is not there"));
}

TEST_F(StoreCheckTest, AChildThatIsNotThere) {
  remove(node_key("/a/b"));
  totals.nodes -= 1;
  totals.data_bytes -= 5;
  put_totals();
  EXPECT_THAT(check(), ElementsAre("/a says that it has 1 children, and none is there"));
}

TEST_F(StoreCheckTest, FewerCreatesThanChildren) {
  add("/a", 1, 0);
  EXPECT_THAT(check(), ElementsAre("/a has 1 children and counts 0 creates of them"));
  add("/a", 1, INT32_MIN);  // wrapped
  EXPECT_THAT(check(), IsEmpty());
}

TEST_F(StoreCheckTest, AnEphemeralWithoutASession) {
  remove(session_key(SessionId(kSession)));
  EXPECT_THAT(check(), ElementsAre("/e is an ephemeral of session 0x42, which is not there"));
}

TEST_F(StoreCheckTest, AnEphemeralThatItsSessionDoesNotKnow) {
  remove(ephemeral_key(SessionId(kSession), "/e"));
  EXPECT_THAT(check(), ElementsAre("/e is not listed as an ephemeral of session 0x42"));
}

TEST_F(StoreCheckTest, ListsThatNameWhatIsNone) {
  put(ephemeral_key(SessionId(kSession), "/a"), "");
  put(ephemeral_key(SessionId(7), "/e"), "");
  put(swept_key("/nowhere"), "");
  EXPECT_THAT(check(), ElementsAre("/nowhere is listed as a container or TTL znode and is none",
                                   "/e is listed as an ephemeral of session 0x7 and is none",
                                   "/a is listed as an ephemeral of session 0x42 and is none"));
}

TEST_F(StoreCheckTest, AContainerThatIsNotListed) {
  remove(swept_key("/c"));
  EXPECT_THAT(check(), ElementsAre("/c is not listed as a container or TTL znode"));
}

TEST_F(StoreCheckTest, AnEphemeralWithAChild) {
  tree::Stat ephemeral;
  ephemeral.kind = tree::NodeKind::ephemeral;
  ephemeral.ephemeral_owner = SessionId(kSession);
  add("/a", 1, 2, ephemeral);
  put(ephemeral_key(SessionId(kSession), "/a"), "");
  totals.ephemerals += 1;
  put_totals();
  EXPECT_THAT(check(), ElementsAre("/a is an ephemeral and has children"));
}

TEST_F(StoreCheckTest, AnAclThatIsMissingOrBeyondTheLastNumber) {
  tree::Stat container;
  container.kind = tree::NodeKind::container;
  add("/c", 0, 0, container, 9);
  EXPECT_THAT(check(), ElementsAre("/c: its ACL, number 9, is missing"));
  put(acl_key(9), encode_acl({}));
  EXPECT_THAT(check(),
              ElementsAre("ACL 9 is beyond the last number that was given out, 1"));
}

TEST_F(StoreCheckTest, TotalsAndZxidsThatDoNotFit) {
  totals.nodes = 6;
  totals.ephemerals = 0;
  totals.data_bytes += 1;
  put_totals();
  EXPECT_THAT(check(), ElementsAre("the totals say 6 znodes, and 5 were counted",
                                   "the totals say 17 bytes of paths and data, and 16 were counted",
                                   "the totals say 0 ephemerals, and 1 were counted"));
  totals = Totals();
  totals.nodes = 5;
  totals.ephemerals = 1;
  totals.data_bytes = 16;
  totals.last_acl = 1;
  totals.last_zxid = Zxid(2);
  put_totals();
  EXPECT_EQ(check().size(), 5u);
}

TEST_F(StoreCheckTest, ValuesAndKeysThatDoNotDecode) {
  put(session_key(SessionId(5)), "short");
  put("z", "what is this");
  put(acl_key(1), "\1");
  put(node_key("/a/b"), "\1\1");
  totals.data_bytes -= 5;
  put_totals();
  EXPECT_THAT(check(),
              ElementsAre("an ACL is listed as number 1, which is another", "ACL 1 does not decode",
                          "/a/b: the znode does not decode", "a session does not decode",
                          "a key of an unknown kind: z"));
}

TEST_F(StoreCheckTest, AnEmptyStoreHasNoTree) {
  MemoryStore empty;
  std::vector<std::string> found;
  check_contents(*empty.snapshot(), [&](const std::string& what) { found.push_back(what); });
  EXPECT_THAT(found, ElementsAre(HasSubstr("totals are missing"), HasSubstr("no root")));
}

}  // namespace
}  // namespace odradek::coordinator::store
