#pragma once
// RecordStream: a file of ZooKeeper's as records one behind another. Of the file only a window is in
// memory, as large as the largest record that came by. It knows where it is, and the Adler-32 of
// what was taken. One thread.

#include <memory>
#include <string>

#include "common/compress/source.h"
#include "common/format.h"
#include "common/fs/file_system.h"
#include "common/bytes/byte_reader.h"
#include "common/bytes/byte_writer.h"
#include "common/bytes/crc32.h"

namespace odradek::coordinator::exchange {

// The file's bytes; those of NAME.gz and NAME.snappy decompressed.
Result<std::unique_ptr<compress::Source>> open_source(fs::FileSystem& files,
                                                      const std::string& path);

class RecordStream {
 public:
  // No record is larger; what claims to be is damage.
  static constexpr size_t kMaxRecord = 64u << 20;

  // `name` is what errors call it.
  RecordStream(std::unique_ptr<compress::Source> source, std::string name);

  // The next record of a generated type. The stream stands where it stood after an error: malformed
  // with name and offset, or what reading the file came to.
  template <typename Record>
  Result<Record> next() {
    for (;;) {
      ByteReader in(window());
      auto record = Record::decode(in);
      if (record) {
        take(window().size() - in.remaining());
        return record;
      }
      auto more = grow();
      if (!more) return more.error();
      if (!*more) return damaged(record.error().what());
    }
  }
  // At least `size` bytes (up to kMaxRecord) without taking them; fewer only at the end of the file.
  // Good until the next call of another function.
  Result<ByteView> peek(size_t size);
  // What was peeked.
  void take(size_t size);

  const std::string& name() const { return name_; }
  // Bytes taken; in a compressed file those that came out.
  uint64_t offset() const { return offset_; }
  uint32_t checksum() const { return checksum_; }
  // "NAME at offset N: what"
  Error damaged(std::string_view what) const;

 private:
  ByteView window() const { return ByteView(buffer_).substr(at_, end_ - at_); }
  // More bytes into the window; false at the end of the file and at kMaxRecord.
  Result<bool> grow();

  std::unique_ptr<compress::Source> source_;
  std::string name_;
  Bytes buffer_;
  size_t at_ = 0;   // of buffer_, what is taken
  size_t end_ = 0;  // of buffer_, what is filled
  bool ended_ = false;
  uint64_t offset_ = 0;
  uint32_t checksum_ = 1;
};

}  // namespace odradek::coordinator::exchange
