#pragma once
// ZkClient: a small blocking ZooKeeper client for the command line tools. One session; requests are
// answered in order; watch events that come between are handed to a callback. Lives on one thread,
// which calls pump() when the socket has something to read or a ping is due. Paths are the
// caller's; the chroot of the connect string is put in front here.
//
// Error codes: those of coordinator/tree by name (no_node, node_exists, ...); unavailable is a lost
// connection. Error::what is ZooKeeper's "KeeperErrorCode = NoNode for /x".

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "common/cli/socket.h"
#include "common/result.h"
#include "proto/zookeeper/opcodes.h"
#include "proto/zookeeper/records.h"

namespace odradek::coordinator::cli {

using zookeeper::ACL;
using zookeeper::Stat;

class ZkClient {
 public:
  struct Settings {
    std::string connect;  // HOST:PORT[,HOST:PORT...][/CHROOT]; the port may be left out (2181)
    int32_t session_timeout_ms = 30'000;
    bool read_only = false;
  };
  enum class State { connecting, connected, read_only, auth_failed, expired, closed };
  using EventHandler = std::function<void(const zookeeper::WatcherEvent&)>;

  ZkClient(Settings settings, EventHandler on_event);
  ZkClient(const ZkClient&) = delete;
  ZkClient& operator=(const ZkClient&) = delete;
  ~ZkClient();  // closes the session

  // Tries each server once; with `wait_ms` again until so much time has passed. Calls that need a
  // connection do this by themselves, once.
  Result<void> connect(int64_t wait_ms = 0);
  void close();
  // Closes the session without an event.
  void close_quietly();
  State state() const { return state_; }
  int64_t session_id() const { return session_id_; }
  int32_t negotiated_timeout_ms() const { return timeout_ms_; }

  // For a loop around poll(): -1 while there is no connection.
  int fd() const { return socket_ ? socket_->fd() : -1; }
  int64_t ms_to_next_ping() const;
  void pump();

  // --- reads
  Result<std::optional<std::string>> get(const std::string& path, bool watch, Stat* stat);
  Result<std::vector<std::string>> children(const std::string& path, bool watch, Stat* stat);
  Result<std::optional<Stat>> exists(const std::string& path, bool watch);
  Result<std::vector<ACL>> acl(const std::string& path, Stat* stat);
  Result<std::vector<std::string>> ephemerals(const std::string& prefix);
  Result<int32_t> all_children_number(const std::string& path);
  Result<std::vector<zookeeper::ClientInfo>> who_am_i();
  Result<void> sync(const std::string& path);

  // --- writes. `version` -1: any.
  Result<std::string> create(const std::string& path, const std::optional<std::string>& data,
                             const std::vector<ACL>& acl, zookeeper::CreateMode mode,
                             int64_t ttl_ms = -1);
  Result<void> remove(const std::string& path, int32_t version);
  // All of them are sent before the answers are read, `batch` under way at most. False when one was
  // not removed.
  Result<bool> remove_all(const std::vector<std::string>& paths, size_t batch);
  Result<Stat> set(const std::string& path, const std::optional<std::string>& data,
                   int32_t version);
  Result<Stat> set_acl(const std::string& path, const std::vector<ACL>& acl, int32_t version);
  Result<void> add_auth(const std::string& scheme, const std::string& auth);
  Result<void> add_watch(const std::string& path, zookeeper::AddWatchMode mode);
  Result<void> remove_watches(const std::string& path, zookeeper::WatcherType type,
                              bool check_only);
  Result<std::string> reconfig(const std::optional<std::string>& joining,
                               const std::optional<std::string>& leaving,
                               const std::optional<std::string>& members, int64_t version,
                               Stat* stat);

  // A persistent node and its missing parents, open to the world.
  Result<void> create_path(const std::string& path);

 private:
  struct Server {
    std::string host;
    int port;
  };

  Result<void> handshake(const Server& server, int64_t deadline_ms);
  void disconnected();
  void fire(zookeeper::KeeperState state);
  Result<int32_t> submit(zookeeper::OpCode op, const ByteWriter& body);
  Result<Bytes> wait_for(int32_t xid, const std::string& path);
  Result<Bytes> call(zookeeper::OpCode op, const ByteWriter& body, const std::string& path);
  template <typename Request>
  Result<Bytes> call(zookeeper::OpCode op, const Request& request, const std::string& path);
  template <typename Response, typename Request>
  Result<Response> ask(zookeeper::OpCode op, const Request& request, const std::string& path);
  // Events and pings are dealt with here; the rest is the answer to a request.
  bool take_unasked(int32_t xid, ByteReader& in);
  int64_t answer_deadline() const;
  std::string full(const std::string& path) const;
  std::string local(const std::string& path) const;

  Settings settings_;
  EventHandler on_event_;
  std::vector<Server> servers_;
  std::string chroot_;
  std::optional<odradek::cli::Socket> socket_;
  State state_ = State::connecting;
  int64_t session_id_ = 0;
  std::string password_;
  int32_t timeout_ms_ = 0;
  int64_t last_zxid_ = 0;
  int64_t last_sent_ms_ = 0;
  int64_t next_try_ms_ = 0;
  int32_t xid_ = 0;
  std::vector<std::pair<std::string, std::string>> auths_;
};

// "NoNode" for -101, as KeeperErrorCode prints it.
std::string keeper_error_name(int32_t code);
// What a request gets whose connection broke: "KeeperErrorCode = ConnectionLoss for /x".
Error connection_loss(const std::string& path);
std::vector<ACL> open_acl();
// Why a path is refused before it is sent, in ZooKeeper's words; empty when it is good.
std::string path_problem(const std::string& path, bool sequential = false);

}  // namespace odradek::coordinator::cli
