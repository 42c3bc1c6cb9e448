#include "coordinator/exchange/logged_txn.h"

#include <type_traits>

#include "common/bytes/byte_reader.h"
#include "common/format.h"
#include "coordinator/exchange/owner.h"
#include "coordinator/exchange/wire.h"
#include "proto/zookeeper/opcodes.h"
#include "proto/zookeeper/records.h"

namespace odradek::coordinator::exchange {

namespace {

using zookeeper::OpCode;

constexpr size_t kDigestBytes = 12;  // TxnDigest, behind every transaction since 3.6

tree::Stat ttl_stat(int64_t ttl_ms) {
  tree::Stat stat;
  stat.kind = tree::NodeKind::ttl;
  stat.ttl_ms = ttl_ms;
  return stat;
}

tree::Stat container_stat() {
  tree::Stat stat;
  stat.kind = tree::NodeKind::container;
  return stat;
}

// The fields that all of the create records share.
template <typename Record>
LoggedCreate create_of(Record record, int64_t ephemeral_owner, int32_t parent_creates) {
  LoggedCreate create;
  create.path = std::move(record.path);
  create.data = std::move(record.data);
  create.acl = acl_of(std::move(record.acl));
  create.ephemeral_owner = ephemeral_owner;
  create.parent_creates = parent_creates;
  return create;
}

Error no_path(std::string_view path) {
  return Error(Errc::malformed,
               odradek::format("\"{}\" is no path of a znode", path.substr(0, 200)));
}

// Each reads one record of a transaction whose header is read.
class Steps {
 public:
  Steps(ByteView body, LoggedTxn& txn) : body_(body), txn_(txn) {}

  Result<void> add(OpCode op);

 private:
  template <typename Record, typename Make>
  Result<void> decode(Make make) {
    ByteReader in(body_);
    auto record = Record::decode(in);
    if (!record) return record.error();
    auto step = make(*std::move(record));
    if constexpr (requires { step.path; }) {
      using Step = decltype(step);
      constexpr bool may_be_root =
          std::is_same_v<Step, LoggedSetData> || std::is_same_v<Step, LoggedSetAcl>;
      if (!is_path(step.path) && !(may_be_root && step.path == "/")) return no_path(step.path);
    }
    txn_.steps.emplace_back(std::move(step));
    return {};
  }
  Result<void> add_create();
  Result<void> add_session_end();
  Result<void> add_multi();

  ByteView body_;
  LoggedTxn& txn_;
};

Result<void> Steps::add_create() {
  int64_t session = txn_.session.value();
  auto made = decode<zookeeper::CreateTxn>([&](zookeeper::CreateTxn record) {
    int32_t creates = record.parent_c_version;
    return create_of(std::move(record), record.ephemeral ? session : 0, creates);
  });
  if (made) return made;
  // as written before 3.4
  return decode<zookeeper::CreateTxnV0>([&](zookeeper::CreateTxnV0 record) {
    return create_of(std::move(record), record.ephemeral ? session : 0, -1);
  });
}

// With or without the list of paths, and each with or without a digest: told apart by the length.
Result<void> Steps::add_session_end() {
  LoggedSessionEnd end;
  ByteReader in(body_);
  auto record = zookeeper::CloseSessionTxn::decode(in);
  if (record && (in.remaining() == 0 || in.remaining() == kDigestBytes)) {
    end.paths = std::move(record->paths2_delete);
    for (const std::string& path : end.paths) {
      if (!is_path(path)) return no_path(path);
    }
  } else if (!body_.empty() && body_.size() != kDigestBytes) {
    return Error(Errc::malformed, "CloseSessionTxn: it does not decode");
  }
  txn_.steps.emplace_back(std::move(end));
  return {};
}

Result<void> Steps::add_multi() {
  ByteReader in(body_);
  auto multi = zookeeper::MultiTxn::decode(in);
  if (!multi) return multi.error();
  for (const zookeeper::Txn& part : multi->txns) {
    // one that failed: nothing of the others was done
    if (part.type == static_cast<int32_t>(OpCode::kError)) return {};
  }
  for (const zookeeper::Txn& part : multi->txns) {
    auto op = zookeeper::find_op_code(part.type);
    if (!op || *op == OpCode::kMulti) {
      return Error(Errc::unsupported_version,
                   odradek::format("a multi holds a transaction of type {}", part.type));
    }
    Steps inner(part.data ? ByteView(*part.data) : ByteView(), txn_);
    if (auto added = inner.add(*op); !added) return added.error();
  }
  return {};
}

Result<void> Steps::add(OpCode op) {
  switch (op) {
    case OpCode::kCreate:
    case OpCode::kCreate2:
      return add_create();
    case OpCode::kCreateContainer:
      return decode<zookeeper::CreateContainerTxn>([](zookeeper::CreateContainerTxn record) {
        int32_t creates = record.parent_c_version;
        return create_of(std::move(record), ephemeral_owner(container_stat()), creates);
      });
    case OpCode::kCreateTTL:
      return decode<zookeeper::CreateTTLTxn>([](zookeeper::CreateTTLTxn record) {
        int32_t creates = record.parent_c_version;
        int64_t owner = ephemeral_owner(ttl_stat(record.ttl));
        return create_of(std::move(record), owner, creates);
      });
    case OpCode::kDelete:
    case OpCode::kDeleteContainer:
      return decode<zookeeper::DeleteTxn>(
          [](zookeeper::DeleteTxn record) { return LoggedDelete{std::move(record.path)}; });
    case OpCode::kSetData:
    case OpCode::kReconfig:
      return decode<zookeeper::SetDataTxn>([](zookeeper::SetDataTxn record) {
        return LoggedSetData{std::move(record.path), std::move(record.data), record.version};
      });
    case OpCode::kSetACL:
      return decode<zookeeper::SetACLTxn>([](zookeeper::SetACLTxn record) {
        return LoggedSetAcl{std::move(record.path), acl_of(std::move(record.acl)), record.version};
      });
    case OpCode::kCreateSession:
      return decode<zookeeper::CreateSessionTxn>(
          [](zookeeper::CreateSessionTxn record) { return LoggedSession{record.time_out}; });
    case OpCode::kCloseSession:
      return add_session_end();
    case OpCode::kMulti:
      return add_multi();
    case OpCode::kError:
    case OpCode::kCheck:
      return {};
    default:
      return Error(Errc::unsupported_version,
                   odradek::format("a transaction of type {} is not known",
                                   static_cast<int32_t>(op)));
  }
}

}  // namespace

Result<LoggedTxn> decode_logged_txn(ByteView entry) {
  ByteReader in(entry);
  auto header = zookeeper::TxnHeader::decode(in);
  if (!header) return header.error();
  LoggedTxn txn;
  txn.session = SessionId(header->client_id);
  txn.zxid = Zxid(header->zxid);
  txn.time_ms = header->time;
  auto op = zookeeper::find_op_code(header->type);
  if (!op) {
    return Error(Errc::unsupported_version,
                 odradek::format("a transaction of type {} is not known", header->type));
  }
  Steps steps(in.rest(), txn);
  if (auto added = steps.add(*op); !added) return added.error();
  return txn;
}

}  // namespace odradek::coordinator::exchange
