#include "coordinator/server/write_requests.h"

#include "coordinator/server/error_map.h"

namespace odradek::coordinator::server {

namespace {

using zookeeper::CreateMode;
using zookeeper::ErrorCode;
using zookeeper::OpCode;

// A multi of more parts is refused: each costs memory far beyond its bytes.
constexpr size_t kMaxMultiParts = 100'000;

tree::Operation refused(Errc code, const char* why) { return tree::RefusedOp(Error(code, why)); }

// What CreateRequest and CreateTTLRequest have in common, with what the op code and flags come to.
template <typename Request>
tree::Operation create_of(Request request, tree::NodeKind kind, bool sequential, int64_t ttl_ms) {
  tree::CreateOp op;
  op.kind = kind;
  op.sequential = sequential;
  if (kind == tree::NodeKind::ttl) op.ttl_ms = ttl_ms;
  op.path = std::move(request.path);
  op.data = std::move(request.data);
  op.acl = tree_acl(std::move(request.acl));
  return op;
}

bool is_ttl(CreateMode mode) {
  return mode == CreateMode::kPersistentWithTtl || mode == CreateMode::kPersistentSequentialWithTtl;
}

bool is_sequential(CreateMode mode) {
  return mode == CreateMode::kPersistentSequential || mode == CreateMode::kEphemeralSequential ||
         mode == CreateMode::kPersistentSequentialWithTtl;
}

bool is_ephemeral(CreateMode mode) {
  return mode == CreateMode::kEphemeral || mode == CreateMode::kEphemeralSequential;
}

// The op code decides more than the flags: createContainer makes a container whatever they say, and
// a create with the container's flag a persistent znode.
template <typename Request>
tree::Operation create_op(Request request, OpCode op, int64_t ttl_ms) {
  auto mode = zookeeper::find_create_mode(request.flags);
  if (!mode) return refused(Errc::invalid_argument, "unknown create flags");
  auto kind = is_ephemeral(*mode) ? tree::NodeKind::ephemeral : tree::NodeKind::persistent;
  // with a time to live that is none where the request has no field for it
  if (is_ttl(*mode)) {
    kind = tree::NodeKind::ttl;
  } else if (op == OpCode::kCreateTTL) {
    return refused(Errc::invalid_argument, "createTTL wants a TTL flag");
  } else if (op == OpCode::kCreateContainer) {
    kind = tree::NodeKind::container;
  }
  return create_of(std::move(request), kind, is_sequential(*mode), ttl_ms);
}

// In a multi the flags decide too: they make a createContainer or createTTL of any create.
Result<OpCode> op_in_multi(OpCode op, int32_t flags) {
  auto mode = zookeeper::find_create_mode(flags);
  if (op == OpCode::kCreateTTL) {
    if (mode && is_ttl(*mode)) return op;
    return mode == CreateMode::kContainer ? OpCode::kCreateContainer : OpCode::kCreate;
  }
  if (!mode || is_ttl(*mode)) return Error(Errc::malformed, "create flags that no multi may have");
  return mode == CreateMode::kContainer ? OpCode::kCreateContainer : op;
}

struct DecodedPart {
  tree::Operation operation;
  OpCode op;  // as which it counts
};

Result<DecodedPart> decode_create(OpCode op, ByteReader& in, bool in_multi) {
  auto request = zookeeper::CreateRequest::decode(in);
  if (!request) return request.error();
  if (in_multi) {
    auto decided = op_in_multi(op, request->flags);
    if (!decided) return decided.error();
    op = *decided;
  }
  return DecodedPart{create_op(*std::move(request), op, -1), op};
}

Result<DecodedPart> decode_create_ttl(ByteReader& in, bool in_multi) {
  auto request = zookeeper::CreateTTLRequest::decode(in);
  if (!request) return request.error();
  OpCode op = in_multi ? *op_in_multi(OpCode::kCreateTTL, request->flags) : OpCode::kCreateTTL;
  int64_t ttl_ms = request->ttl;
  return DecodedPart{create_op(*std::move(request), op, ttl_ms), op};
}

// One operation, as a request of its own or as a part of a multi.
Result<DecodedPart> decode_one(OpCode op, ByteReader& in, bool in_multi) {
  switch (op) {
    case OpCode::kCreate:
    case OpCode::kCreate2:
    case OpCode::kCreateContainer:
      return decode_create(op, in, in_multi);
    case OpCode::kCreateTTL:
      return decode_create_ttl(in, in_multi);
    case OpCode::kDelete: {
      auto request = zookeeper::DeleteRequest::decode(in);
      if (!request) return request.error();
      return DecodedPart{tree::DeleteOp(std::move(request->path), request->version), op};
    }
    case OpCode::kSetData: {
      auto request = zookeeper::SetDataRequest::decode(in);
      if (!request) return request.error();
      return DecodedPart{
          tree::SetDataOp(std::move(request->path), std::move(request->data), request->version),
          op};
    }
    case OpCode::kSetACL: {
      auto request = zookeeper::SetACLRequest::decode(in);
      if (!request) return request.error();
      return DecodedPart{tree::SetAclOp(std::move(request->path), tree_acl(std::move(request->acl)),
                                        request->version),
                         op};
    }
    case OpCode::kCheck: {
      auto request = zookeeper::CheckVersionRequest::decode(in);
      if (!request) return request.error();
      return DecodedPart{tree::CheckOp(std::move(request->path), request->version), op};
    }
    default:
      return Error(Errc::malformed, "no operation of a multi");
  }
}

bool may_stand_in_multi(OpCode op) {
  switch (op) {
    case OpCode::kCreate:
    case OpCode::kCreate2:
    case OpCode::kCreateContainer:
    case OpCode::kCreateTTL:
    case OpCode::kDelete:
    case OpCode::kSetData:
    case OpCode::kCheck:
      return true;
    default:
      return false;
  }
}

OpCode reply_op(OpCode op) {
  return op == OpCode::kCreateContainer || op == OpCode::kCreateTTL ? OpCode::kCreate2 : op;
}

Result<DecodedWrite> decode_multi(ByteReader& in) {
  DecodedWrite decoded;
  for (;;) {
    auto header = zookeeper::MultiHeader::decode(in);
    if (!header) return header.error();
    if (header->done) return decoded;
    if (decoded.operations.size() == kMaxMultiParts) {
      return Error(Errc::malformed, "too many operations");
    }
    auto op = zookeeper::find_op_code(header->type);
    if (!op || !may_stand_in_multi(*op)) return Error(Errc::malformed, "no operation of a multi");
    auto part = decode_one(*op, in, true);
    if (!part) return part.error();
    decoded.operations.push_back(std::move(part->operation));
    decoded.reply_ops.push_back(reply_op(part->op));
  }
}

DecodedWrite one(tree::Operation operation) {
  DecodedWrite decoded;
  decoded.operations.push_back(std::move(operation));
  return decoded;
}

// A single server has no members to change.
Result<DecodedWrite> decode_reconfig(ByteReader& in, const tree::Rules& rules) {
  auto request = zookeeper::ReconfigRequest::decode(in);
  if (!request) return request.error();
  return one(rules.reconfig_enabled
                 ? refused(Errc::unimplemented, "a single server cannot be reconfigured")
                 : refused(Errc::reconfig_disabled, "reconfig is disabled"));
}

// What follows the header of a reply, or of a part of a multi's reply.
void encode_result(OpCode op, const tree::OperationResult& result, ByteWriter& out) {
  switch (op) {
    case OpCode::kCreate: {
      zookeeper::CreateResponse response;
      response.path = result.path;
      response.encode(out);
      break;
    }
    case OpCode::kCreate2:
    case OpCode::kCreateContainer:
    case OpCode::kCreateTTL: {
      zookeeper::Create2Response response;
      response.path = result.path;
      response.stat = wire_stat(result.stat);
      response.encode(out);
      break;
    }
    case OpCode::kSetData:
    case OpCode::kSetACL:
      wire_stat(result.stat).encode(out);
      break;
    default:
      break;  // delete and check say nothing
  }
}

void put_multi_header(ByteWriter& out, int32_t type, bool done, int32_t error) {
  zookeeper::MultiHeader header;
  header.type = type;
  header.done = done;
  header.err = error;
  header.encode(out);
}

}  // namespace

bool is_write(OpCode op) {
  switch (op) {
    case OpCode::kCreate:
    case OpCode::kCreate2:
    case OpCode::kCreateContainer:
    case OpCode::kCreateTTL:
    case OpCode::kDelete:
    case OpCode::kSetData:
    case OpCode::kSetACL:
    case OpCode::kMulti:
    case OpCode::kReconfig:
    case OpCode::kDeleteContainer:
      return true;
    default:
      return false;
  }
}

Result<DecodedWrite> decode_write(OpCode op, std::string_view body, const tree::Rules& rules) {
  ByteReader in(body);
  if (op == OpCode::kMulti) return decode_multi(in);
  if (op == OpCode::kReconfig) return decode_reconfig(in, rules);
  if (op == OpCode::kDeleteContainer) {
    return one(refused(Errc::bad_path, "deleteContainer is the server's own"));
  }
  auto part = decode_one(op, in, false);
  if (!part) return part.error();
  return one(std::move(part->operation));
}

Answer encode_write_reply(OpCode op, const std::vector<OpCode>& reply_ops,
                          const pipeline::WriteReply& reply) {
  ByteWriter out;
  if (op != OpCode::kMulti) {
    if (!reply.ok()) return zookeeper_error(reply.failure->error.code());
    encode_result(op, reply.results.front(), out);
  } else {
    // a refused multi is a success that holds errors: 0 before the one that failed, -2 behind it
    for (size_t i = 0; i < reply_ops.size(); ++i) {
      if (reply.ok()) {
        put_multi_header(out, static_cast<int32_t>(reply_ops[i]), false, 0);
        encode_result(reply_ops[i], reply.results[i], out);
        continue;
      }
      auto error = i < reply.failure->index    ? ErrorCode::kOk
                   : i == reply.failure->index ? zookeeper_error(reply.failure->error.code())
                                               : ErrorCode::kRuntimeInconsistency;
      put_multi_header(out, -1, false, static_cast<int32_t>(error));
      out.i32(static_cast<int32_t>(error));
    }
    put_multi_header(out, -1, true, -1);
  }
  Answer answer;
  answer.body = out.take();
  return answer;
}

}  // namespace odradek::coordinator::server
