#include "tests/sim/tree/workload.h"

#include "common/format.h"

namespace odradek::sim {

using coordinator::tree::CreateOp;
using coordinator::tree::NodeKind;
using coordinator::tree::Operation;
using zookeeper::OpCode;
namespace tree = coordinator::tree;

namespace {

constexpr int kDirectories = 3;
constexpr int kChildren = 4;
constexpr size_t kSeenKept = 6;

OpCode op_of(const Operation& operation, bool with_stat) {
  if (const auto* create = std::get_if<CreateOp>(&operation)) {
    if (create->kind == NodeKind::container) return OpCode::kCreateContainer;
    if (create->kind == NodeKind::ttl) return OpCode::kCreateTTL;
    return with_stat ? OpCode::kCreate2 : OpCode::kCreate;
  }
  if (std::holds_alternative<tree::DeleteOp>(operation)) return OpCode::kDelete;
  if (std::holds_alternative<tree::SetDataOp>(operation)) return OpCode::kSetData;
  if (std::holds_alternative<tree::SetAclOp>(operation)) return OpCode::kSetACL;
  return OpCode::kCheck;
}

}  // namespace

Request Workload::next(const std::vector<std::string>& watched) {
  uint64_t choice = world_.below(100);
  if (choice < 45) return write();
  if (choice < 53) return multi();
  if (choice < 93) return read();
  return watch_request(watched);
}

void Workload::saw_child(const std::string& path) {
  if (path.size() < 10) return;
  if (seen_.size() == kSeenKept) seen_.erase(seen_.begin());
  seen_.push_back(path);
}

void Workload::saw_version(const std::string& path, int32_t version) { versions_[path] = version; }

std::string Workload::any_directory() {
  return odradek::format("/d{}", world_.below(kDirectories));
}

std::string Workload::any_child() {
  if (!seen_.empty() && world_.chance(35)) return seen_[world_.below(seen_.size())];
  return odradek::format("{}/{}", any_directory(),
                         static_cast<char>('a' + world_.below(kChildren)));
}

std::string Workload::any_path() {
  uint64_t choice = world_.below(100);
  if (choice < 5) return "/";
  if (choice < 30) return any_directory();
  if (choice < 40) return any_child() + "/x";
  return any_child();
}

std::string Workload::fresh_data() { return odradek::format("{}-{}", name_, next_data_++); }

int32_t Workload::some_version(const std::string& path) {
  uint64_t choice = world_.below(100);
  if (choice < 60) return tree::kAnyVersion;
  if (choice < 70) return static_cast<int32_t>(world_.below(5));
  auto at = versions_.find(path);
  return at == versions_.end() ? 0 : at->second;
}

CreateOp Workload::create() {
  uint64_t choice = world_.below(100);
  if (choice < 15) return CreateOp(any_directory(), fresh_data());
  CreateOp op(any_path(), fresh_data());
  if (op.path == "/") op.path = any_child();
  if (choice < 35) {
    op.kind = NodeKind::ephemeral;
  } else if (choice < 46) {
    op.kind = NodeKind::container;
  } else if (choice < 64) {
    op.kind = NodeKind::ttl;
    op.ttl_ms = world_.between(1, 6000);
  }
  if (op.kind != NodeKind::container && world_.chance(40)) {
    op.sequential = true;
    op.path = any_directory() + (world_.chance(80) ? "/s-" : "/t");
  }
  if (world_.chance(3)) op.data = std::nullopt;
  return op;
}

Operation Workload::change() {
  uint64_t choice = world_.below(100);
  if (choice < 45) return create();
  std::string path = world_.chance(92) ? any_child() : any_directory();
  if (choice < 72) return tree::SetDataOp(path, fresh_data(), some_version(path));
  if (choice < 96) return tree::DeleteOp(path, some_version(path));
  // perms all again soon: reads that are refused for long see nothing
  int32_t perms = world_.chance(60) ? tree::kPermAll
                                    : tree::kPermAdmin | static_cast<int32_t>(world_.below(16));
  tree::Acl acl{tree::AclEntry(perms, tree::Identity("world", "anyone"))};
  return tree::SetAclOp(path, std::move(acl),
                        world_.chance(80) ? -1 : static_cast<int32_t>(world_.below(2)));
}

Request Workload::write() {
  Request request;
  request.writes.push_back(change());
  request.op = op_of(request.writes.front(), world_.chance(50));
  return request;
}

Request Workload::multi() {
  Request request;
  request.op = OpCode::kMulti;
  size_t size = 1 + world_.below(4);
  while (request.writes.size() < size) {
    Operation operation = change();
    if (world_.chance(20)) {
      std::string path = any_path();
      operation = tree::CheckOp(path, some_version(path));
    }
    if (std::holds_alternative<tree::SetAclOp>(operation)) continue;
    request.parts.push_back(op_of(operation, world_.chance(50)));
    request.writes.push_back(std::move(operation));
  }
  return request;
}

Request Workload::read() {
  constexpr OpCode kOps[] = {
      OpCode::kGetData,      OpCode::kGetData,     OpCode::kExists,
      OpCode::kExists,       OpCode::kGetChildren, OpCode::kGetChildren2,
      OpCode::kGetChildren2, OpCode::kGetACL,      OpCode::kGetEphemerals,
      OpCode::kSync,         OpCode::kMultiRead,   OpCode::kGetAllChildrenNumber};
  Request request;
  request.op = kOps[world_.below(std::size(kOps))];
  request.paths.push_back(any_path());
  switch (request.op) {
    case OpCode::kGetChildren:
    case OpCode::kGetChildren2:
      if (world_.chance(70)) request.paths.front() = any_directory();
      request.watch = world_.chance(50);
      break;
    case OpCode::kGetData:
    case OpCode::kExists:
      request.watch = world_.chance(50);
      break;
    case OpCode::kMultiRead:
      request.paths.push_back(any_path());
      request.parts = {OpCode::kGetData, OpCode::kGetChildren};
      break;
    default:
      break;
  }
  return request;
}

Request Workload::watch_request(const std::vector<std::string>& watched) {
  Request request;
  request.paths.push_back(any_path());
  if (watched.empty() || world_.chance(50)) {
    request.op = OpCode::kAddWatch;
    request.kind = world_.chance(50) ? WatchKind::recursive : WatchKind::persistent;
    return request;
  }
  request.op = world_.chance(60) ? OpCode::kRemoveWatches : OpCode::kCheckWatches;
  if (world_.chance(80)) request.paths.front() = watched[world_.below(watched.size())];
  request.removes = static_cast<zookeeper::WatcherType>(world_.between(1, 3));
  return request;
}

}  // namespace odradek::sim
