// The two sides of a check of an answer (request.h): what the reply says and what the history says.

#include <algorithm>

#include "common/format.h"
#include "tests/sim/tree/request.h"

namespace odradek::sim {

using zookeeper::ErrorCode;
using zookeeper::OpCode;
namespace tree = coordinator::tree;

namespace {

std::string error_text(ErrorCode error) {
  return odradek::format("error {}", static_cast<int32_t>(error));
}

std::string data_text(const std::optional<std::string>& data) { return data ? *data : "null"; }

std::string list_text(std::vector<std::string> names) {
  std::sort(names.begin(), names.end());
  std::string text = "(";
  for (const std::string& name : names) text += name + " ";
  return text + ")";
}

// ---- what the reply says

// Any of these is null where the bytes do not decode.
std::optional<std::string> write_text(OpCode op, ByteReader& in) {
  switch (op) {
    case OpCode::kCreate: {
      auto record = zookeeper::CreateResponse::decode(in);
      if (!record) return std::nullopt;
      return "made " + record->path;
    }
    case OpCode::kCreate2:
    case OpCode::kCreateContainer:
    case OpCode::kCreateTTL: {
      auto record = zookeeper::Create2Response::decode(in);
      if (!record) return std::nullopt;
      return "made " + record->path + " " + to_text(record->stat);
    }
    case OpCode::kSetData:
    case OpCode::kSetACL: {
      auto record = zookeeper::Stat::decode(in);
      if (!record) return std::nullopt;
      return to_text(*record);
    }
    default:
      return "done";
  }
}

std::optional<std::string> read_text(OpCode op, ByteReader& in) {
  switch (op) {
    case OpCode::kExists: {
      auto record = zookeeper::ExistsResponse::decode(in);
      if (!record) return std::nullopt;
      return to_text(record->stat);
    }
    case OpCode::kGetData: {
      auto record = zookeeper::GetDataResponse::decode(in);
      if (!record) return std::nullopt;
      return data_text(record->data) + " " + to_text(record->stat);
    }
    case OpCode::kGetChildren: {
      auto record = zookeeper::GetChildrenResponse::decode(in);
      if (!record) return std::nullopt;
      return list_text(std::move(record->children));
    }
    case OpCode::kGetChildren2: {
      auto record = zookeeper::GetChildren2Response::decode(in);
      if (!record) return std::nullopt;
      return list_text(std::move(record->children)) + " " + to_text(record->stat);
    }
    case OpCode::kGetACL: {
      auto record = zookeeper::GetACLResponse::decode(in);
      if (!record || record->acl.size() != 1) return std::nullopt;
      return odradek::format("perms {} {}", record->acl.front().perms, to_text(record->stat));
    }
    case OpCode::kGetEphemerals: {
      auto record = zookeeper::GetEphemeralsResponse::decode(in);
      if (!record) return std::nullopt;
      return list_text(std::move(record->ephemerals));
    }
    case OpCode::kGetAllChildrenNumber: {
      auto record = zookeeper::GetAllChildrenNumberResponse::decode(in);
      if (!record) return std::nullopt;
      return odradek::format("{} below", record->total_number);
    }
    case OpCode::kSync: {
      auto record = zookeeper::SyncResponse::decode(in);
      if (!record) return std::nullopt;
      return "synced " + record->path.value_or("nothing");
    }
    default:
      return "done";
  }
}

// A multi answers every create that shows a stat as a create2.
OpCode answered_as(OpCode part) {
  return part == OpCode::kCreateContainer || part == OpCode::kCreateTTL ? OpCode::kCreate2 : part;
}

std::optional<std::string> parts_text(const Request& request, ByteReader& in) {
  std::string text;
  for (size_t i = 0;; ++i) {
    auto header = zookeeper::MultiHeader::decode(in);
    if (!header) return std::nullopt;
    if (header->done) return i == request.parts.size() ? std::optional(text) : std::nullopt;
    if (i == request.parts.size()) return std::nullopt;
    std::optional<std::string> part;
    if (header->type == -1) {
      auto error = zookeeper::ErrorResponse::decode(in);
      if (!error || error->err != header->err) return std::nullopt;
      part = error_text(static_cast<ErrorCode>(error->err));
    } else if (header->type == static_cast<int32_t>(answered_as(request.parts[i]))) {
      part =
          request.is_write() ? write_text(request.parts[i], in) : read_text(request.parts[i], in);
    }
    if (!part) return std::nullopt;
    text += *part + "; ";
  }
}

// ---- what the history says

std::string expected_write(OpCode op, const History::Answer& answer) {
  switch (op) {
    case OpCode::kCreate:
      return "made " + answer.path;
    case OpCode::kCreate2:
    case OpCode::kCreateContainer:
    case OpCode::kCreateTTL:
      return "made " + answer.path + " " + to_text(answer.stat);
    case OpCode::kSetData:
    case OpCode::kSetACL:
      return to_text(answer.stat);
    default:
      return "done";
  }
}

std::string expected_multi(const Request& request, const History::Step& step) {
  std::string text;
  for (size_t i = 0; i < request.parts.size(); ++i) {
    if (!step.failed()) {
      text += expected_write(request.parts[i], step.answers[i]);
    } else {
      size_t refused = step.answers.size() - 1;
      text += error_text(i < refused    ? ErrorCode::kOk
                         : i == refused ? step.answers[i].error
                                        : ErrorCode::kRuntimeInconsistency);
    }
    text += "; ";
  }
  return text;
}

bool readable(const ModelNode& node, int32_t permissions) {
  for (const auto& entry : node.acl) {
    if (entry.perms & permissions) return true;
  }
  return false;
}

std::string expected_read(OpCode op, const std::string& path, int64_t session,
                          const History& history, int64_t zxid) {
  if (op == OpCode::kSync) return "synced " + path;
  if (op == OpCode::kGetEphemerals) {
    std::vector<std::string> paths = history.ephemerals(session, zxid);
    std::erase_if(paths, [&](const std::string& each) { return !each.starts_with(path); });
    return list_text(std::move(paths));
  }
  const ModelNode* node = history.node(path, zxid);
  if (!node) return error_text(ErrorCode::kNoNode);
  int32_t wanted = op == OpCode::kGetACL ? tree::kPermRead | tree::kPermAdmin : tree::kPermRead;
  if (!readable(*node, wanted)) return error_text(ErrorCode::kNoAuth);
  switch (op) {
    case OpCode::kExists:
      return to_text(node->stat);
    case OpCode::kGetData:
      return data_text(node->data) + " " + to_text(node->stat);
    case OpCode::kGetChildren:
      return list_text(history.children(path, zxid));
    case OpCode::kGetChildren2:
      return list_text(history.children(path, zxid)) + " " + to_text(node->stat);
    case OpCode::kGetACL:
      return odradek::format("perms {} {}", node->acl.front().perms, to_text(node->stat));
    case OpCode::kGetAllChildrenNumber: {
      std::string below = path == "/" ? "/" : path + "/";
      auto paths = history.all_paths(zxid);
      return odradek::format("{} below", std::count_if(paths.begin(), paths.end(), [&](auto& each) {
                               return each.size() > below.size() && each.starts_with(below);
                             }));
    }
    default:
      return "done";
  }
}

bool watched(zookeeper::WatcherType type, const std::string& path, const WatchModel& table) {
  bool child = table.has(WatchKind::child, path);
  bool data = table.has(WatchKind::data, path);
  if (type == zookeeper::WatcherType::kChildren) return child;
  if (type == zookeeper::WatcherType::kData) return data;
  return child || data || table.has(WatchKind::persistent, path) ||
         table.has(WatchKind::recursive, path);
}

}  // namespace

std::optional<std::string> answer_text(const Request& request, ErrorCode error,
                                       std::string_view body) {
  if (error != ErrorCode::kOk) {
    return body.empty() ? std::optional(error_text(error)) : std::nullopt;
  }
  ByteReader in(body);
  auto text = request.op == OpCode::kMulti || request.op == OpCode::kMultiRead
                  ? parts_text(request, in)
              : request.is_write() ? write_text(request.op, in)
                                   : read_text(request.op, in);
  return text;
}

std::string expected_text(const Request& request, const History& history, int64_t zxid,
                          const WatchModel& table) {
  if (request.is_write()) {
    const History::Step& step = history.step(zxid);
    if (request.op == OpCode::kMulti) return expected_multi(request, step);
    return step.failed() ? error_text(step.answers.back().error)
                         : expected_write(request.op, step.answers.front());
  }
  int64_t session = request.session;
  switch (request.op) {
    case OpCode::kMultiRead: {
      std::string text;
      for (size_t i = 0; i < request.paths.size(); ++i) {
        text += expected_read(request.parts[i], request.paths[i], session, history, zxid) + "; ";
      }
      return text;
    }
    case OpCode::kRemoveWatches:
    case OpCode::kCheckWatches:
      return watched(request.removes, request.paths.front(), table)
                 ? "done"
                 : error_text(ErrorCode::kNoWatcher);
    case OpCode::kPing:
    case OpCode::kSetWatches2:
    case OpCode::kAddWatch:
    case OpCode::kCloseSession:
      return "done";
    default:
      return expected_read(request.op, request.paths.front(), session, history, zxid);
  }
}

}  // namespace odradek::sim
