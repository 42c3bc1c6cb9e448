#include "coordinator/exchange/snapshot_writer.h"

#include <optional>

#include "common/bytes/byte_writer.h"
#include "common/bytes/crc32.h"
#include "common/format.h"
#include "coordinator/exchange/owner.h"
#include "coordinator/exchange/wire.h"
#include "coordinator/store/layout.h"
#include "coordinator/tree/path.h"
#include "proto/zookeeper/records.h"

namespace odradek::coordinator::exchange {

namespace {

constexpr int32_t kMagic = 0x5a4b534e;  // "ZKSN"
constexpr int32_t kVersion = 2;
constexpr int64_t kNoDatabaseId = -1;
constexpr int64_t kOpenAcl = -1;
constexpr size_t kPieceBytes = 64 << 10;
// What the controller's session has; and what it gets here.
constexpr int32_t kEndlessMs = INT32_MAX;
constexpr int32_t kShortMs = 3000;

class Writer {
 public:
  Writer(const store::Snapshot& store, const ByteSink& sink) : store_(store), sink_(sink) {}
  Result<SnapshotFacts> run();

 private:
  // Each scans the store and writes; the first failure stays and ends the scan.
  void sessions();
  void acls();
  void nodes();
  void node(std::string_view key, std::string_view value);
  bool flush(size_t at_least);
  bool fail(Error error) {
    failure_ = std::move(error);
    return false;
  }
  int64_t count(std::string_view prefix) const;

  const store::Snapshot& store_;
  const ByteSink& sink_;
  ByteWriter out_;
  uint32_t checksum_ = 1;
  SnapshotFacts facts_;
  std::optional<Error> failure_;
};

// Hands what was written to the sink once it is `at_least` so much. False after a failure.
bool Writer::flush(size_t at_least) {
  if (failure_) return false;
  if (out_.buffer_size() < at_least) return true;
  Bytes piece = out_.take();
  out_ = ByteWriter();
  checksum_ = adler32(piece, checksum_);
  if (auto taken = sink_(piece); !taken) return fail(taken.error());
  return true;
}

int64_t Writer::count(std::string_view prefix) const {
  int64_t count = 0;
  store_.scan(prefix, [&](std::string_view, std::string_view) {
    ++count;
    return true;
  });
  return count;
}

void Writer::sessions() {
  facts_.sessions = count(store::all_sessions_prefix());
  out_.i32(static_cast<int32_t>(facts_.sessions));
  store_.scan(store::all_sessions_prefix(), [&](std::string_view key, std::string_view value) {
    auto record = store::decode_session(value);
    if (!record) return fail(record.error());
    zookeeper::SnapshotSession session;
    session.id = store::session_in_key(key).value();
    session.time_out = record->timeout_ms == kEndlessMs ? kShortMs : record->timeout_ms;
    session.encode(out_);
    return flush(kPieceBytes);
  });
}

void Writer::acls() {
  out_.i32(static_cast<int32_t>(count(store::all_acls_prefix())));
  store_.scan(store::all_acls_prefix(), [&](std::string_view key, std::string_view value) {
    auto acl = store::decode_acl(value);
    if (!acl) return fail(acl.error());
    zookeeper::SnapshotAcl record;
    record.number = ByteReader(key.substr(1)).u32();
    record.acls = wire_acl(*acl);
    record.encode(out_);
    return flush(kPieceBytes);
  });
}

// Keys come level by level, so every parent stands in front of its children.
void Writer::nodes() {
  store_.scan(store::all_nodes_prefix(), [&](std::string_view key, std::string_view value) {
    node(key, value);
    return flush(kPieceBytes);
  });
}

void Writer::node(std::string_view key, std::string_view value) {
  uint32_t acl_number = 0;
  auto node = store::decode_node(value, acl_number, true);
  if (!node) {
    fail(node.error());
    return;
  }
  const tree::Stat& from = node->stat;
  zookeeper::SnapshotNode record;
  std::string path = store::path_in_key(key);
  if (path != "/") record.path = std::move(path);
  record.data = std::move(node->data);
  record.acl = acl_number == 0 ? kOpenAcl : acl_number;
  record.stat.czxid = from.czxid.value();
  record.stat.mzxid = from.mzxid.value();
  record.stat.pzxid = from.pzxid.value();
  record.stat.ctime = from.ctime_ms;
  record.stat.mtime = from.mtime_ms;
  record.stat.version = from.version;
  record.stat.cversion = from.created_children;
  record.stat.aversion = from.aversion;
  record.stat.ephemeral_owner = ephemeral_owner(from);
  record.encode(out_);
  facts_.znodes += 1;
  facts_.ttl_znodes += from.kind == tree::NodeKind::ttl;
}

Result<SnapshotFacts> Writer::run() {
  auto stored = store_.get(store::totals_key());
  if (!stored) return Error(Errc::store_damaged, "there is no tree in the store");
  auto totals = store::decode_totals(*stored);
  if (!totals) return totals.error();
  facts_.zxid = totals->last_zxid;
  zookeeper::FileHeader header;
  header.magic = kMagic;
  header.version = kVersion;
  header.dbid = kNoDatabaseId;
  header.encode(out_);
  sessions();
  if (!failure_) acls();
  if (!failure_) nodes();
  out_.i32(1);
  out_.bytes("/");
  if (!flush(0)) return *failure_;
  zookeeper::SnapshotSeal seal;
  seal.checksum = checksum_;
  seal.path = "/";
  seal.encode(out_);
  if (!flush(0)) return *failure_;
  return facts_;
}

}  // namespace

Result<SnapshotFacts> write_snapshot(const store::Snapshot& store, const ByteSink& sink) {
  return Writer(store, sink).run();
}

std::string snapshot_name(Zxid zxid) { return odradek::format("snapshot.{:x}", zxid.value()); }

}  // namespace odradek::coordinator::exchange
