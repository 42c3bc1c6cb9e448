#include "coordinator/server/peer_guard.h"

#include <gtest/gtest.h>

namespace odradek::coordinator::server {
namespace {

TEST(PeerGuard, ReadsThePeersThatGrpcNames) {
  struct Row {
    const char* peer;
    std::string bytes;
    uint16_t port;
    bool loopback;
  };
  std::string one(15, '\0');
  one += '\1';
  for (const Row& row : {Row{"ipv4:127.0.0.1:4711", std::string("\x7f\0\0\1", 4), 4711, true},
                         Row{"ipv4:127.9.8.7:1", std::string("\x7f\x09\x08\x07", 4), 1, true},
                         Row{"ipv4:10.0.0.1:4711", std::string("\x0a\0\0\1", 4), 4711, false},
                         Row{"ipv6:[::1]:4711", one, 4711, true},
                         Row{"ipv6:%5B::1%5D:4711", one, 4711, true},
                         Row{"ipv6:[::ffff:127.0.0.1]:9", std::string("\x7f\0\0\1", 4), 9, true},
                         Row{"ipv6:[::ffff:10.0.0.1]:9", std::string("\x0a\0\0\1", 4), 9, false},
                         Row{"ipv6:[::2]:9", std::string(15, '\0') + '\2', 9, false}}) {
    auto peer = parse_peer(row.peer);
    ASSERT_TRUE(peer) << row.peer;
    EXPECT_EQ(peer->bytes, row.bytes) << row.peer;
    EXPECT_EQ(peer->port, row.port);
    EXPECT_EQ(peer->loopback(), row.loopback) << row.peer;
  }
  for (const char* peer : {"", "unix:/tmp/x", "ipv4:127.0.0.1", "ipv4:host:1", "ipv4:127.0.0.1:x",
                           "ipv4:127.0.0.1:70000", "ipv4:127.0.0.1:", "tcp:127.0.0.1:1"}) {
    EXPECT_FALSE(parse_peer(peer)) << peer;
  }
}

// As Linux writes them, columns behind the user left out.
constexpr const char* kTable =
    "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout\n"
    "   0: 0100007F:0885 00000000:0000 0A 00000000:00000000 00:00000000 00000000   101        0\n"
    "   1: 0100007F:1267 0100007F:0886 01 00000000:00000000 00:00000000 00000000     7        0\n"
    "   2: 0100007F:1267 0200007F:0885 06 00000000:00000000 00:00000000 00000000     0        0\n"
    "   3: 0100007F:1267 0100007F:0885 01 00000000:00000000 00:00000000 00000000  1000        0\n"
    "   4: 0100007F:0885 0100007F:1267 01 00000000:00000000 00:00000000 00000000   101        0\n";
constexpr const char* kTable6 =
    "  sl  local_address rem_address st tx_queue rx_queue tr tm->when retrnsmt   uid\n"
    "   0: 00000000000000000000000001000000:1267 00000000000000000000000001000000:0885 01 "
    "00000000:00000000 00:00000000 00000000  1001        0\n"
    "   1: 0000000000000000FFFF00000100007F:1268 0000000000000000FFFF00000100007F:0885 01 "
    "00000000:00000000 00:00000000 00000000  1002        0\n";

TEST(PeerGuard, FindsTheUserOfTheConnectionToOurPort) {
  auto v4 = [](uint16_t port) { return *parse_peer("ipv4:127.0.0.1:" + std::to_string(port)); };
  EXPECT_EQ(owner_in_table(kTable, v4(0x1267), 0x885), 1000u);
  EXPECT_EQ(owner_in_table(kTable, v4(0x1267), 0x886), 7u);
  EXPECT_EQ(owner_in_table(kTable, v4(0x1267), 0x887), std::nullopt);
  EXPECT_EQ(owner_in_table(kTable, v4(0x1268), 0x885), std::nullopt);
  EXPECT_EQ(owner_in_table(kTable6, *parse_peer("ipv6:[::1]:4711"), 0x885), 1001u);
  EXPECT_EQ(owner_in_table(kTable6, v4(0x1268), 0x885), 1002u);
  EXPECT_EQ(owner_in_table("", v4(1), 2), std::nullopt);
  EXPECT_EQ(owner_in_table("head\nnonsense\n1: 2 3 4\n", v4(1), 2), std::nullopt);
}

TEST(PeerGuard, OthersAreRefusedWithAReason) {
  auto far = allow_admin("ipv4:10.0.0.1:4711", 2181);
  ASSERT_FALSE(far.ok());
  EXPECT_EQ(far.error().code(), Errc::permission_denied);
  EXPECT_NE(far.error().what().find("not on this machine"), std::string::npos);
  auto unknown = allow_admin("ipv4:127.0.0.1:1", 1);
  ASSERT_FALSE(unknown.ok());
  EXPECT_NE(unknown.error().what().find("does not tell"), std::string::npos);
}

}  // namespace
}  // namespace odradek::coordinator::server
