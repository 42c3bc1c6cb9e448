// ZkClient: the requests. zk_client.cc has the session below them.

#include <algorithm>

#include "coordinator/cli/zk_client.h"

namespace odradek::coordinator::cli {

using zookeeper::CreateMode;
using zookeeper::KeeperState;
using zookeeper::OpCode;

template <typename Request>
Result<Bytes> ZkClient::call(OpCode op, const Request& request, const std::string& path) {
  ByteWriter body;
  request.encode(body);
  return call(op, body, path);
}

template <typename Response, typename Request>
Result<Response> ZkClient::ask(OpCode op, const Request& request, const std::string& path) {
  auto answer = call(op, request, path);
  if (!answer) return answer.error();
  ByteReader in(*answer);
  return Response::decode(in);
}

Result<std::optional<std::string>> ZkClient::get(const std::string& path, bool watch, Stat* stat) {
  zookeeper::GetDataRequest request;
  request.path = full(path);
  request.watch = watch;
  auto answer = ask<zookeeper::GetDataResponse>(OpCode::kGetData, request, path);
  if (!answer) return answer.error();
  if (stat) *stat = answer->stat;
  return std::move(answer->data);
}

Result<std::vector<std::string>> ZkClient::children(const std::string& path, bool watch,
                                                    Stat* stat) {
  zookeeper::GetChildren2Request request;
  request.path = full(path);
  request.watch = watch;
  auto answer = ask<zookeeper::GetChildren2Response>(OpCode::kGetChildren2, request, path);
  if (!answer) return answer.error();
  if (stat) *stat = answer->stat;
  return std::move(answer->children);
}

Result<std::optional<Stat>> ZkClient::exists(const std::string& path, bool watch) {
  zookeeper::ExistsRequest request;
  request.path = full(path);
  request.watch = watch;
  auto answer = ask<zookeeper::ExistsResponse>(OpCode::kExists, request, path);
  if (!answer && answer.error().code() == Errc::no_node) return std::optional<Stat>();
  if (!answer) return answer.error();
  return std::optional<Stat>(answer->stat);
}

Result<std::vector<ACL>> ZkClient::acl(const std::string& path, Stat* stat) {
  zookeeper::GetACLRequest request;
  request.path = full(path);
  auto answer = ask<zookeeper::GetACLResponse>(OpCode::kGetACL, request, path);
  if (!answer) return answer.error();
  if (stat) *stat = answer->stat;
  return std::move(answer->acl);
}

Result<std::vector<std::string>> ZkClient::ephemerals(const std::string& prefix) {
  zookeeper::GetEphemeralsRequest request;
  request.prefix_path = full(prefix);
  auto answer = ask<zookeeper::GetEphemeralsResponse>(OpCode::kGetEphemerals, request, prefix);
  if (!answer) return answer.error();
  for (auto& path : answer->ephemerals) path = local(path);
  return std::move(answer->ephemerals);
}

Result<int32_t> ZkClient::all_children_number(const std::string& path) {
  zookeeper::GetAllChildrenNumberRequest request;
  request.path = full(path);
  auto answer =
      ask<zookeeper::GetAllChildrenNumberResponse>(OpCode::kGetAllChildrenNumber, request, path);
  if (!answer) return answer.error();
  return answer->total_number;
}

Result<std::vector<zookeeper::ClientInfo>> ZkClient::who_am_i() {
  auto answer = call(OpCode::kWhoAmI, ByteWriter(), "");
  if (!answer) return answer.error();
  ByteReader in(*answer);
  auto decoded = zookeeper::WhoAmIResponse::decode(in);
  if (!decoded) return decoded.error();
  return std::move(decoded->client_info);
}

Result<void> ZkClient::sync(const std::string& path) {
  zookeeper::SyncRequest request;
  request.path = full(path);
  auto answer = call(OpCode::kSync, request, path);
  if (!answer) return answer.error();
  return {};
}

Result<std::string> ZkClient::create(const std::string& path,
                                     const std::optional<std::string>& data,
                                     const std::vector<ACL>& acl, CreateMode mode, int64_t ttl_ms) {
  Result<Bytes> answer = Bytes();
  if (ttl_ms >= 0) {
    zookeeper::CreateTTLRequest request;
    request.path = full(path);
    request.data = data;
    request.acl = acl;
    request.flags = static_cast<int32_t>(mode);
    request.ttl = ttl_ms;
    answer = call(OpCode::kCreateTTL, request, path);
  } else {
    zookeeper::CreateRequest request;
    request.path = full(path);
    request.data = data;
    request.acl = acl;
    request.flags = static_cast<int32_t>(mode);
    answer = call(mode == CreateMode::kContainer ? OpCode::kCreateContainer : OpCode::kCreate,
                  request, path);
  }
  if (!answer) return answer.error();
  ByteReader in(*answer);
  auto made = zookeeper::CreateResponse::decode(in);  // create2's answer begins with the same path
  if (!made) return made.error();
  return local(made->path);
}

Result<void> ZkClient::remove(const std::string& path, int32_t version) {
  zookeeper::DeleteRequest request;
  request.path = full(path);
  request.version = version;
  auto answer = call(OpCode::kDelete, request, path);
  if (!answer) return answer.error();
  return {};
}

Result<bool> ZkClient::remove_all(const std::vector<std::string>& paths, size_t batch) {
  bool all = true;
  batch = std::clamp<size_t>(batch, 1, 1000);
  std::vector<std::pair<int32_t, std::string>> under_way;
  size_t answered = 0;
  auto take = [&](const std::pair<int32_t, std::string>& one) -> Result<void> {
    auto answer = wait_for(one.first, one.second);
    if (answer || answer.error().code() == Errc::no_node) return {};
    if (answer.error().code() == Errc::unavailable) return answer.error();
    all = false;
    return {};
  };
  for (const auto& path : paths) {
    zookeeper::DeleteRequest request;
    request.path = full(path);
    request.version = -1;
    ByteWriter body;
    request.encode(body);
    auto xid = submit(OpCode::kDelete, body);
    if (!xid) return connection_loss(path);
    under_way.emplace_back(*xid, path);
    if (under_way.size() - answered < batch) continue;
    if (auto done = take(under_way[answered++]); !done) return done.error();
  }
  while (answered < under_way.size()) {
    if (auto done = take(under_way[answered++]); !done) return done.error();
  }
  return all;
}

Result<Stat> ZkClient::set(const std::string& path, const std::optional<std::string>& data,
                           int32_t version) {
  zookeeper::SetDataRequest request;
  request.path = full(path);
  request.data = data;
  request.version = version;
  auto answer = ask<zookeeper::SetDataResponse>(OpCode::kSetData, request, path);
  if (!answer) return answer.error();
  return answer->stat;
}

Result<Stat> ZkClient::set_acl(const std::string& path, const std::vector<ACL>& acl,
                               int32_t version) {
  zookeeper::SetACLRequest request;
  request.path = full(path);
  request.acl = acl;
  request.version = version;
  auto answer = ask<zookeeper::SetACLResponse>(OpCode::kSetACL, request, path);
  if (!answer) return answer.error();
  return answer->stat;
}

Result<void> ZkClient::add_auth(const std::string& scheme, const std::string& auth) {
  zookeeper::AuthPacket request;
  request.scheme = scheme;
  request.auth = auth;
  auto answer = call(OpCode::kAuth, request, "");
  if (!answer && answer.error().code() == Errc::auth_failed) {
    socket_.reset();
    state_ = State::auth_failed;
    fire(KeeperState::kAuthFailed);
  }
  if (!answer) return answer.error();
  auths_.emplace_back(scheme, auth);
  return {};
}

Result<void> ZkClient::add_watch(const std::string& path, zookeeper::AddWatchMode mode) {
  zookeeper::AddWatchRequest request;
  request.path = full(path);
  request.mode = static_cast<int32_t>(mode);
  auto answer = call(OpCode::kAddWatch, request, path);
  if (!answer) return answer.error();
  return {};
}

Result<void> ZkClient::remove_watches(const std::string& path, zookeeper::WatcherType type,
                                      bool check_only) {
  zookeeper::RemoveWatchesRequest request;
  request.path = full(path);
  request.type = static_cast<int32_t>(type);
  auto answer = call(check_only ? OpCode::kCheckWatches : OpCode::kRemoveWatches, request, path);
  if (!answer) return answer.error();
  return {};
}

Result<std::string> ZkClient::reconfig(const std::optional<std::string>& joining,
                                       const std::optional<std::string>& leaving,
                                       const std::optional<std::string>& members, int64_t version,
                                       Stat* stat) {
  zookeeper::ReconfigRequest request;
  request.joining_servers = joining;
  request.leaving_servers = leaving;
  request.new_members = members;
  request.cur_config_id = version;
  auto answer = ask<zookeeper::GetDataResponse>(OpCode::kReconfig, request, "");
  if (!answer) return answer.error();
  if (stat) *stat = answer->stat;
  return answer->data.value_or("");
}

Result<void> ZkClient::create_path(const std::string& path) {
  for (size_t at = path.find('/', 1);; at = path.find('/', at + 1)) {
    std::string part = path.substr(0, at);
    auto made = create(part, std::nullopt, open_acl(), CreateMode::kPersistent);
    if (!made && made.error().code() != Errc::node_exists) return made.error();
    if (at == std::string::npos) return {};
  }
}

}  // namespace odradek::coordinator::cli
