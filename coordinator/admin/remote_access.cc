// The store of a coordinator that runs, by gRPC.
#include <grpcpp/grpcpp.h>

#include "common/bytes/crc32c.h"
#include "common/clock.h"
#include "common/format.h"
#include "coordinator/admin/access.h"
#include "proto/coordinator/admin.grpc.pb.h"

namespace odradek::coordinator::admin {

namespace {

namespace wire = odradek::coordinator::v1;

constexpr int64_t kConnectMs = 5'000;
// How long a coordinator may take to come back with the tree that was restored.
constexpr int64_t kRestartMs = 120'000;
constexpr int64_t kLookAgainMs = 200;

class RemoteAccess final : public Access {
 public:
  explicit RemoteAccess(std::string server) : server_(std::move(server)) {
    channel_ = open_channel();
    stub_ = wire::Admin::NewStub(channel_);
  }

  Result<store::CheckReport> check(
      const std::function<void(const std::string&)>& found) override;
  Result<exchange::SnapshotFacts> write_snapshot(const exchange::ByteSink& sink) override;
  Result<exchange::BackupFacts> copy_files(const exchange::PieceSink& sink) override;
  Result<Restored> restore(fs::FileSystem& files, const std::string& folder,
                           const exchange::BackupFacts& facts) override;

 private:
  // A connection of its own: one that failed before waits longer and longer until it tries again.
  std::shared_ptr<grpc::Channel> open_channel() const;
  Result<void> connect();
  Error error_of(const grpc::Status& status) const;
  // Waits until a coordinator answers that started after `start_id`.
  Result<wire::Description> await_start(uint64_t start_id);

  const std::string server_;
  std::shared_ptr<grpc::Channel> channel_;
  std::unique_ptr<wire::Admin::Stub> stub_;
};

std::shared_ptr<grpc::Channel> RemoteAccess::open_channel() const {
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  return grpc::CreateCustomChannel(server_, grpc::InsecureChannelCredentials(), arguments);
}

Error RemoteAccess::error_of(const grpc::Status& status) const {
  switch (status.error_code()) {
    case grpc::StatusCode::OK:
      return Error(Errc::internal, odradek::format("the answer of {} ended early", server_));
    case grpc::StatusCode::UNIMPLEMENTED:
      return Error(Errc::unimplemented,
                   odradek::format("{} is a coordinator of an older release", server_));
    case grpc::StatusCode::UNAVAILABLE:
      return Error(Errc::unavailable,
                   odradek::format("the connection to {} broke: {}", server_,
                                   status.error_message()));
    case grpc::StatusCode::PERMISSION_DENIED:
      return Error(Errc::permission_denied, status.error_message());
    default:
      return Error(Errc::internal, status.error_message());
  }
}

Result<void> RemoteAccess::connect() {
  if (channel_->WaitForConnected(deadline_in_ms(kConnectMs))) return {};
  return Error(Errc::unavailable,
               odradek::format("no coordinator answers at {}: start it, name another one with "
                               "--server, or name the directory of a stopped one with --data-dir",
                               server_));
}

Result<store::CheckReport> RemoteAccess::check(
    const std::function<void(const std::string&)>& found) {
  if (auto connected = connect(); !connected) return connected.error();
  grpc::ClientContext context;
  auto stream = stub_->Check(&context, wire::CheckRequest());
  store::CheckReport report;
  bool whole = false;
  for (wire::CheckPart part; stream->Read(&part);) {
    if (part.has_finding()) {
      found(part.finding());
      continue;
    }
    const wire::CheckTotals& totals = part.totals();
    report.znodes = totals.znodes();
    report.ephemerals = totals.ephemerals();
    report.sessions = totals.sessions();
    report.acls = totals.acls();
    report.data_bytes = totals.data_bytes();
    report.findings = totals.findings();
    report.last_zxid = Zxid(totals.zxid());
    whole = true;
  }
  grpc::Status status = stream->Finish();
  if (!status.ok() || !whole) return error_of(status);
  return report;
}

Result<exchange::SnapshotFacts> RemoteAccess::write_snapshot(const exchange::ByteSink& sink) {
  if (auto connected = connect(); !connected) return connected.error();
  grpc::ClientContext context;
  auto stream = stub_->Export(&context, wire::ExportRequest());
  exchange::SnapshotFacts facts;
  bool whole = false;
  Result<void> taken;
  for (wire::ExportPart part; taken && stream->Read(&part);) {
    if (!part.has_exported()) {
      taken = sink(part.piece());
      continue;
    }
    facts.zxid = Zxid(part.exported().zxid());
    facts.znodes = part.exported().znodes();
    facts.sessions = part.exported().sessions();
    facts.ttl_znodes = part.exported().ttl_znodes();
    whole = true;
  }
  if (!taken) context.TryCancel();
  grpc::Status status = stream->Finish();
  if (!taken) return taken.error();
  if (!status.ok() || !whole) return error_of(status);
  return facts;
}

Result<exchange::BackupFacts> RemoteAccess::copy_files(const exchange::PieceSink& sink) {
  if (auto connected = connect(); !connected) return connected.error();
  grpc::ClientContext context;
  auto stream = stub_->Backup(&context, wire::BackupRequest());
  exchange::BackupFacts facts;
  bool whole = false;
  uint32_t crc = 0;
  Result<void> taken;
  for (wire::BackupPart part; taken && stream->Read(&part);) {
    if (part.has_backed_up()) {
      facts.zxid = Zxid(part.backed_up().zxid());
      facts.znodes = part.backed_up().znodes();
      facts.sessions = part.backed_up().sessions();
      facts.time_ms = part.backed_up().time_ms();
      whole = true;
      continue;
    }
    const wire::FilePiece& piece = part.piece();
    crc = crc32c(piece.data(), crc);
    if (piece.last() && std::exchange(crc, 0) != piece.crc32c()) {
      taken = Error(Errc::malformed, piece.name() + " was damaged on its way");
    } else {
      taken = sink({piece.name(), piece.data(), piece.last()});
    }
  }
  if (!taken) context.TryCancel();
  grpc::Status status = stream->Finish();
  if (!taken) return taken.error();
  if (!status.ok() || !whole) return error_of(status);
  return facts;
}

Result<Restored> RemoteAccess::restore(fs::FileSystem& files, const std::string& folder,
                                       const exchange::BackupFacts& facts) {
  if (auto connected = connect(); !connected) return connected.error();
  grpc::ClientContext context;
  wire::RestoreReply reply;
  auto stream = stub_->Restore(&context, &reply);
  std::vector<std::string> names;
  for (const exchange::BackupFile& file : facts.files) names.push_back(file.name);
  uint32_t crc = 0;
  bool taken = true;  // by the coordinator; its status says why not
  auto sent = exchange::send_files(
      files, folder, names, [&](exchange::FilePiece piece) -> Result<void> {
        wire::BackupPart part;
        crc = crc32c(piece.bytes, crc);
        part.mutable_piece()->set_name(std::move(piece.name));
        part.mutable_piece()->set_data(std::move(piece.bytes));
        part.mutable_piece()->set_last(piece.last);
        if (piece.last) part.mutable_piece()->set_crc32c(std::exchange(crc, 0));
        taken = stream->Write(part);
        if (!taken) return Error(Errc::cancelled, "the coordinator takes no more");
        return {};
      });
  if (!sent && taken) {  // a file that cannot be read
    context.TryCancel();
    grpc::Status ignored = stream->Finish();
    return sent.error();
  }
  wire::BackupPart end;
  end.mutable_backed_up()->set_zxid(facts.zxid.value());
  end.mutable_backed_up()->set_znodes(facts.znodes);
  end.mutable_backed_up()->set_sessions(facts.sessions);
  end.mutable_backed_up()->set_time_ms(facts.time_ms);
  if (taken) stream->Write(end);
  stream->WritesDone();
  if (grpc::Status status = stream->Finish(); !status.ok()) return error_of(status);
  auto started = await_start(reply.start_id());
  if (!started) return started.error();
  Restored restored{Zxid(started->zxid()), reply.znodes(), reply.sessions(), ""};
  restored.note = odradek::format("The former store is kept until the next restore, in {}.replaced.",
                                  started->store_dir());
  return restored;
}

Result<wire::Description> RemoteAccess::await_start(uint64_t start_id) {
  SystemClock clock;
  int64_t end_ms = clock.monotonic_ms() + kRestartMs;
  while (clock.monotonic_ms() < end_ms) {
    auto channel = open_channel();
    if (!channel->WaitForConnected(deadline_in_ms(kLookAgainMs))) continue;
    grpc::ClientContext context;
    context.set_deadline(deadline_in_ms(kConnectMs));
    wire::Description description;
    grpc::Status status = wire::Admin::NewStub(channel)->Describe(
        &context, wire::DescribeRequest(), &description);
    if (status.ok() && description.start_id() != start_id) return description;
    // it has not ended yet: its end shows in the connection
    channel->WaitForStateChange(GRPC_CHANNEL_READY, deadline_in_ms(kLookAgainMs));
  }
  return Error(Errc::timed_out,
               odradek::format("the backup was handed over, but the coordinator at {} did not come "
                               "back within {} s: see its log",
                               server_, kRestartMs / 1000));
}

}  // namespace

std::unique_ptr<Access> remote_access(const std::string& server) {
  return std::make_unique<RemoteAccess>(server);
}

}  // namespace odradek::coordinator::admin
