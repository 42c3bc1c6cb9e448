#include "coordinator/exchange/backup_folder.h"

#include <algorithm>

#include "common/bytes/crc32c.h"
#include "common/format.h"
#include "common/fs/durable_dirs.h"
#include "coordinator/store/layout.h"
#include "coordinator/store/rocks_store.h"

namespace odradek::coordinator::exchange {

namespace {

constexpr size_t kPieceBytes = 256 << 10;

bool all_digits(std::string_view text) {
  return !text.empty() &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

// Of one file, in order.
Result<void> read_pieces(fs::FileSystem& files, const std::string& path,
                         const std::function<Result<void>(ByteView, bool last)>& take) {
  auto file = files.open(path, fs::OpenMode::read);
  if (!file) return file.error();
  auto size = (*file)->size();
  if (!size) return size.error();
  std::string buffer(std::min<uint64_t>(kPieceBytes, *size), '\0');
  uint64_t position = 0;
  do {
    auto piece = static_cast<size_t>(std::min<uint64_t>(buffer.size(), *size - position));
    if (auto read = (*file)->pread_exact(buffer.data(), piece, position); !read) {
      return read.error();
    }
    position += piece;
    auto taken = take(ByteView(buffer).substr(0, piece), position == *size);
    if (!taken) return taken.error();
  } while (position < *size);
  return {};
}

}  // namespace

// What RocksDB names its files: 000012.sst, 000013.log, MANIFEST-000004, OPTIONS-000006, CURRENT,
// IDENTITY.
bool is_store_file(std::string_view name) {
  if (name == "CURRENT" || name == "IDENTITY") return true;
  for (std::string_view kind : {"MANIFEST-", "OPTIONS-"}) {
    if (name.starts_with(kind)) return all_digits(name.substr(kind.size()));
  }
  for (std::string_view kind : {".sst", ".log", ".blob"}) {
    if (name.ends_with(kind)) return all_digits(name.substr(0, name.size() - kind.size()));
  }
  return false;
}

Result<std::vector<std::string>> store_files(fs::FileSystem& files, const std::string& folder) {
  auto entries = files.list(folder);
  if (!entries) return entries.error();
  std::vector<std::string> names;
  for (const fs::DirEntry& entry : *entries) {
    if (!entry.is_directory && is_store_file(entry.name)) names.push_back(entry.name);
  }
  return names;
}

Result<void> send_files(fs::FileSystem& files, const std::string& folder,
                        const std::vector<std::string>& names, const PieceSink& sink) {
  for (const std::string& name : names) {
    auto sent = read_pieces(files, folder + "/" + name, [&](ByteView bytes, bool last) {
      return sink(FilePiece{name, std::string(bytes), last});
    });
    if (!sent) return sent.error();
  }
  return {};
}

Result<BackupFacts> facts_of_store(const std::string& folder, int64_t time_ms) {
  auto opened = store::RocksStore::open_read_only(folder);
  if (!opened) return opened.error();
  auto snapshot = (*opened)->snapshot();
  auto stored = snapshot->get(store::totals_key());
  if (!stored) {
    return Error(Errc::store_damaged, odradek::format("there is no tree in {}", folder));
  }
  auto totals = store::decode_totals(*stored);
  if (!totals) return totals.error();
  BackupFacts facts;
  facts.zxid = totals->last_zxid;
  facts.znodes = totals->nodes;
  facts.time_ms = time_ms;
  snapshot->scan(store::all_sessions_prefix(), [&](std::string_view, std::string_view) {
    ++facts.sessions;
    return true;
  });
  return facts;
}

Result<void> FolderWriter::begin() {
  auto entries = files_.list(folder_);
  if (entries && !entries->empty()) {
    return Error(Errc::already_exists,
                 odradek::format("{} is not empty: name a folder that is not there yet", folder_));
  }
  return fs::make_durable_dirs(files_, folder_);
}

Result<void> FolderWriter::take(const FilePiece& piece) {
  if (!open_) {
    if (!is_store_file(piece.name)) {
      return Error(Errc::malformed, odradek::format("\"{}\" is no file of a store",
                                                    std::string_view(piece.name).substr(0, 100)));
    }
    auto made = files_.open(folder_ + "/" + piece.name, fs::OpenMode::create_new);
    if (!made) return made.error();
    open_ = *std::move(made);
    taken_.push_back({piece.name, 0, 0});
  }
  BackupFile& file = taken_.back();
  if (piece.name != file.name) {
    return Error(Errc::malformed, odradek::format("{} was not sent to its end", file.name));
  }
  if (auto written = open_->pwrite(piece.bytes, file.bytes); !written) return written.error();
  file.bytes += piece.bytes.size();
  file.crc32c = crc32c(piece.bytes, file.crc32c);
  if (!piece.last) return {};
  auto synced = open_->sync();
  open_.reset();
  return synced;
}

Result<std::vector<BackupFile>> FolderWriter::finish() {
  if (open_) {
    return Error(Errc::malformed,
                 odradek::format("{} was not sent to its end", taken_.back().name));
  }
  if (auto synced = files_.sync_dir(folder_); !synced) return synced.error();
  return taken_;
}

Result<void> verify_files(fs::FileSystem& files, const std::string& folder,
                          const BackupFacts& facts) {
  for (const BackupFile& file : facts.files) {
    std::string path = folder + "/" + file.name;
    uint64_t bytes = 0;
    uint32_t crc = 0;
    auto read = read_pieces(files, path, [&](ByteView piece, bool) {
      bytes += piece.size();
      crc = crc32c(piece, crc);
      return Result<void>();
    });
    if (!read) return read.error();
    if (bytes != file.bytes || crc != file.crc32c) {
      return Error(Errc::malformed,
                   odradek::format("{} is not what was backed up: {} bytes with checksum {:08x}, and "
                                   "not {} with {:08x}",
                                   path, bytes, crc, file.bytes, file.crc32c));
    }
  }
  return {};
}

}  // namespace odradek::coordinator::exchange
