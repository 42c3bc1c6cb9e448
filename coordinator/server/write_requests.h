#pragma once
// Requests that change the tree: from their bytes to a Write of the pipeline, and from its reply to
// bytes.

#include <string_view>

#include "common/result.h"
#include "coordinator/pipeline/pipeline.h"
#include "coordinator/server/codec.h"

namespace odradek::coordinator::server {

// create, create2, createContainer, createTTL, delete, setData, setACL, multi. Check stands in
// multi only.
bool is_write(zookeeper::OpCode op);

// The operations of a request. malformed where the bytes are none of its record; a part that is
// well-formed but wrong (flags) becomes a RefusedOp.
Result<std::vector<tree::Operation>> decode_write(zookeeper::OpCode op, std::string_view body);

// The reply's body. `op` is the request's; of a multi, `parts` are the op codes that it held
// (multi_ops).
Answer encode_write_reply(zookeeper::OpCode op, const std::vector<int32_t>& parts,
                          const pipeline::WriteReply& reply);
// The op code of each part of a well-formed multi, as a reply names it.
std::vector<int32_t> multi_ops(std::string_view body);

}  // namespace odradek::coordinator::server
