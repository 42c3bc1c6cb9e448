#include "coordinator/exchange/data_files.h"

#include <algorithm>
#include <charconv>

#include "common/format.h"

namespace odradek::coordinator::exchange {

namespace {

constexpr std::string_view kSnapshot = "snapshot";
constexpr std::string_view kLog = "log";

Result<std::vector<DataFile>> list_kind(fs::FileSystem& files, const std::string& directory,
                                        std::string_view prefix) {
  std::vector<DataFile> found;
  auto entries = files.list(directory);
  if (!entries) {
    if (entries.error().code() == Errc::not_found) return found;
    return entries.error();
  }
  for (const fs::DirEntry& entry : *entries) {
    auto zxid = zxid_of_name(entry.name, prefix);
    if (!zxid || entry.is_directory) continue;
    found.push_back({directory + "/" + entry.name, *zxid, entry.size});
  }
  std::stable_sort(found.begin(), found.end(),
                   [](const DataFile& a, const DataFile& b) { return a.zxid < b.zxid; });
  return found;
}

Error misplaced(const DataFile& file, std::string_view setting, std::string_view kind) {
  return Error(Errc::bad_setting,
               odradek::format("{} stands where {} keeps no {}: check dataDir and dataLogDir, or "
                               "move the file to the other one",
                               file.path, setting, kind));
}

// acceptedEpoch and currentEpoch hold a decimal number each.
int64_t read_epoch(fs::FileSystem& files, const std::string& path) {
  auto text = files.read_file(path, 64);
  int64_t epoch = 0;
  if (text) std::from_chars(text->data(), text->data() + text->size(), epoch);
  return epoch >= 0 && epoch <= INT32_MAX ? epoch : 0;
}

}  // namespace

std::optional<Zxid> zxid_of_name(std::string_view name, std::string_view prefix) {
  if (!name.starts_with(prefix) || name.size() <= prefix.size() || name[prefix.size()] != '.') {
    return std::nullopt;
  }
  std::string_view digits = name.substr(prefix.size() + 1);
  std::string_view suffix;
  if (size_t dot = digits.find('.'); dot != std::string_view::npos) {
    suffix = digits.substr(dot);
    digits = digits.substr(0, dot);
  }
  if (!suffix.empty() && (prefix != kSnapshot || (suffix != ".gz" && suffix != ".snappy"))) {
    return std::nullopt;
  }
  int64_t zxid = 0;
  auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), zxid, 16);
  if (error != std::errc() || end != digits.data() + digits.size() || zxid < 0) return std::nullopt;
  return Zxid(zxid);
}

Zxid DataFiles::newest() const {
  Zxid newest;
  if (!snapshots.empty()) newest = std::max(newest, snapshots.front().zxid);
  if (!logs.empty()) newest = std::max(newest, logs.back().zxid);
  return newest;
}

Result<DataFiles> list_data_files(fs::FileSystem& files, const std::string& data_dir,
                                  const std::string& data_log_dir) {
  std::string snapshot_dir = data_dir + "/version-2";
  std::string log_dir = data_log_dir + "/version-2";
  auto snapshots = list_kind(files, snapshot_dir, kSnapshot);
  if (!snapshots) return snapshots.error();
  auto logs = list_kind(files, log_dir, kLog);
  if (!logs) return logs.error();
  if (snapshot_dir != log_dir) {
    auto stray_logs = list_kind(files, snapshot_dir, kLog);
    if (!stray_logs) return stray_logs.error();
    if (!stray_logs->empty()) return misplaced(stray_logs->front(), "dataDir", "logs");
    auto stray_snapshots = list_kind(files, log_dir, kSnapshot);
    if (!stray_snapshots) return stray_snapshots.error();
    if (!stray_snapshots->empty()) {
      return misplaced(stray_snapshots->front(), "dataLogDir", "snapshots");
    }
  }
  DataFiles found;
  found.snapshots.assign(snapshots->rbegin(), snapshots->rend());
  found.logs = *std::move(logs);
  int64_t epoch = std::max(read_epoch(files, snapshot_dir + "/acceptedEpoch"),
                           read_epoch(files, snapshot_dir + "/currentEpoch"));
  found.epoch_begin = Zxid(epoch << 32);
  return found;
}

}  // namespace odradek::coordinator::exchange
