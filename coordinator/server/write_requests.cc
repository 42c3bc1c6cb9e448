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

// flags of create and create2; container and TTL have requests of their own
tree::Operation create_op(zookeeper::CreateRequest request, bool container) {
  tree::CreateOp op;
  auto mode = zookeeper::find_create_mode(request.flags);
  if (!mode) return refused(Errc::invalid_argument, "unknown create flags");
  switch (*mode) {
    case CreateMode::kPersistent:
      break;
    case CreateMode::kEphemeral:
      op.kind = tree::NodeKind::ephemeral;
      break;
    case CreateMode::kPersistentSequential:
      op.sequential = true;
      break;
    case CreateMode::kEphemeralSequential:
      op.kind = tree::NodeKind::ephemeral;
      op.sequential = true;
      break;
    case CreateMode::kContainer:
      op.kind = tree::NodeKind::container;
      break;
    case CreateMode::kPersistentWithTtl:
    case CreateMode::kPersistentSequentialWithTtl:
      return refused(Errc::invalid_argument, "a TTL wants createTTL");
  }
  if (container && op.kind != tree::NodeKind::container) {
    return refused(Errc::invalid_argument, "createContainer wants the container flag");
  }
  op.path = std::move(request.path);
  op.data = std::move(request.data);
  op.acl = tree_acl(std::move(request.acl));
  return op;
}

tree::Operation create_ttl_op(zookeeper::CreateTTLRequest request) {
  tree::CreateOp op;
  auto mode = zookeeper::find_create_mode(request.flags);
  if (!mode || (*mode != CreateMode::kPersistentWithTtl &&
                *mode != CreateMode::kPersistentSequentialWithTtl)) {
    return refused(Errc::invalid_argument, "createTTL wants a TTL flag");
  }
  op.kind = tree::NodeKind::ttl;
  op.sequential = *mode == CreateMode::kPersistentSequentialWithTtl;
  op.ttl_ms = request.ttl;
  op.path = std::move(request.path);
  op.data = std::move(request.data);
  op.acl = tree_acl(std::move(request.acl));
  return op;
}

// One operation, as a request of its own or as a part of a multi.
Result<tree::Operation> decode_one(OpCode op, ByteReader& in) {
  switch (op) {
    case OpCode::kCreate:
    case OpCode::kCreate2:
    case OpCode::kCreateContainer: {
      auto request = zookeeper::CreateRequest::decode(in);
      if (!request) return request.error();
      return create_op(*std::move(request), op == OpCode::kCreateContainer);
    }
    case OpCode::kCreateTTL: {
      auto request = zookeeper::CreateTTLRequest::decode(in);
      if (!request) return request.error();
      return create_ttl_op(*std::move(request));
    }
    case OpCode::kDelete: {
      auto request = zookeeper::DeleteRequest::decode(in);
      if (!request) return request.error();
      return tree::Operation(tree::DeleteOp(std::move(request->path), request->version));
    }
    case OpCode::kSetData: {
      auto request = zookeeper::SetDataRequest::decode(in);
      if (!request) return request.error();
      return tree::Operation(
          tree::SetDataOp(std::move(request->path), std::move(request->data), request->version));
    }
    case OpCode::kSetACL: {
      auto request = zookeeper::SetACLRequest::decode(in);
      if (!request) return request.error();
      return tree::Operation(tree::SetAclOp(std::move(request->path),
                                            tree_acl(std::move(request->acl)), request->version));
    }
    case OpCode::kCheck: {
      auto request = zookeeper::CheckVersionRequest::decode(in);
      if (!request) return request.error();
      return tree::Operation(tree::CheckOp(std::move(request->path), request->version));
    }
    default:
      return Error(Errc::malformed, "no operation of a multi");
  }
}

bool may_stand_in_multi(OpCode op) {
  return op == OpCode::kCheck || (is_write(op) && op != OpCode::kMulti && op != OpCode::kSetACL);
}

Result<std::vector<tree::Operation>> decode_multi(ByteReader& in, std::vector<int32_t>* ops) {
  std::vector<tree::Operation> operations;
  for (;;) {
    auto header = zookeeper::MultiHeader::decode(in);
    if (!header) return header.error();
    if (header->done) return operations;
    if (operations.size() == kMaxMultiParts) return Error(Errc::malformed, "too many operations");
    auto op = zookeeper::find_op_code(header->type);
    if (!op || !may_stand_in_multi(*op)) return Error(Errc::malformed, "no operation of a multi");
    auto operation = decode_one(*op, in);
    if (!operation) return operation.error();
    operations.push_back(*std::move(operation));
    if (ops) ops->push_back(header->type);
  }
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
      return true;
    default:
      return false;
  }
}

Result<std::vector<tree::Operation>> decode_write(OpCode op, std::string_view body) {
  ByteReader in(body);
  if (op == OpCode::kMulti) return decode_multi(in, nullptr);
  auto operation = decode_one(op, in);
  if (!operation) return operation.error();
  std::vector<tree::Operation> operations;
  operations.push_back(*std::move(operation));
  return operations;
}

std::vector<int32_t> multi_ops(std::string_view body) {
  ByteReader in(body);
  std::vector<int32_t> ops;
  if (auto decoded = decode_multi(in, &ops); !decoded) ops.clear();
  return ops;
}

Answer encode_write_reply(OpCode op, const std::vector<int32_t>& parts,
                          const pipeline::WriteReply& reply) {
  ByteWriter out;
  if (op != OpCode::kMulti) {
    if (!reply.ok()) return zookeeper_error(reply.failure->error.code());
    encode_result(op, reply.results.front(), out);
  } else {
    // a refused multi is a success that holds errors: 0 before the one that failed, -2 behind it
    for (size_t i = 0; i < parts.size(); ++i) {
      if (reply.ok()) {
        put_multi_header(out, parts[i], false, 0);
        encode_result(static_cast<OpCode>(parts[i]), reply.results[i], out);
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
