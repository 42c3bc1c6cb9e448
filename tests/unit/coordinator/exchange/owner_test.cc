#include "coordinator/exchange/owner.h"

#include <gtest/gtest.h>

#include "common/bytes/text_codec.h"

namespace odradek::coordinator::exchange {
namespace {

// Session ids and passwords as ZooKeeper 3.5.7, 3.6.4 and 3.9.5 gave them out
// (tests/golden/zookeeper/wire-*.tsv).
TEST(Owner, PasswordsAreTheOnesThatZooKeeperGives) {
  struct Row {
    int64_t session;
    const char* password;
  };
  for (const Row& row : {Row{0x1000025d4ab0000, "d7352a801848215f0d0e125621f2edad"},
                         Row{0x1000025d4ab0001, "ea562480b89300a402517981f57a027b"},
                         Row{0x1000024e5750000, "415ed1ec3ab954fe87c5f51d13ad3251"},
                         Row{0x100002417810000, "05970c31aefc3b8debb5f783a7df2fd2"}}) {
    tree::Password password = zookeeper_password(SessionId(row.session));
    ByteView bytes(reinterpret_cast<const char*>(password.data()), password.size());
    EXPECT_EQ(hex_encode(bytes), row.password);
  }
}

TEST(Owner, SaysWhatKindAZnodeIs) {
  struct Row {
    uint64_t owner;
    bool is_session;
    tree::NodeKind kind;
    int64_t session_or_ttl;
  };
  using Kind = tree::NodeKind;
  for (const Row& row : {
           Row{0, false, Kind::persistent, 0},
           Row{0x1000025d4ab0000, true, Kind::ephemeral, 0x1000025d4ab0000},
           Row{0x1000025d4ab0000, false, Kind::ephemeral, 0x1000025d4ab0000},  // its end is to come
           Row{0x8000000000000000, false, Kind::container, 0},
           Row{0xff00000000000001, false, Kind::ttl, 1},
           Row{0xff0000ffffffffff, false, Kind::ttl, 0xffffffffff},
           // ids of the servers 254 and 255
           Row{0xff00000000000001, true, Kind::ephemeral, static_cast<int64_t>(0xff00000000000001)},
           Row{0xff01000000000001, false, Kind::ephemeral,
               static_cast<int64_t>(0xff01000000000001)},
           Row{0xfe00000000000001, false, Kind::ephemeral,
               static_cast<int64_t>(0xfe00000000000001)},
       }) {
    tree::Stat stat;
    set_owner(static_cast<int64_t>(row.owner), row.is_session, stat);
    EXPECT_EQ(stat.kind, row.kind) << std::hex << row.owner;
    EXPECT_EQ(stat.kind == Kind::ttl ? stat.ttl_ms : stat.ephemeral_owner.value(),
              row.session_or_ttl)
        << std::hex << row.owner;
    EXPECT_EQ(static_cast<uint64_t>(ephemeral_owner(stat)), row.owner);
  }
}

}  // namespace
}  // namespace odradek::coordinator::exchange
