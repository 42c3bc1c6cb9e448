// Captured frames of ZooKeeper decode, and encode to the same bytes.
#include <set>

#include "proto/zookeeper/opcodes.h"
#include "proto/zookeeper/records.h"
#include "tests/golden/golden_file.h"

namespace odradek::golden {
namespace {

using namespace zookeeper;

// Decodes one record, and appends what it encodes to.
template <typename Record>
Record again(ByteReader& in, ByteWriter& out) {
  auto record = Record::decode(in);
  EXPECT_TRUE(record.ok()) << (record.ok() ? "" : record.error().what());
  if (!record.ok()) return Record();
  EXPECT_FALSE(record->to_string().empty());
  record->encode(out);
  return std::move(*record);
}

void request_body(OpCode op, ByteReader& in, ByteWriter& out);
void reply_body(OpCode op, ByteReader& in, ByteWriter& out);

void multi(ByteReader& in, ByteWriter& out, bool request) {
  for (;;) {
    auto header = again<MultiHeader>(in, out);
    if (header.done || !in.ok()) return;
    auto op = static_cast<OpCode>(header.type);
    if (op == OpCode::kError) {
      again<ErrorResponse>(in, out);
    } else if (request) {
      request_body(op, in, out);
    } else {
      reply_body(op, in, out);
    }
  }
}

void request_body(OpCode op, ByteReader& in, ByteWriter& out) {
  switch (op) {
    case OpCode::kCreate:
    case OpCode::kCreate2:
    case OpCode::kCreateContainer:
      again<CreateRequest>(in, out);
      break;
    case OpCode::kCreateTTL:
      again<CreateTTLRequest>(in, out);
      break;
    case OpCode::kDelete:
      again<DeleteRequest>(in, out);
      break;
    case OpCode::kExists:
      again<ExistsRequest>(in, out);
      break;
    case OpCode::kGetData:
      again<GetDataRequest>(in, out);
      break;
    case OpCode::kSetData:
      again<SetDataRequest>(in, out);
      break;
    case OpCode::kGetACL:
      again<GetACLRequest>(in, out);
      break;
    case OpCode::kSetACL:
      again<SetACLRequest>(in, out);
      break;
    case OpCode::kGetChildren:
      again<GetChildrenRequest>(in, out);
      break;
    case OpCode::kGetChildren2:
      again<GetChildren2Request>(in, out);
      break;
    case OpCode::kSync:
      again<SyncRequest>(in, out);
      break;
    case OpCode::kCheck:
      again<CheckVersionRequest>(in, out);
      break;
    case OpCode::kMulti:
    case OpCode::kMultiRead:
      multi(in, out, true);
      break;
    case OpCode::kCheckWatches:
      again<CheckWatchesRequest>(in, out);
      break;
    case OpCode::kRemoveWatches:
      again<RemoveWatchesRequest>(in, out);
      break;
    case OpCode::kAuth:
      again<AuthPacket>(in, out);
      break;
    case OpCode::kSetWatches:
      again<SetWatches>(in, out);
      break;
    case OpCode::kSetWatches2:
      again<SetWatches2>(in, out);
      break;
    case OpCode::kGetEphemerals:
      again<GetEphemeralsRequest>(in, out);
      break;
    case OpCode::kGetAllChildrenNumber:
      again<GetAllChildrenNumberRequest>(in, out);
      break;
    case OpCode::kAddWatch:
      again<AddWatchRequest>(in, out);
      break;
    case OpCode::kReconfig:
      again<ReconfigRequest>(in, out);
      break;
    case OpCode::kPing:
    case OpCode::kCloseSession:
    case OpCode::kWhoAmI:
      break;
    default:
      ADD_FAILURE() << "operation " << static_cast<int32_t>(op);
  }
}

void reply_body(OpCode op, ByteReader& in, ByteWriter& out) {
  switch (op) {
    case OpCode::kCreate:
      again<CreateResponse>(in, out);
      break;
    case OpCode::kCreate2:
    case OpCode::kCreateContainer:
    case OpCode::kCreateTTL:
      again<Create2Response>(in, out);
      break;
    case OpCode::kExists:
      again<ExistsResponse>(in, out);
      break;
    case OpCode::kGetData:
      again<GetDataResponse>(in, out);
      break;
    case OpCode::kSetData:
      again<SetDataResponse>(in, out);
      break;
    case OpCode::kGetACL:
      again<GetACLResponse>(in, out);
      break;
    case OpCode::kSetACL:
      again<SetACLResponse>(in, out);
      break;
    case OpCode::kGetChildren:
      again<GetChildrenResponse>(in, out);
      break;
    case OpCode::kGetChildren2:
      again<GetChildren2Response>(in, out);
      break;
    case OpCode::kSync:
      again<SyncResponse>(in, out);
      break;
    case OpCode::kMulti:
    case OpCode::kMultiRead:
      multi(in, out, false);
      break;
    case OpCode::kGetEphemerals:
      again<GetEphemeralsResponse>(in, out);
      break;
    case OpCode::kGetAllChildrenNumber:
      again<GetAllChildrenNumberResponse>(in, out);
      break;
    case OpCode::kAddWatch:
      again<ErrorResponse>(in, out);
      break;
    case OpCode::kWhoAmI:
      again<WhoAmIResponse>(in, out);
      break;
    default:
      break;  // the header alone
  }
}

class ZooKeeperWire : public testing::TestWithParam<const char*> {};

TEST_P(ZooKeeperWire, RoundTrip) {
  OpCode op = OpCode::kPing;
  std::set<std::string> seen;
  for (const Row& row : read_rows(GetParam())) {
    ASSERT_EQ(row.size(), 4u);
    SCOPED_TRACE(row[0] + " " + row[1] + " " + row[2]);
    seen.insert(row[1]);
    if (row[3] == "EOF") continue;  // the server closed the connection
    std::string bytes = frame(row[3]);
    ByteReader in(bytes);
    ByteWriter out;
    if (row[1] == "connect") {
      if (row[2] == "C>S") {
        auto request = again<ConnectRequest>(in, out);
        EXPECT_EQ(request.read_only.has_value(), bytes.size() == 45);
      } else {
        again<ConnectResponse>(in, out);
      }
    } else if (row[2] == "C>S") {
      op = static_cast<OpCode>(again<RequestHeader>(in, out).type);
      request_body(op, in, out);
    } else {
      auto header = again<ReplyHeader>(in, out);
      if (header.xid == Xid::kNotification) {
        again<WatcherEvent>(in, out);
      } else if (header.err == 0) {
        reply_body(op, in, out);
      }
    }
    EXPECT_EQ(in.remaining(), 0u);
    std::string expected = hex_encode(bytes);
    if (row[0] == "create null acl" && row[2] == "C>S") {  // a null vector is read as an empty one
      expected.replace(expected.rfind("ffffffff00000000"), 8, "00000000");
    }
    EXPECT_EQ(hex_encode(out.buffer()), expected);
  }
  EXPECT_GE(seen.size(), 25u);
}

INSTANTIATE_TEST_SUITE_P(Releases, ZooKeeperWire,
                         testing::Values("zookeeper/wire-3.5.7.tsv", "zookeeper/wire-3.6.4.tsv",
                                         "zookeeper/wire-3.9.5.tsv"));

}  // namespace
}  // namespace odradek::golden
