#include "coordinator/server/admin_service.h"

#include <random>
#include <thread>

#include "common/bytes/crc32c.h"
#include "common/clock.h"
#include "common/format.h"
#include "common/fs/real_file_system.h"
#include "common/log/log.h"
#include "coordinator/exchange/backup_folder.h"
#include "coordinator/exchange/restore.h"
#include "coordinator/exchange/snapshot_writer.h"
#include "coordinator/server/admin_streams.h"
#include "coordinator/server/peer_guard.h"
#include "coordinator/store/store_check.h"
#include "coordinator/store/store_tree.h"
#include "proto/coordinator/admin.grpc.pb.h"

namespace odradek::coordinator::server {

namespace {

namespace wire = odradek::coordinator::v1;

grpc::Status status_of(const Error& error) {
  grpc::StatusCode code = grpc::StatusCode::INTERNAL;
  switch (error.code()) {
    case Errc::permission_denied:
      code = grpc::StatusCode::PERMISSION_DENIED;
      break;
    case Errc::malformed:
    case Errc::store_damaged:
      code = grpc::StatusCode::DATA_LOSS;
      break;
    case Errc::limit_exceeded:
    case Errc::disk_full:
      code = grpc::StatusCode::RESOURCE_EXHAUSTED;
      break;
    case Errc::cancelled:
      code = grpc::StatusCode::CANCELLED;
      break;
    case Errc::unavailable:
      code = grpc::StatusCode::UNAVAILABLE;
      break;
    default:
      break;
  }
  return grpc::Status(code, error.what());
}

grpc::Status status_of(const Result<void>& result) {
  return result ? grpc::Status::OK : status_of(result.error());
}

Error gone() { return Error(Errc::cancelled, "whoever asked is gone"); }

uint64_t random_id() {
  std::random_device source;
  return uint64_t{source()} << 32 | source();
}

}  // namespace

class AdminService::Impl final : public wire::Admin::CallbackService {
 public:
  Impl(store::RocksStore& store, const ServerSettings& settings,
       std::function<uint16_t()> our_port, std::function<void()> restart)
      : store_(store),
        store_dir_(settings.store_dir()),
        our_port_(std::move(our_port)),
        restart_(std::move(restart)),
        start_id_(random_id()) {}

  grpc::ServerUnaryReactor* Describe(grpc::CallbackServerContext* context,
                                     const wire::DescribeRequest*,
                                     wire::Description* reply) override {
    auto* reactor = context->DefaultReactor();
    auto allowed = allow_admin(context->peer(), our_port_());
    if (allowed) describe(*reply);
    reactor->Finish(status_of(allowed));
    return reactor;
  }

  grpc::ServerWriteReactor<wire::CheckPart>* Check(grpc::CallbackServerContext* context,
                                                   const wire::CheckRequest*) override {
    auto* stream = new BlockingWriter<wire::CheckPart>();
    run(context, stream, "check", [this, stream] { return check(*stream); });
    return stream;
  }

  grpc::ServerWriteReactor<wire::ExportPart>* Export(grpc::CallbackServerContext* context,
                                                     const wire::ExportRequest*) override {
    auto* stream = new BlockingWriter<wire::ExportPart>();
    run(context, stream, "export", [this, stream] { return export_snapshot(*stream); });
    return stream;
  }

  grpc::ServerWriteReactor<wire::BackupPart>* Backup(grpc::CallbackServerContext* context,
                                                     const wire::BackupRequest*) override {
    auto* stream = new BlockingWriter<wire::BackupPart>();
    run(context, stream, "backup", [this, stream] { return backup(*stream); });
    return stream;
  }

  grpc::ServerReadReactor<wire::BackupPart>* Restore(grpc::CallbackServerContext* context,
                                                    wire::RestoreReply* reply) override {
    auto* stream = new BlockingReader<wire::BackupPart>();
    run(context, stream, "restore", [this, stream, reply] { return restore(*stream, *reply); });
    return stream;
  }

  void stop();

 private:
  template <typename Stream, typename Work>
  void run(grpc::CallbackServerContext* context, Stream* stream, const char* what, Work work);
  Result<void> may_begin() const;
  void end();

  void describe(wire::Description& reply);
  Result<void> check(BlockingWriter<wire::CheckPart>& stream);
  Result<void> export_snapshot(BlockingWriter<wire::ExportPart>& stream);
  Result<void> backup(BlockingWriter<wire::BackupPart>& stream);
  Result<void> send_checkpoint(const std::string& folder,
                               BlockingWriter<wire::BackupPart>& stream);
  Result<void> restore(BlockingReader<wire::BackupPart>& stream, wire::RestoreReply& reply);
  Result<store::CheckReport> accept(BlockingReader<wire::BackupPart>& stream);
  Result<Zxid> receive(BlockingReader<wire::BackupPart>& stream);

  store::RocksStore& store_;
  const std::string store_dir_;
  const std::function<uint16_t()> our_port_;
  const std::function<void()> restart_;
  const uint64_t start_id_;
  fs::RealFileSystem files_;

  std::mutex mutex_;  // guards the three below
  grpc::CallbackServerContext* running_ = nullptr;
  bool stopped_ = false;
  std::thread worker_;  // of the last operation
  bool restart_due_ = false;  // worker only
};

Result<void> AdminService::Impl::may_begin() const {
  if (stopped_) return Error(Errc::unavailable, "the coordinator is stopping");
  if (running_ == nullptr) return {};
  return Error(Errc::limit_exceeded, "another operation of coordinator-admin is running");
}

void AdminService::Impl::end() {
  std::lock_guard lock(mutex_);
  running_ = nullptr;
}

template <typename Stream, typename Work>
void AdminService::Impl::run(grpc::CallbackServerContext* context, Stream* stream,
                             const char* what, Work work) {
  std::string peer = context->peer();
  auto allowed = allow_admin(peer, our_port_());
  std::lock_guard lock(mutex_);
  if (allowed) allowed = may_begin();
  if (!allowed) {
    LOG_WARN("zookeeper", "{} asked for a {} and was refused: {}", peer, what,
             allowed.error().what());
    stream->finish(status_of(allowed));
    return;
  }
  running_ = context;
  if (worker_.joinable()) worker_.join();  // its operation has ended
  worker_ = std::thread([this, stream, peer, what, work] {
    pthread_setname_np(pthread_self(), "admin");
    LOG_INFO("zookeeper", "{} asked for a {}", peer, what);
    Result<void> done = work();
    if (!done) LOG_WARN("zookeeper", "The {} ended early: {}", what, done.error().what());
    end();
    stream->finish(status_of(done));
    if (std::exchange(restart_due_, false)) restart_();
  });
}

void AdminService::Impl::stop() {
  std::thread worker;
  {
    std::lock_guard lock(mutex_);
    stopped_ = true;
    if (running_ != nullptr) running_->TryCancel();
    worker = std::move(worker_);
  }
  if (worker.joinable()) worker.join();
}

void AdminService::Impl::describe(wire::Description& reply) {
  auto snapshot = store_.snapshot();
  reply.set_start_id(start_id_);
  reply.set_store_dir(store_dir_);
  if (auto totals = store::StoreTree(snapshot).totals()) {
    reply.set_zxid(totals->last_zxid.value());
    reply.set_znodes(totals->nodes);
  }
  int64_t sessions = 0;
  snapshot->scan(store::all_sessions_prefix(), [&](std::string_view, std::string_view) {
    ++sessions;
    return true;
  });
  reply.set_sessions(sessions);
}

Result<void> AdminService::Impl::check(BlockingWriter<wire::CheckPart>& stream) {
  bool there = true;
  auto send = [&](const std::string& finding) {
    wire::CheckPart part;
    part.set_finding(finding);
    there = there && stream.write(part);
  };
  store::CheckReport report;
  if (auto verified = store_.verify(); !verified) {
    send(verified.error().what());
    report.findings = 1;  // what a damaged file says is not looked at
  } else {
    report = store::check_contents(*store_.snapshot(), send);
  }
  wire::CheckPart part;
  wire::CheckTotals& totals = *part.mutable_totals();
  totals.set_znodes(report.znodes);
  totals.set_ephemerals(report.ephemerals);
  totals.set_sessions(report.sessions);
  totals.set_acls(report.acls);
  totals.set_data_bytes(report.data_bytes);
  totals.set_findings(report.findings);
  totals.set_zxid(report.last_zxid.value());
  if (!there || !stream.write(part)) return gone();
  return {};
}

Result<void> AdminService::Impl::export_snapshot(BlockingWriter<wire::ExportPart>& stream) {
  auto facts = exchange::write_snapshot(*store_.snapshot(), [&](ByteView piece) -> Result<void> {
    wire::ExportPart part;
    part.set_piece(piece.data(), piece.size());
    if (!stream.write(part)) return gone();
    return {};
  });
  if (!facts) return facts.error();
  wire::ExportPart part;
  wire::Exported& exported = *part.mutable_exported();
  exported.set_zxid(facts->zxid.value());
  exported.set_znodes(facts->znodes);
  exported.set_sessions(facts->sessions);
  exported.set_ttl_znodes(facts->ttl_znodes);
  if (!stream.write(part)) return gone();
  return {};
}

Result<void> AdminService::Impl::backup(BlockingWriter<wire::BackupPart>& stream) {
  std::string folder = exchange::checkpoint_dir(store_dir_);
  if (auto removed = files_.remove_all(folder); !removed) return removed.error();
  if (auto made = store_.checkpoint(folder); !made) return made.error();
  Result<void> sent = send_checkpoint(folder, stream);
  Result<void> removed = files_.remove_all(folder);
  return sent ? removed : sent;
}

Result<void> AdminService::Impl::send_checkpoint(const std::string& folder,
                                                 BlockingWriter<wire::BackupPart>& stream) {
  auto facts = exchange::facts_of_store(folder, SystemClock().wall_ms());
  if (!facts) return facts.error();
  auto names = exchange::store_files(files_, folder);
  if (!names) return names.error();
  uint32_t crc = 0;
  auto sent = exchange::send_files(
      files_, folder, *names, [&](exchange::FilePiece piece) -> Result<void> {
        wire::BackupPart part;
        wire::FilePiece& message = *part.mutable_piece();
        crc = crc32c(piece.bytes, crc);
        message.set_name(std::move(piece.name));
        message.set_data(std::move(piece.bytes));
        message.set_last(piece.last);
        if (piece.last) message.set_crc32c(std::exchange(crc, 0));
        if (!stream.write(part)) return gone();
        return {};
      });
  if (!sent) return sent;
  wire::BackupPart part;
  wire::BackedUp& done = *part.mutable_backed_up();
  done.set_zxid(facts->zxid.value());
  done.set_znodes(facts->znodes);
  done.set_sessions(facts->sessions);
  done.set_time_ms(facts->time_ms);
  if (!stream.write(part)) return gone();
  return {};
}

Result<void> AdminService::Impl::restore(BlockingReader<wire::BackupPart>& stream,
                                         wire::RestoreReply& reply) {
  std::string folder = exchange::incoming_dir(store_dir_);
  if (auto removed = files_.remove_all(folder); !removed) return removed.error();
  auto accepted = accept(stream);
  if (!accepted) {
    if (auto removed = files_.remove_all(folder); !removed) return removed.error();
    return accepted.error();
  }
  reply.set_znodes(accepted->znodes);
  reply.set_sessions(accepted->sessions);
  reply.set_start_id(start_id_);
  restart_due_ = true;
  return {};
}

Result<store::CheckReport> AdminService::Impl::accept(
    BlockingReader<wire::BackupPart>& stream) {
  auto zxid = receive(stream);
  if (!zxid) return zxid.error();
  auto facts = exchange::facts_of_store(exchange::incoming_dir(store_dir_), 0);
  if (!facts) return facts.error();
  if (facts->zxid != *zxid) {
    return Error(Errc::malformed,
                 odradek::format("the backup ends at zxid 0x{:x} and says 0x{:x}",
                                 facts->zxid.value(), zxid->value()));
  }
  return exchange::accept_restore(files_, store_dir_, store::RocksOptions());
}

// The zxid that the backup says of itself; it comes when all files have come.
Result<Zxid> AdminService::Impl::receive(BlockingReader<wire::BackupPart>& stream) {
  exchange::FolderWriter writer(files_, exchange::incoming_dir(store_dir_));
  if (auto begun = writer.begin(); !begun) return begun.error();
  wire::BackupPart part;
  while (stream.read(part)) {
    if (part.has_backed_up()) {
      auto finished = writer.finish();
      if (!finished) return finished.error();
      return Zxid(part.backed_up().zxid());
    }
    const wire::FilePiece& piece = part.piece();
    auto taken = writer.take({piece.name(), piece.data(), piece.last()});
    if (!taken) return taken.error();
    if (piece.last() && writer.last_crc32c() != piece.crc32c()) {
      return Error(Errc::malformed, piece.name() + " was damaged on its way");
    }
  }
  return gone();
}

AdminService::AdminService(store::RocksStore& store, const ServerSettings& settings,
                           std::function<uint16_t()> our_port, std::function<void()> restart)
    : impl_(std::make_unique<Impl>(store, settings, std::move(our_port), std::move(restart))) {}

AdminService::~AdminService() { stop(); }

grpc::Service* AdminService::grpc() { return impl_.get(); }
void AdminService::stop() { impl_->stop(); }

}  // namespace odradek::coordinator::server
