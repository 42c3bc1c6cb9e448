// The files that a crash, a bad disk or somebody's hand may leave of a partition: opened as a
// broker opens them at start, then read, searched, written to, flushed, opened again. Whatever the
// bytes are, nothing may crash or hang, and after an unclean stop the log must be able to read all
// that it serves.
//
// The input: a byte of settings, a recovery point (u16), then files: a byte of kind, a base offset
// (u32), a size (u16) and the bytes.
#include <algorithm>
#include <limits>

#include "broker/log/log_manager.h"
#include "broker/log/record.h"
#include "broker/log/record_batch_builder.h"
#include "common/check.h"
#include "common/format.h"
#include "common/log/log.h"
#include "tests/support/faulty_file_system.h"

namespace {

using namespace odradek;
using namespace odradek::broker::log;

constexpr const char* kRoot = "/logs";
constexpr const char* kDirectory = "/logs/t-0";

// Bits of the first byte.
constexpr uint8_t kClean = 1, kCompact = 2, kSmallSegments = 4, kPowerLoss = 8;
// Bits of a file's kind; the low four choose its name.
constexpr uint8_t kFixCrcs = 0x40, kFarOffset = 0x80;

constexpr int64_t kNow = 1'600'000'000'000;

std::string file_name(uint8_t kind, uint64_t base) {
  static const char* const kSuffixes[] = {".log", ".index", ".timeindex", ".txnindex", ".snapshot"};
  static const char* const kStates[] = {"", ".swap", ".cleaned", ".deleted"};
  switch (kind & 0x0f) {
    case 5:
      return "leader-epoch-checkpoint";
    case 6:
      return "partition.metadata";
    case 7:
      return "../recovery-point-offset-checkpoint";
    case 8:
      return "../replication-offset-checkpoint";
    case 9:
      return "../log-start-offset-checkpoint";
    case 10:
      return "../cleaner-offset-checkpoint";
    case 11:
      return "../meta.properties";
    case 12:
      return "../.odradek_directory_id";
    default:
      if (kind & kFarOffset) base += uint64_t{std::numeric_limits<int64_t>::max()} - 0xffffffff;
      return format("{:020}{}{}", base, kSuffixes[(kind & 0x0f) % 5], kStates[kind >> 4 & 3]);
  }
}

template <typename T>
void must(const Result<T>& result) {
  if (!result.ok()) std::fprintf(stderr, "%s\n", result.error().what().c_str());
  CHECK(result.ok());
}

class Case {
 public:
  Case() {
    CHECK(files_.make_dirs(kDirectory).ok());
    CHECK(files_.sync_all("/").ok());
  }

  void lay_files(ByteReader in) {
    settings_ = static_cast<uint8_t>(in.i8());
    recovery_point_ = in.u16();
    put("../recovery-point-offset-checkpoint", format("0\n1\nt 0 {}\n", recovery_point_));
    if (settings_ & kClean) put("../.kafka_cleanshutdown", "");
    while (in.remaining() > 0) {
      const uint8_t kind = static_cast<uint8_t>(in.i8());
      const uint32_t base = in.u32();
      const size_t size = std::min<size_t>(in.u16(), in.remaining());
      Bytes bytes(in.bytes(in.ok() ? size : 0));
      if (kind & kFixCrcs) {
        BatchWalker walker(bytes);
        while (walker.next()) {
          if (walker.header().magic == 2)
            set_crc(std::span<char>(bytes).subspan(walker.position(), walker.header().size()));
        }
      }
      put(file_name(kind, base), bytes);
    }
    CHECK(files_.sync_all("/").ok());
    config_->cleanup_compact = settings_ & kCompact;
    config_->cleanup_delete = !config_->cleanup_compact;
    if (settings_ & kSmallSegments) config_->segment_bytes = 300;
    config_->max_decompressed_bytes = 1 << 20;
    config_->index_interval_bytes = 100;
  }

  void run() {
    if (!open()) return;
    // a clean stop is believed, and so is what lies below the recovery point
    const bool all_seen = !(settings_ & kClean) && recovery_point_ == 0;
    const Offset start = log_->log_start_offset(), end = log_->log_end_offset();
    const Bytes content = read_all(all_seen);
    search();
    if (all_seen) {
      CHECK(log_->flush().ok());
      reopen(settings_ & kPowerLoss ? fs::FaultyFileSystem::CrashMode::lose_unsynced
                                    : fs::FaultyFileSystem::CrashMode::keep_all);
      CHECK(log_->log_start_offset() == start && log_->log_end_offset() == end);
      CHECK(read_all(true) == content);
    }
    write(all_seen);
    change();
  }

 private:
  void put(const std::string& name, ByteView bytes) {
    const std::string path = name.starts_with("../") ? std::string(kRoot) + name.substr(2)
                                                     : std::string(kDirectory) + "/" + name;
    auto file = files_.open(path, fs::OpenMode::create);
    CHECK(file.ok() && (*file)->truncate(0).ok() && (*file)->pwrite(bytes, 0).ok());
  }

  bool open() {
    log_.reset();
    manager_.reset();
    LogManager::Options options;
    options.directories = {kRoot};
    options.max_open_files = 8;
    auto manager = LogManager::open(files_, clock_, options);
    if (!manager) {
      CHECK(!manager.error().what().empty());
      return false;
    }
    manager_ = *std::move(manager);
    for (const FoundLog& found : manager_->found_logs()) {
      LoadedLog loaded = manager_->load(found, config_);
      CHECK(loaded.log || !loaded.error->what().empty());
      if (loaded.high_watermark) CHECK(*loaded.high_watermark <= loaded.log->log_end_offset());
      log_ = std::move(loaded.log);
    }
    return log_ != nullptr;
  }
  void reopen(fs::FaultyFileSystem::CrashMode mode) {
    log_.reset();
    manager_.reset();
    files_.crash(mode);
    CHECK(open());
  }

  // What a consumer gets that reads from the start; where `whole` nothing of it may be damaged.
  Bytes read_all(bool whole) {
    CHECK(log_->log_start_offset() <= log_->log_end_offset());
    CHECK(log_->log_start_offset().value() >= 0);
    Bytes all;
    Offset at = log_->log_start_offset();
    for (Offset last(-1); at < log_->log_end_offset();) {
      Result<LogSlice> slice = log_->read(at, 200, true, log_->log_end_offset());
      if (whole) must(slice);
      if (!slice) break;
      if (slice->size == 0) break;  // offsets at the end whose records were compacted away
      Result<Bytes> bytes = Log::read_bytes(*slice);
      if (whole) must(bytes);
      if (!bytes) break;
      BatchWalker walker(*bytes);
      Offset next = at;
      while (walker.next()) {
        const BatchHeader& header = walker.header();
        if (whole) {
          CHECK(check_crc(header, walker.batch()).ok());
          CHECK(header.base_offset > last && header.last_offset() >= header.base_offset);
          CHECK(header.last_offset() < log_->log_end_offset());
        }
        last = header.last_offset();
        next = std::max(next, header.next_offset());
      }
      if (whole) CHECK(walker.ok() && walker.rest().empty() && next > at);
      if (next <= at) break;
      all += *bytes;
      at = next;
    }
    return all;
  }

  void search() {
    for (int64_t timestamp : {kLatestTimestamp, kEarliestTimestamp, kMaxTimestamp,
                              kEarliestLocalTimestamp, int64_t{0}, kNow, INT64_MAX}) {
      auto found = log_->offset_for_timestamp(timestamp);
      if (found && *found) CHECK((*found)->offset <= log_->log_end_offset());
    }
    (void)log_->aborted_transactions(log_->log_start_offset(), log_->log_end_offset());
    for (int32_t epoch : {-1, 0, 1, 5, INT32_MAX}) {
      (void)log_->end_offset_for_epoch(LeaderEpoch(epoch));
    }
    (void)log_->first_unstable_offset();
    CHECK(log_->size_bytes() >= 0);
  }

  Result<AppendInfo> append() {
    RecordBatchBuilder builder(BatchOptions{});
    for (int i = 0; i < 3; ++i) builder.add(kNow + i, "k", "v");
    Bytes batch = *builder.build();
    return log_->append_as_leader(batch, std::max(log_->latest_leader_epoch(), LeaderEpoch(0)),
                                  AppendOrigin::client);
  }

  // Appends go on behind what is there, and are read back.
  void write(bool whole) {
    const Offset end = log_->log_end_offset();
    for (int i = 0; i < 3; ++i) {
      Result<AppendInfo> appended = append();
      if (!appended) {
        if (whole && end.value() <= std::numeric_limits<int64_t>::max() / 2) must(appended);
        return;
      }
      CHECK(appended->first_offset == end + 3 * i);
    }
    Result<LogSlice> slice = log_->read(end, 1 << 20, true, log_->log_end_offset());
    if (whole) must(slice);
    if (!slice) return;
    CHECK(slice->size > 0 && (slice->base_offset == end || !whole));
    if (whole) read_all(true);
  }

  void change() {
    const Offset start = log_->log_start_offset(), end = log_->log_end_offset();
    const Offset middle(start.value() + (end - start) / 2);
    (void)log_->advance_log_start(middle);
    (void)log_->delete_old_segments(end);
    Result<void> cut = log_->truncate_to(Offset(end.value() - 1));
    if (cut) {
      CHECK(log_->log_end_offset() == end - 1);
      (void)append();
    }
    (void)log_->flush();
    if (log_->close().ok()) {
      (void)manager_->mark_clean_shutdown(0);
      if (open()) search();
    }
  }

  fs::FaultyFileSystem files_{1};
  ManualClock clock_{kNow};
  std::shared_ptr<LogConfig> config_ = std::make_shared<LogConfig>();
  uint8_t settings_ = 0;
  uint16_t recovery_point_ = 0;
  std::unique_ptr<LogManager> manager_;
  std::unique_ptr<Log> log_;
};

}  // namespace

extern "C" int LLVMFuzzerInitialize(int*, char***) {
  LogOptions log;
  log.level = LogLevel::off;
  log.to_stdout = false;
  log_open(log);
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  Case one;
  one.lay_files(ByteReader(ByteView(reinterpret_cast<const char*>(data), size)));
  one.run();
  return 0;
}
