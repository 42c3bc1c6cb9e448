#include <gtest/gtest.h>

#include <string>

#include "common/bytes/text_codec.h"
#include "proto/zookeeper/opcodes.h"
#include "proto/zookeeper/records.h"

namespace odradek::zookeeper {
namespace {

template <typename Record>
std::string problem(const std::string& hex) {
  std::string bytes = *hex_decode(hex);
  ByteReader in(bytes);
  auto record = Record::decode(in);
  return record.ok() ? "" : record.error().what();
}

TEST(ZooKeeperDecode, BadRecordsAreRefusedByNameOfTheField) {
  EXPECT_EQ(problem<GetDataRequest>(""), "GetDataRequest: path: cut short");
  EXPECT_EQ(problem<GetDataRequest>("fffffffe"), "GetDataRequest: path: negative length");
  EXPECT_EQ(problem<GetDataRequest>("000000052f"), "GetDataRequest: path: length beyond the frame");
  EXPECT_EQ(problem<GetDataRequest>("7fffffff2f"), "GetDataRequest: path: length beyond the frame");
  EXPECT_EQ(problem<GetDataRequest>("000000012f"), "GetDataRequest: watch: cut short");
  EXPECT_EQ(problem<CreateRequest>("000000012f"
                                   "ffffffff"
                                   "7fffffff"),
            "CreateRequest: acl: count beyond the frame");
  EXPECT_EQ(problem<CreateRequest>("000000012f"
                                   "ffffffff"
                                   "80000000"),
            "CreateRequest: flags: cut short");  // a negative count is an empty list
  EXPECT_EQ(problem<GetDataRequest>("ffffffff00"), "GetDataRequest: path: null");
  EXPECT_EQ(problem<SetWatches>("0000000000000000"
                                "ffffffff"),
            "SetWatches: data_watches: null");
  EXPECT_EQ(problem<SetWatches>("0000000000000000"
                                "00000001ffffffff"),
            "SetWatches: data_watches: null");
}

TEST(ZooKeeperDecode, Nulls) {
  std::string bytes = *hex_decode(
      "000000012f"
      "ffffffff"
      "ffffffff"
      "00000003");
  ByteReader in(bytes);
  auto create = CreateRequest::decode(in);
  ASSERT_TRUE(create.ok()) << create.error().what();
  EXPECT_EQ(create->path, "/");
  EXPECT_EQ(create->data, std::nullopt);
  EXPECT_TRUE(create->acl.empty());
  EXPECT_EQ(create->flags, static_cast<int32_t>(CreateMode::kEphemeralSequential));
  std::string null = *hex_decode("ffffffff");
  ByteReader sync(null);
  EXPECT_EQ(SyncRequest::decode(sync)->path, std::nullopt);
  ByteReader ephemerals(null);
  EXPECT_EQ(GetEphemeralsRequest::decode(ephemerals)->prefix_path, "");
}

// ZooKeeper reads any negative count but -1 as a list that is empty.
TEST(ZooKeeperDecode, NegativeCountsAreEmptyLists) {
  std::string bytes = *hex_decode(
      "000000012f"
      "ffffffff"
      "fffffffe"
      "00000000");
  ByteReader in(bytes);
  auto create = CreateRequest::decode(in);
  ASSERT_TRUE(create.ok()) << create.error().what();
  EXPECT_TRUE(create->acl.empty());
  EXPECT_EQ(in.remaining(), 0u);
  std::string watches = *hex_decode(
      "0000000000000000"
      "80000000"
      "fffffffe"
      "00000000");
  ByteReader in_watches(watches);
  EXPECT_TRUE(SetWatches::decode(in_watches).ok());
}

TEST(ZooKeeperDecode, ReadOnlyMayBeMissing) {
  ConnectRequest request;
  request.session_id = 7;
  request.passwd = std::string(16, '\0');
  ByteWriter old_client;
  request.encode(old_client);
  EXPECT_EQ(old_client.buffer_size(), 44u);
  request.read_only = false;
  ByteWriter new_client;
  request.encode(new_client);
  EXPECT_EQ(new_client.buffer_size(), 45u);
  ByteReader in(new_client.buffer());
  EXPECT_EQ(*ConnectRequest::decode(in), request);
}

TEST(ZooKeeperDecode, Numbers) {
  EXPECT_EQ(find_op_code(14), OpCode::kMulti);
  EXPECT_EQ(find_op_code(999), std::nullopt);
  EXPECT_EQ(name_of(OpCode::kSetWatches2), "SetWatches2");
  EXPECT_EQ(find_error_code(-101), ErrorCode::kNoNode);
  EXPECT_EQ(Permission::kAll, 31);
}

}  // namespace
}  // namespace odradek::zookeeper
