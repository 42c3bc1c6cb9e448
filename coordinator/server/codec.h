#pragma once
// Between the tree's types and the records of ZooKeeper's protocol.

#include <string>
#include <vector>

#include "common/bytes/byte_writer.h"
#include "coordinator/tree/types.h"
#include "proto/zookeeper/opcodes.h"
#include "proto/zookeeper/records.h"

namespace odradek::coordinator::server {

zookeeper::Stat wire_stat(const tree::Stat& stat);
std::vector<zookeeper::ACL> wire_acl(const tree::Acl& acl);
tree::Acl tree_acl(std::vector<zookeeper::ACL> acl);

// Of the length in front of every frame.
inline constexpr int64_t kLengthBytes = 4;

// A frame is begun with room for its length and a header, and ended when its body is written.
class ReplyFrame {
 public:
  ReplyFrame(int32_t xid, Zxid zxid, zookeeper::ErrorCode error);
  ByteWriter& body() { return out_; }
  Bytes take();

 private:
  ByteWriter out_;
};

// What a request came to: an error, or the body of its reply.
struct Answer {
  Answer() = default;
  Answer(zookeeper::ErrorCode error_in) : error(error_in) {}  // NOLINT: implicit by intent
  zookeeper::ErrorCode error = zookeeper::ErrorCode::kOk;
  Bytes body;           // follows an error too, where there is one
  std::string problem;  // of a malformed request, for the log

  template <typename Record>
  static Answer of(const Record& record) {
    ByteWriter out;
    record.encode(out);
    Answer answer;
    answer.body = out.take();
    return answer;
  }
};

}  // namespace odradek::coordinator::server
