#include "broker/dump/batch_file.h"

#include <algorithm>
#include <limits>

#include "broker/dump/output.h"
#include "broker/dump/paths.h"
#include "broker/log/batch_scanner.h"
#include "common/format.h"

namespace odradek::broker::dump {
namespace {

constexpr uint64_t kMaxSegment = std::numeric_limits<int32_t>::max();
constexpr size_t kFixedSize = 17;  // offset, size and what follows them up to the magic
constexpr int32_t kLeastSize = 14;

constexpr std::string_view kIllegal = "java.lang.IllegalArgumentException";

}  // namespace

int64_t FileBatch::last_offset() const {
  // a garbled offset may be anything; Java's sum goes around
  return static_cast<int64_t>(static_cast<uint64_t>(header.base_offset.value()) +
                              static_cast<uint64_t>(int64_t{header.last_offset_delta}));
}

Result<BatchFile> BatchFile::open(fs::FileSystem& files, const std::string& path) {
  Result<std::shared_ptr<fs::File>> file = open_to_read(files, path);
  if (!file) return file.error();
  Result<fs::DirEntry> entry = files.stat(path);
  if (!entry) return io_exception(entry.error());
  if (entry->is_directory) {
    return exception("org.apache.kafka.common.KafkaException",
                     "java.io.IOException: Is a directory");
  }
  Result<uint64_t> size = (*file)->size();
  if (!size) return io_exception(size.error());
  if (*size > kMaxSegment) {
    return exception("org.apache.kafka.common.KafkaException",
                     format("The size of segment {} ({}) is larger than the maximum allowed "
                            "segment size of {}",
                            path, *size, kMaxSegment));
  }
  return BatchFile(path, std::move(*file), *size);
}

std::string BatchFile::description() const {
  return format("FileRecords(size={}, file={}, start=0, end={})", size_, path_, kMaxSegment);
}

Result<BatchFile::Slice> BatchFile::slice(int64_t position, int64_t size) const {
  if (position < 0) {
    return exception(kIllegal, format("Invalid position: {} in read from {}", position,
                                      description()));
  }
  uint64_t begin = static_cast<uint64_t>(position);
  if (begin > size_) {
    return exception(kIllegal, format("Slice from position {} exceeds end position of {}",
                                      position, description()));
  }
  if (size < 0) {
    return exception(kIllegal, format("Invalid size: {} in read from {}", size, description()));
  }
  return Slice{begin, std::min(size_, begin + static_cast<uint64_t>(size))};
}

Result<std::optional<FileBatch>> BatchFile::batch_at(uint64_t position, const Slice& slice) const {
  if (position + kFixedSize >= slice.end) return std::optional<FileBatch>();
  char bytes[kFixedSize];
  if (auto read = file_->pread_exact(bytes, sizeof bytes, position); !read)
    return io_exception(read.error());
  ByteReader reader(ByteView(bytes, sizeof bytes));
  FileBatch batch;
  batch.position = position;
  batch.header.base_offset = Offset(reader.i64());
  batch.header.batch_length = reader.i32();
  batch.header.magic = static_cast<int8_t>(bytes[kFixedSize - 1]);
  const int32_t length = batch.header.batch_length;
  if (length < kLeastSize) {
    return exception("org.apache.kafka.common.errors.CorruptRecordException",
                     format("Found record size {} smaller than minimum record overhead ({}) in "
                            "file {}.",
                            length, kLeastSize, path_));
  }
  if (batch.header.size() > slice.end - position) return std::optional<FileBatch>();
  if (!batch.is_legacy()) {
    if (auto loaded = load_header(batch); !loaded) return loaded.error();
  }
  return std::optional(batch);
}

Result<void> BatchFile::load_header(FileBatch& batch) const {
  log::BatchHeader& header = batch.header;
  if (header.magic < 0) {
    return exception(kIllegal, format("Invalid magic used in LegacyRecord: {}", header.magic));
  }
  char bytes[log::kBatchHeaderSize];
  const size_t size = header.magic == 0 ? 18 : header.magic == 1 ? 26 : log::kBatchHeaderSize;
  if (auto read = file_->pread_exact(bytes, size, batch.position); !read) {
    return exception("org.apache.kafka.common.KafkaException",
                     format("java.io.EOFException: Failed to read {} bytes of a batch's header at "
                            "position {} of {}",
                            size, batch.position, path_));
  }
  ByteReader reader(ByteView(bytes, size));
  reader.skip(12);
  log::read_batch_fields(reader, header);
  return {};
}

Result<bool> BatchFile::is_valid(const FileBatch& batch) const {
  if (!batch.is_legacy() && batch.header.size() < log::kBatchHeaderSize) return false;
  Result<void> checked = log::check_crc_in_file(*file_, batch.position, batch.header);
  if (!checked && checked.error().code() != Errc::corrupt_record)
    return io_exception(checked.error());
  return checked.ok();
}

Result<Bytes> BatchFile::read(const FileBatch& batch) const {
  Result<Bytes> bytes = log::read_batch(*file_, batch.position, batch.header);
  if (!bytes) return io_exception(bytes.error());
  return bytes;
}

}  // namespace odradek::broker::dump
