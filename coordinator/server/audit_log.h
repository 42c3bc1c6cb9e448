#pragma once
// AuditLog: a line in zookeeper_audit.log for each write of a client, done or refused, for each
// ephemeral that goes with its session, for each change by the service's own hand, and for start and
// stop (audit.enable, ZooKeeper 3.6). ZooKeeper's format: pairs of key=value with tabs between them.
// Tree thread.
//
// More than ZooKeeper says: creates with a TTL, the type of sequential znodes in a multi, and
// changes by the server's own hand. Control characters in paths are escaped, so that nobody writes
// lines of others.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "coordinator/pipeline/pipeline.h"
#include "proto/zookeeper/opcodes.h"

namespace odradek::coordinator::server {

// What a line can say; what is empty is left out.
struct AuditEvent {
  SessionId session;  // 0: left out
  std::string user;
  std::string ip;
  std::string_view operation;
  std::string znode;
  std::string_view znode_type;
  std::string acl;
  std::string_view result;  // success, failure, invoked
};
std::string audit_line(const AuditEvent& event);

// Who a client is, for a line: what it authenticated as, then its address. Secrets are left out.
std::string audit_users(const tree::AuthInfo& auth);

// What of one operation of a write is needed for its line, once the operation is gone.
struct AuditedOperation {
  std::string_view operation;  // empty: it has no line (check)
  std::string path;
  std::string_view znode_type;
  std::string acl;
};
// `body` is the request's, whose flags ZooKeeper's line shows.
std::vector<AuditedOperation> audited(zookeeper::OpCode op, std::string_view body,
                                      const std::vector<tree::Operation>& operations);

class AuditLog final : public tree::CommitObserver {
 public:
  explicit AuditLog(pipeline::Pipeline& pipeline);
  ~AuditLog() override;
  AuditLog(const AuditLog&) = delete;
  AuditLog& operator=(const AuditLog&) = delete;

  void server_started();
  void server_start_failed();
  void server_stopped();
  // The end of a client's write, in the step that applies it.
  void client_write(SessionId session, const tree::AuthInfo& auth, zookeeper::OpCode op,
                    const std::vector<AuditedOperation>& operations,
                    const pipeline::WriteReply& reply);

  void on_commit(const tree::Commit& commit) override;

 private:
  void write(const AuditEvent& event);
  AuditEvent of_server(std::string_view operation, std::string_view result) const;

  pipeline::Pipeline& pipeline_;
  const std::string server_user_;  // whom this process runs as
  Zxid client_zxid_;               // of the last client's write that has its lines
};

}  // namespace odradek::coordinator::server
