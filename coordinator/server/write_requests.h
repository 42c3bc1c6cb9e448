#pragma once
// Requests that change the tree: from their bytes to a Write of the pipeline, and from its reply to
// bytes.

#include <string_view>

#include "common/result.h"
#include "coordinator/pipeline/pipeline.h"
#include "coordinator/server/codec.h"

namespace odradek::coordinator::server {

// create, create2, createContainer, createTTL, delete, setData, setACL, multi; reconfig and
// deleteContainer, which are always refused. Check stands in multi only.
bool is_write(zookeeper::OpCode op);

struct DecodedWrite {
  std::vector<tree::Operation> operations;
  // Of a multi: as what each part is answered. Whatever makes a znode and shows its stat is a
  // create2.
  std::vector<zookeeper::OpCode> reply_ops;
};

// The operations of a request. malformed where the bytes are none of its record; a part that is
// well-formed but wrong (flags) becomes a RefusedOp.
Result<DecodedWrite> decode_write(zookeeper::OpCode op, std::string_view body,
                                  const tree::Rules& rules);

// The reply's body. `op` is the request's.
Answer encode_write_reply(zookeeper::OpCode op, const std::vector<zookeeper::OpCode>& reply_ops,
                          const pipeline::WriteReply& reply);

}  // namespace odradek::coordinator::server
