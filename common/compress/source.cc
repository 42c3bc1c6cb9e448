#include "common/compress/source.h"

#include <snappy.h>
#include <zlib.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "common/bytes/byte_reader.h"
#include "common/compress/codecs.h"

namespace odradek::compress {
namespace {

constexpr int kGzipWindow = 15 + 16;  // the largest window, gzip framing
constexpr size_t kInputPiece = 64 << 10;
constexpr size_t kMaxBlock = 64u << 20;
constexpr std::string_view kSnappyMagic("\x82SNAPPY\0", 8);

class GzipSource final : public Source {
 public:
  explicit GzipSource(std::unique_ptr<Source> compressed) : compressed_(std::move(compressed)) {
    ready_ = inflateInit2(&stream_, kGzipWindow) == Z_OK;
  }
  ~GzipSource() override { inflateEnd(&stream_); }
  GzipSource(const GzipSource&) = delete;
  GzipSource& operator=(const GzipSource&) = delete;

  Result<size_t> read(char* buffer, size_t size) override {
    if (!ready_) return Error(Errc::internal, "gzip cannot begin");
    size = std::min<size_t>(size, 1u << 30);  // zlib counts in 32 bits
    stream_.next_out = reinterpret_cast<Bytef*>(buffer);
    stream_.avail_out = static_cast<uInt>(size);
    while (stream_.avail_out == size) {
      if (stream_.avail_in == 0) {
        auto more = compressed_->read(input_.data(), input_.size());
        if (!more) return more.error();
        if (*more == 0 && between_members_) return size_t{0};
        if (*more == 0) return damaged("gzip", "it ends early");
        stream_.next_in = reinterpret_cast<Bytef*>(input_.data());
        stream_.avail_in = static_cast<uInt>(*more);
      }
      if (std::exchange(between_members_, false) && any_) inflateReset(&stream_);
      any_ = true;
      int status = inflate(&stream_, Z_NO_FLUSH);
      between_members_ = status == Z_STREAM_END;
      if (status != Z_OK && status != Z_STREAM_END && status != Z_BUF_ERROR) {
        return damaged("gzip", stream_.msg ? stream_.msg : "not a member");
      }
    }
    return size - stream_.avail_out;
  }

 private:
  std::unique_ptr<Source> compressed_;
  z_stream stream_{};
  std::array<char, kInputPiece> input_;
  bool ready_ = false;
  bool any_ = false;              // a member was begun
  bool between_members_ = false;  // the last one is complete
};

class SnappySource final : public Source {
 public:
  explicit SnappySource(std::unique_ptr<Source> compressed) : compressed_(std::move(compressed)) {}

  Result<size_t> read(char* buffer, size_t size) override {
    while (at_ == block_.size()) {
      auto more = next_block();
      if (!more) return more.error();
      if (!*more) return size_t{0};
    }
    size = std::min(size, block_.size() - at_);
    std::memcpy(buffer, block_.data() + at_, size);
    at_ += size;
    return size;
  }

 private:
  // As many bytes as asked for; fewer only at the end.
  Result<size_t> fill(char* buffer, size_t size) {
    size_t got = 0;
    while (got < size) {
      auto more = compressed_->read(buffer + got, size - got);
      if (!more) return more.error();
      if (*more == 0) break;
      got += *more;
    }
    return got;
  }

  // False at the end.
  Result<bool> next_block() {
    char head[16];
    auto got = fill(head, 4);
    if (!got) return got.error();
    if (*got == 0 && begun_) return false;
    // streams may follow one another, each with its header
    if (*got == 4 && std::string_view(head, 4) == kSnappyMagic.substr(0, 4)) {
      auto rest = fill(head + 4, 12);
      if (!rest) return rest.error();
      if (*rest < 12 || std::string_view(head, 8) != kSnappyMagic ||
          ByteReader(std::string_view(head + 12, 4)).i32() > 1) {
        return damaged("snappy", "the header is cut or of a newer version");
      }
      begun_ = true;
      block_.clear();
      at_ = 0;
      return true;
    }
    if (!begun_) return damaged("snappy", "no stream begins here");
    int32_t size = ByteReader(std::string_view(head, *got)).i32();
    if (*got < 4 || size < 0 || static_cast<size_t>(size) > kMaxBlock) {
      return damaged("snappy", "a block has no length");
    }
    compressed_block_.resize(static_cast<size_t>(size));
    auto body = fill(compressed_block_.data(), compressed_block_.size());
    if (!body) return body.error();
    if (*body < compressed_block_.size()) return damaged("snappy", "a block is cut");
    return decompress();
  }

  Result<bool> decompress() {
    at_ = 0;
    block_.clear();
    if (compressed_block_.empty()) return true;
    size_t size = 0;
    if (!snappy::GetUncompressedLength(compressed_block_.data(), compressed_block_.size(), &size) ||
        size > kMaxBlock ||
        !snappy::IsValidCompressedBuffer(compressed_block_.data(), compressed_block_.size())) {
      return damaged("snappy", "a block does not decompress");
    }
    block_.resize(size);
    if (!snappy::RawUncompress(compressed_block_.data(), compressed_block_.size(),
                               block_.data())) {
      return damaged("snappy", "a block does not decompress");
    }
    return true;
  }

  std::unique_ptr<Source> compressed_;
  Bytes compressed_block_;
  Bytes block_;
  size_t at_ = 0;  // what of block_ is read
  bool begun_ = false;
};

}  // namespace

std::unique_ptr<Source> gzip_source(std::unique_ptr<Source> compressed) {
  return std::make_unique<GzipSource>(std::move(compressed));
}

std::unique_ptr<Source> snappy_source(std::unique_ptr<Source> compressed) {
  return std::make_unique<SnappySource>(std::move(compressed));
}

}  // namespace odradek::compress
