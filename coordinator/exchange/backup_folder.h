#pragma once
// A backup: the store's files in a folder, and BACKUP, a text that names each with its size and
// checksum. BACKUP is written last, so a folder without it is no backup.
//
//   format 1
//   zxid 0x1c
//   znodes 12
//   sessions 1
//   time 2026-01-31T12:00:00Z
//   file 000012.sst 4711 89abcdef     size in bytes, CRC-32C in hex
//
// Files travel in pieces: from a store's folder to the one who makes the backup, and back.

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "common/fs/file_system.h"
#include "common/ids.h"

namespace odradek::coordinator::exchange {

struct BackupFile {
  std::string name;
  uint64_t bytes = 0;
  uint32_t crc32c = 0;
  bool operator==(const BackupFile&) const = default;
};

struct BackupFacts {
  Zxid zxid;  // the last one in it
  int64_t znodes = 0;
  int64_t sessions = 0;
  int64_t time_ms = 0;  // when it was made
  std::vector<BackupFile> files;
  bool operator==(const BackupFacts&) const = default;
};

std::string encode_facts(const BackupFacts& facts);
// malformed with the line that is wrong.
Result<BackupFacts> decode_facts(std::string_view text);

// Files come whole, one behind another, each of them in order.
struct FilePiece {
  std::string name;
  std::string bytes;
  bool last = false;  // of this file
};
using PieceSink = std::function<Result<void>(FilePiece)>;

// Sends the named files of a folder.
Result<void> send_files(fs::FileSystem& files, const std::string& folder,
                        const std::vector<std::string>& names, const PieceSink& sink);
// The store's files in a folder, sorted: what a backup holds.
Result<std::vector<std::string>> store_files(fs::FileSystem& files, const std::string& folder);
// Whether a file of this name can belong to a store. Anything else that is sent is refused: it could
// lead out of the folder.
bool is_store_file(std::string_view name);

// Writes what is sent into a folder that it makes.
class FolderWriter {
 public:
  FolderWriter(fs::FileSystem& files, std::string folder)
      : files_(files), folder_(std::move(folder)) {}
  // The folder must not be there, or be empty.
  Result<void> begin();
  Result<void> take(const FilePiece& piece);
  // Of the file that was taken last.
  uint32_t last_crc32c() const { return taken_.empty() ? 0 : taken_.back().crc32c; }
  // What was taken: all of it is on the disk. An error where a file was not sent to its end.
  Result<std::vector<BackupFile>> finish();

 private:
  fs::FileSystem& files_;
  const std::string folder_;
  std::vector<BackupFile> taken_;
  std::shared_ptr<fs::File> open_;  // the one that is being sent
};

// What the store in a folder holds, whose files nobody has open: all but the list of files.
Result<BackupFacts> facts_of_store(const std::string& folder, int64_t time_ms);

// Writes BACKUP into a folder whose files are there.
Result<void> write_facts(fs::FileSystem& files, const std::string& folder,
                         const BackupFacts& facts);
// Reads BACKUP: not_found, with the remedy, where there is none.
Result<BackupFacts> read_facts(fs::FileSystem& files, const std::string& folder);
// Compares the folder's files with what BACKUP says; malformed names the first that differs.
Result<void> verify_files(fs::FileSystem& files, const std::string& folder,
                          const BackupFacts& facts);

}  // namespace odradek::coordinator::exchange
