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

bool wants_ttl(CreateMode mode) {
  return mode == CreateMode::kPersistentWithTtl || mode == CreateMode::kPersistentSequentialWithTtl;
}

bool is_sequential(CreateMode mode) {
  return mode == CreateMode::kPersistentSequential || mode == CreateMode::kEphemeralSequential ||
         mode == CreateMode::kPersistentSequentialWithTtl;
}

bool is_ephemeral(CreateMode mode) {
  return mode == CreateMode::kEphemeral || mode == CreateMode::kEphemeralSequential;
}

// Every kind of create. A request of its own is what its opcode says, and the flags add sequential
// and ephemeral; in a multi the flags decide.
template <typename Request>
tree::CreateOp create_op(Request request, CreateMode mode, tree::NodeKind kind) {
  tree::CreateOp op;
  op.kind = kind;
  op.sequential = is_sequential(mode);
  op.path = std::move(request.path);
  op.data = std::move(request.data);
  op.acl = tree_acl(std::move(request.acl));
  return op;
}

tree::NodeKind plain_kind(CreateMode mode) {
  return is_ephemeral(mode) ? tree::NodeKind::ephemeral : tree::NodeKind::persistent;
}

Result<tree::Operation> decode_create(OpCode op, bool in_multi, ByteReader& in) {
  auto request = zookeeper::CreateRequest::decode(in);
  if (!request) return request.error();
  auto mode = zookeeper::find_create_mode(request->flags);
  if (!mode || wants_ttl(*mode)) {
    // of a multi nothing at all is then looked at
    if (in_multi) return Error(Errc::malformed, "a multi with unknown create flags");
    return refused(Errc::invalid_argument, mode ? "a TTL wants createTTL" : "unknown create flags");
  }
  bool container = op == OpCode::kCreateContainer || (in_multi && *mode == CreateMode::kContainer);
  auto kind = container ? tree::NodeKind::container : plain_kind(*mode);
  return tree::Operation(create_op(*std::move(request), *mode, kind));
}

Result<tree::Operation> decode_create_ttl(bool in_multi, ByteReader& in) {
  auto request = zookeeper::CreateTTLRequest::decode(in);
  if (!request) return request.error();
  auto mode = zookeeper::find_create_mode(request->flags);
  if (!mode) return refused(Errc::invalid_argument, "unknown create flags");
  if (wants_ttl(*mode)) {
    int64_t ttl_ms = request->ttl;
    auto create = create_op(*std::move(request), *mode, tree::NodeKind::ttl);
    create.ttl_ms = ttl_ms;
    return tree::Operation(std::move(create));
  }
  if (!in_multi) return refused(Errc::invalid_argument, "createTTL wants a TTL flag");
  auto kind =
      *mode == CreateMode::kContainer ? tree::NodeKind::container : plain_kind(*mode);
  return tree::Operation(create_op(*std::move(request), *mode, kind));
}

// One operation, as a request of its own or as a part of a multi.
Result<tree::Operation> decode_one(OpCode op, bool in_multi, ByteReader& in) {
  switch (op) {
    case OpCode::kCreate:
    case OpCode::kCreate2:
    case OpCode::kCreateContainer:
      return decode_create(op, in_multi, in);
    case OpCode::kCreateTTL:
      return decode_create_ttl(in_multi, in);
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

// A multi's reply knows two creates, with a stat and without; clients refuse any other number.
OpCode answered_as(OpCode op, const tree::Operation& operation) {
  if (op == OpCode::kCreateContainer) return OpCode::kCreate2;
  if (op != OpCode::kCreate && op != OpCode::kCreateTTL) return op;
  const auto* create = std::get_if<tree::CreateOp>(&operation);
  bool plain = create && (create->kind == tree::NodeKind::persistent ||
                          create->kind == tree::NodeKind::ephemeral);
  return plain ? OpCode::kCreate : OpCode::kCreate2;
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
    auto operation = decode_one(*op, true, in);
    if (!operation) return operation.error();
    if (ops) ops->push_back(static_cast<int32_t>(answered_as(*op, *operation)));
    operations.push_back(*std::move(operation));
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
  auto operation = decode_one(op, false, in);
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
