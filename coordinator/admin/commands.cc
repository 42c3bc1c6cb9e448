#include "coordinator/admin/commands.h"

#include "common/format.h"
#include "common/fs/durable_dirs.h"

namespace odradek::coordinator::admin {

namespace {

constexpr int64_t kMaxFindings = 1000;  // that are printed

class Commands {
 public:
  Commands(fs::FileSystem& files, Access& access, std::FILE* out, std::FILE* err)
      : files_(files), access_(access), out_(out), err_(err) {}

  int check();
  int export_to(const std::string& folder);
  int backup_to(const std::string& folder);
  int restore_from(const std::string& folder);

 private:
  template <typename... Args>
  void say(fmt::format_string<Args...> text, Args&&... args) {
    std::fprintf(out_, "%s\n", odradek::format(text, std::forward<Args>(args)...).c_str());
    std::fflush(out_);
  }
  int fail(const Error& error) {
    std::fflush(out_);
    std::fprintf(err_, "coordinator-admin: %s\n", error.what().c_str());
    return 1;
  }
  Result<exchange::SnapshotFacts> write_snapshot(const std::string& folder);
  Result<exchange::BackupFacts> copy(const std::string& folder);
  Result<exchange::BackupFacts> copy_into(const std::string& folder,
                                          exchange::FolderWriter& writer);

  fs::FileSystem& files_;
  Access& access_;
  std::FILE* out_;
  std::FILE* err_;
};

int Commands::check() {
  int64_t printed = 0;
  auto report = access_.check([&](const std::string& finding) {
    if (++printed <= kMaxFindings) say("{}", finding);
  });
  if (!report) return fail(report.error());
  if (printed > kMaxFindings) say("and {} more", printed - kMaxFindings);
  say("{} znodes, {} ephemerals, {} sessions, {} ACLs, {} bytes of paths and data, zxid 0x{:x}: {}",
      report->znodes, report->ephemerals, report->sessions, report->acls, report->data_bytes,
      report->last_zxid.value(),
      report->findings == 0   ? std::string("nothing is wrong")
      : report->findings == 1 ? std::string("1 thing is wrong")
                              : odradek::format("{} things are wrong", report->findings));
  return report->findings == 0 ? 0 : 1;
}

Result<exchange::SnapshotFacts> Commands::write_snapshot(const std::string& folder) {
  auto entries = files_.list(folder);
  if (entries && !entries->empty()) {
    return Error(Errc::already_exists,
                 odradek::format("{} is not empty: another tree may be there, so name a folder that "
                                 "is not there yet",
                                 folder));
  }
  if (auto made = fs::make_durable_dirs(files_, folder); !made) return made.error();
  std::string unfinished = folder + "/unfinished";
  auto file = files_.open(unfinished, fs::OpenMode::create);
  if (!file) return file.error();
  uint64_t position = 0;
  auto facts = access_.write_snapshot([&](ByteView piece) {
    auto written = (*file)->pwrite(piece, position);
    position += piece.size();
    return written;
  });
  if (facts) {
    if (auto synced = (*file)->sync(); !synced) return synced.error();
    auto named = files_.rename(unfinished, folder + "/" + exchange::snapshot_name(facts->zxid));
    if (!named) return named.error();
    if (auto synced = files_.sync_dir(folder); !synced) return synced.error();
  } else if (auto removed = files_.remove(unfinished); !removed) {
    return removed.error();
  }
  return facts;
}

int Commands::export_to(const std::string& folder) {
  auto facts = write_snapshot(folder + "/version-2");
  if (!facts) return fail(facts.error());
  say("{}/version-2/{}: {} znodes, {} sessions", folder, exchange::snapshot_name(facts->zxid),
      facts->znodes, facts->sessions);
  if (facts->ttl_znodes > 0) {
    say("{} of them have a time to live: start ZooKeeper with "
        "-Dzookeeper.extendedTypesEnabled=true, or it deletes them",
        facts->ttl_znodes);
  }
  return 0;
}

// A backup that did not become whole is taken away again.
Result<exchange::BackupFacts> Commands::copy(const std::string& folder) {
  exchange::FolderWriter writer(files_, folder);
  if (auto begun = writer.begin(); !begun) return begun.error();
  auto facts = copy_into(folder, writer);
  if (facts) return facts;
  if (auto removed = files_.remove_all(folder); !removed) return removed.error();
  return facts;
}

Result<exchange::BackupFacts> Commands::copy_into(const std::string& folder,
                                                  exchange::FolderWriter& writer) {
  auto facts = access_.copy_files(
      [&](const exchange::FilePiece& piece) { return writer.take(piece); });
  if (!facts) return facts.error();
  auto written = writer.finish();
  if (!written) return written.error();
  facts->files = *std::move(written);
  if (auto noted = exchange::write_facts(files_, folder, *facts); !noted) return noted.error();
  return facts;
}

int Commands::backup_to(const std::string& folder) {
  auto facts = copy(folder);
  if (!facts) return fail(facts.error());
  uint64_t bytes = 0;
  for (const exchange::BackupFile& file : facts->files) bytes += file.bytes;
  say("{}: {} znodes, {} sessions up to zxid 0x{:x} in {} files of {} bytes", folder,
      facts->znodes, facts->sessions, facts->zxid.value(), facts->files.size(), bytes);
  return 0;
}

int Commands::restore_from(const std::string& folder) {
  auto facts = exchange::read_facts(files_, folder);
  if (!facts) return fail(facts.error());
  if (auto whole = exchange::verify_files(files_, folder, *facts); !whole) {
    return fail(whole.error());
  }
  auto restored = access_.restore(files_, folder, *facts);
  if (!restored) return fail(restored.error());
  say("Restored {} znodes and {} sessions as of zxid 0x{:x}; the tree goes on at zxid 0x{:x}.",
      restored->znodes, restored->sessions, facts->zxid.value(), restored->zxid.value());
  if (!restored->note.empty()) say("{}", restored->note);
  return 0;
}

}  // namespace

int run_command(const CommandLine& line, fs::FileSystem& files, Access& access, std::FILE* out,
                std::FILE* err) {
  Commands commands(files, access, out, err);
  if (line.command == "check") return commands.check();
  if (line.command == "export") return commands.export_to(line.folder);
  if (line.command == "backup") return commands.backup_to(line.folder);
  return commands.restore_from(line.folder);
}

}  // namespace odradek::coordinator::admin
