#include "coordinator/server/read_requests.h"

#include <algorithm>

#include "coordinator/tree/acl.h"
#include "coordinator/tree/path.h"

namespace odradek::coordinator::server {

namespace {

using zookeeper::ErrorCode;
using zookeeper::OpCode;

constexpr size_t kMaxMultiReadParts = 100'000;
constexpr size_t kStatBytes = 68;  // of a Stat on the wire

// As Java's trim: control characters are blanks.
std::string_view trimmed(std::string_view text) {
  auto blank = [](char c) { return static_cast<unsigned char>(c) <= ' '; };
  while (!text.empty() && blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && blank(text.back())) text.remove_suffix(1);
  return text;
}

// One class, so that each request reads as its list of checks.
class Reads {
 public:
  Reads(ByteReader& in, const ReadContext& context)
      : in_(in), context_(context), tree_(context.pipeline.applied_store()) {}

  Answer exists();
  Answer get_data();
  Answer get_acl();
  Answer get_children(bool with_stat);
  Answer set_watches(bool with_persistent);
  Answer check_watches(bool remove);
  Answer add_watch();
  Answer multi_read();
  Answer get_ephemerals();
  Answer get_all_children_number();
  Answer who_am_i();

 private:
  bool may(const tree::Acl& acl, int32_t perms) const {
    const tree::Rules& rules = context_.pipeline.options().rules;
    return rules.skip_acl || tree::allowed(acl, perms, context_.auth, rules.schemes);
  }
  // False where there may be no more watches.
  [[nodiscard]] bool watch(const std::string& path, uint8_t kind) {
    bool added = context_.pipeline.watches().add(path, kind, context_.watcher);
    too_many_ |= !added;
    return added;
  }
  void measure(std::string_view path, size_t bytes) {
    std::string_view name = pipeline::top_namespace(path);
    if (name.empty()) return;
    context_.metrics.read_per_namespace.observe(
        name, static_cast<int64_t>(path.size() + bytes + kStatBytes));
  }
  void missed(tree::EventType type, const std::string& path) {
    context_.watcher->on_watch_event(type, path, Zxid(-1));
  }

  static Answer malformed(const Error& error) {
    Answer answer(ErrorCode::kMarshallingError);
    answer.problem = error.what();
    return answer;
  }

  ByteReader& in_;
  bool watches_ = true;
  const ReadContext& context_;
  const store::StoreTree& tree_;
  bool too_many_ = false;  // watches
};

Answer Reads::exists() {
  auto request = zookeeper::ExistsRequest::decode(in_);
  if (!request) return malformed(request.error());
  if (request->path.find('\0') != std::string::npos) return ErrorCode::kBadArguments;
  auto stat = tree_.stat(request->path);
  // since 3.8.4; before, anybody could ask
  if (stat && !may(*tree_.acl(request->path), tree::kPermRead)) return ErrorCode::kNoAuth;
  if (request->watch && !watch(request->path, tree::kWatchData)) return ErrorCode::kSystemError;
  if (!stat) return ErrorCode::kNoNode;
  measure(request->path, 0);
  return Answer::of(wire_stat(*stat));
}

Answer Reads::get_data() {
  auto request = zookeeper::GetDataRequest::decode(in_);
  if (!request) return malformed(request.error());
  auto node = tree_.get(request->path);
  if (!node) return ErrorCode::kNoNode;
  if (!may(*node->acl, tree::kPermRead)) return ErrorCode::kNoAuth;
  if (request->watch && watches_ && !watch(request->path, tree::kWatchData)) {
    return ErrorCode::kSystemError;
  }
  measure(request->path, node->bytes().size());
  zookeeper::GetDataResponse response;
  response.data = std::move(node->data);
  response.stat = wire_stat(node->stat);
  return Answer::of(response);
}

Answer Reads::get_acl() {
  auto request = zookeeper::GetACLRequest::decode(in_);
  if (!request) return malformed(request.error());
  auto stat = tree_.stat(request->path);
  if (!stat) return ErrorCode::kNoNode;
  tree::AclRef acl = tree_.acl(request->path);
  if (!may(*acl, tree::kPermRead | tree::kPermAdmin)) return ErrorCode::kNoAuth;
  zookeeper::GetACLResponse response;
  response.acl = wire_acl(*acl);
  response.stat = wire_stat(*stat);
  if (!may(*acl, tree::kPermAdmin)) {
    // who may only read does not see the digests (ZOOKEEPER-1392)
    for (zookeeper::ACL& entry : response.acl) {
      if (entry.id.scheme != "digest") continue;
      size_t colon = entry.id.id.find(':');
      if (colon != std::string::npos) entry.id.id = entry.id.id.substr(0, colon) + ":x";
    }
  }
  return Answer::of(response);
}

Answer Reads::get_children(bool with_stat) {
  auto request = zookeeper::GetChildrenRequest::decode(in_);
  if (!request) return malformed(request.error());
  auto stat = tree_.stat(request->path);
  if (!stat) return ErrorCode::kNoNode;
  if (!may(*tree_.acl(request->path), tree::kPermRead)) return ErrorCode::kNoAuth;
  if (request->watch && watches_ && !watch(request->path, tree::kWatchChild)) {
    return ErrorCode::kSystemError;
  }
  zookeeper::GetChildren2Response response;
  response.children = *tree_.children(request->path);
  size_t bytes = 0;
  for (const std::string& child : response.children) bytes += child.size();
  measure(request->path, bytes);
  if (with_stat) {
    response.stat = wire_stat(*stat);
    return Answer::of(response);
  }
  zookeeper::GetChildrenResponse plain;
  plain.children = std::move(response.children);
  return Answer::of(plain);
}

// A client that comes back brings its watches: what it missed is told at once, the rest is
// registered.
Answer Reads::set_watches(bool with_persistent) {
  zookeeper::SetWatches2 all;
  if (with_persistent) {
    auto request = zookeeper::SetWatches2::decode(in_);
    if (!request) return malformed(request.error());
    all = *std::move(request);
  } else {
    auto request = zookeeper::SetWatches::decode(in_);
    if (!request) return malformed(request.error());
    all.relative_zxid = request->relative_zxid;
    all.data_watches = std::move(request->data_watches);
    all.exist_watches = std::move(request->exist_watches);
    all.child_watches = std::move(request->child_watches);
  }
  Zxid seen(all.relative_zxid);
  // before the restore there was another history: whatever it watches may be different now
  if (seen < context_.pipeline.restored_zxid()) seen = Zxid(-1);
  for (const std::string& path : all.data_watches) {
    auto stat = tree_.stat(path);
    if (!stat) {
      missed(tree::EventType::deleted, path);
    } else if (stat->mzxid > seen) {
      missed(tree::EventType::data_changed, path);
    } else if (!watch(path, tree::kWatchData)) {
      break;
    }
  }
  for (const std::string& path : all.exist_watches) {
    if (tree_.stat(path)) {
      missed(tree::EventType::created, path);
    } else if (!watch(path, tree::kWatchData)) {
      break;
    }
  }
  for (const std::string& path : all.child_watches) {
    auto stat = tree_.stat(path);
    if (!stat) {
      missed(tree::EventType::deleted, path);
    } else if (stat->pzxid > seen) {
      missed(tree::EventType::children_changed, path);
    } else if (!watch(path, tree::kWatchChild)) {
      break;
    }
  }
  for (const std::string& path : all.persistent_watches) {
    if (!watch(path, tree::kWatchPersistent)) break;
  }
  for (const std::string& path : all.persistent_recursive_watches) {
    if (!watch(path, tree::kWatchRecursive)) break;
  }
  return too_many_ ? ErrorCode::kSystemError : ErrorCode::kOk;
}

// The kinds that a number of checkWatches and removeWatches stands for; 4 and 5 since
// ZooKeeper 3.9.
uint8_t kinds_of(int32_t type) {
  switch (type) {
    case 1:
      return tree::kWatchChild;
    case 2:
      return tree::kWatchData;
    case 3:
      return tree::kWatchData | tree::kWatchChild | tree::kWatchPersistent | tree::kWatchRecursive;
    case 4:
      return tree::kWatchPersistent;
    case 5:
      return tree::kWatchRecursive;
    default:
      return 0;
  }
}

Answer Reads::check_watches(bool remove) {
  auto request = zookeeper::CheckWatchesRequest::decode(in_);
  if (!request) return malformed(request.error());
  uint8_t kinds = kinds_of(request->type);
  if (kinds == 0) return malformed(Error(Errc::malformed, "an unknown type of watch"));
  tree::WatchTable& watches = context_.pipeline.watches();
  bool found = remove ? watches.remove(request->path, kinds, context_.watcher)
                      : (watches.kinds(request->path, context_.watcher) & kinds) != 0;
  return found ? ErrorCode::kOk : ErrorCode::kNoWatcher;
}

Answer Reads::add_watch() {
  auto request = zookeeper::AddWatchRequest::decode(in_);
  if (!request) return malformed(request.error());
  auto mode = zookeeper::find_add_watch_mode(request->mode);
  if (!mode) return malformed(Error(Errc::malformed, "an unknown mode of watch"));
  uint8_t kind = *mode == zookeeper::AddWatchMode::kPersistent ? tree::kWatchPersistent
                                                               : tree::kWatchRecursive;
  if (!watch(request->path, kind)) return ErrorCode::kSystemError;
  zookeeper::ErrorResponse response;
  return Answer::of(response);
}

// getData and getChildren only; one that fails does not stop the others. It sets no watches.
Answer Reads::multi_read() {
  watches_ = false;
  ByteWriter out;
  auto put_header = [&out](int32_t type, bool done, int32_t error) {
    zookeeper::MultiHeader header;
    header.type = type;
    header.done = done;
    header.err = error;
    header.encode(out);
  };
  for (size_t i = 0;; ++i) {
    auto header = zookeeper::MultiHeader::decode(in_);
    if (!header) return malformed(header.error());
    if (i == kMaxMultiReadParts) return malformed(Error(Errc::malformed, "too many operations"));
    if (header->done) break;
    Answer part;
    if (header->type == static_cast<int32_t>(OpCode::kGetData)) {
      part = get_data();
    } else if (header->type == static_cast<int32_t>(OpCode::kGetChildren)) {
      part = get_children(false);
    } else {
      return malformed(Error(Errc::malformed, "an operation that no multiRead may hold"));
    }
    // a part that does not decode leaves the rest of the frame without meaning
    if (part.error == ErrorCode::kMarshallingError) return part;
    int32_t error = static_cast<int32_t>(part.error);
    put_header(error ? -1 : header->type, false, error);
    if (error) {
      out.i32(error);
    } else {
      out.bytes(part.body);
    }
  }
  put_header(-1, true, -1);
  Answer answer;
  answer.body = out.take();
  return answer;
}

Answer Reads::get_ephemerals() {
  auto request = zookeeper::GetEphemeralsRequest::decode(in_);
  if (!request) return malformed(request.error());
  zookeeper::GetEphemeralsResponse response;
  std::string_view prefix = trimmed(request->prefix_path);
  // of blanks alone, or the root: all
  prefix = prefix.empty() || prefix == "/" ? std::string_view() : request->prefix_path;
  for (std::string& path : tree_.ephemerals(context_.session)) {
    if (path.starts_with(prefix)) response.ephemerals.push_back(std::move(path));
  }
  return Answer::of(response);
}

Answer Reads::get_all_children_number() {
  auto request = zookeeper::GetAllChildrenNumberRequest::decode(in_);
  if (!request) return malformed(request.error());
  if (!tree_.stat(request->path)) return ErrorCode::kNoNode;
  if (!may(*tree_.acl(request->path), tree::kPermRead)) return ErrorCode::kNoAuth;
  zookeeper::GetAllChildrenNumberResponse response;
  response.total_number = static_cast<int32_t>(tree_.count_below(request->path));
  return Answer::of(response);
}

Answer Reads::who_am_i() {
  zookeeper::WhoAmIResponse response;
  for (const tree::Identity& identity : context_.auth.identities) {
    zookeeper::ClientInfo info;
    info.auth_scheme = identity.scheme;
    // a digest's hash is not shown
    info.user =
        identity.scheme == "digest" ? identity.id.substr(0, identity.id.find(':')) : identity.id;
    response.client_info.push_back(std::move(info));
  }
  return Answer::of(response);
}

}  // namespace

Answer answer_read(OpCode op, std::string_view body, const ReadContext& context) {
  ByteReader in(body);
  Reads reads(in, context);
  switch (op) {
    case OpCode::kExists:
      return reads.exists();
    case OpCode::kGetData:
      return reads.get_data();
    case OpCode::kGetACL:
      return reads.get_acl();
    case OpCode::kGetChildren:
      return reads.get_children(false);
    case OpCode::kGetChildren2:
      return reads.get_children(true);
    case OpCode::kSetWatches:
      return reads.set_watches(false);
    case OpCode::kSetWatches2:
      return reads.set_watches(true);
    case OpCode::kCheckWatches:
      return reads.check_watches(false);
    case OpCode::kRemoveWatches:
      return reads.check_watches(true);
    case OpCode::kAddWatch:
      return reads.add_watch();
    case OpCode::kMultiRead:
      return reads.multi_read();
    case OpCode::kGetEphemerals:
      return reads.get_ephemerals();
    case OpCode::kGetAllChildrenNumber:
      return reads.get_all_children_number();
    case OpCode::kWhoAmI:
      return reads.who_am_i();
    default:
      return ErrorCode::kUnimplemented;
  }
}

}  // namespace odradek::coordinator::server
