#include "common/compress/source.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "common/compress/compress.h"

namespace odradek::compress {
namespace {

// Gives no more than `piece` bytes at a time.
class BytesSource final : public Source {
 public:
  BytesSource(Bytes bytes, size_t piece) : bytes_(std::move(bytes)), piece_(piece) {}
  Result<size_t> read(char* buffer, size_t size) override {
    size = std::min({size, piece_, bytes_.size() - at_});
    std::copy_n(bytes_.data() + at_, size, buffer);
    at_ += size;
    return size;
  }

 private:
  Bytes bytes_;
  size_t piece_;
  size_t at_ = 0;
};

std::unique_ptr<Source> opened(Codec codec, Bytes packed, size_t piece) {
  auto source = std::make_unique<BytesSource>(std::move(packed), piece);
  return codec == Codec::gzip ? gzip_source(std::move(source)) : snappy_source(std::move(source));
}

Result<Bytes> read_all(Source& source, size_t piece) {
  Bytes all;
  Bytes buffer(piece, '\0');
  for (;;) {
    auto got = source.read(buffer.data(), buffer.size());
    if (!got) return got.error();
    if (*got == 0) return all;
    all.append(buffer, 0, *got);
  }
}

Bytes text(size_t size) {
  std::mt19937 random(7);
  Bytes bytes(size, '\0');
  for (char& byte : bytes) byte = static_cast<char>('a' + random() % 6);
  return bytes;
}

class SourceTest : public ::testing::TestWithParam<Codec> {};

TEST_P(SourceTest, GivesWhatWasCompressedWhateverThePieces) {
  for (size_t size : {size_t{1}, size_t{32768}, size_t{200001}}) {
    Bytes input = text(size);
    Bytes packed = *compress(GetParam(), input);
    for (auto [in, out] : {std::pair<size_t, size_t>{1, 4096}, {4096, 1}, {100000, 100000}}) {
      auto read = read_all(*opened(GetParam(), packed, in), out);
      ASSERT_TRUE(read.ok()) << read.error().what();
      EXPECT_TRUE(*read == input) << size << " by " << in << " and " << out;
    }
  }
}

TEST_P(SourceTest, StreamsMayFollowOneAnother) {
  Bytes twice = *compress(GetParam(), "one ") + *compress(GetParam(), "two");
  EXPECT_EQ(*read_all(*opened(GetParam(), twice, 7), 3), "one two");
}

TEST_P(SourceTest, EveryCutIsNoticedOrLeavesWholeBlocks) {
  Bytes input = text(100000);
  Bytes packed = *compress(GetParam(), input);
  for (size_t size = 0; size < packed.size(); size += 977) {
    auto read = read_all(*opened(GetParam(), packed.substr(0, size), 4096), 4096);
    if (!read) {
      EXPECT_EQ(read.error().code(), Errc::bad_compression);
    } else {
      EXPECT_EQ(GetParam(), Codec::snappy);
      EXPECT_LT(read->size(), input.size());
      EXPECT_TRUE(input.starts_with(*read));
    }
  }
}

TEST_P(SourceTest, DamageIsAnErrorOrOtherBytesAndNoCrash) {
  Bytes packed = *compress(GetParam(), text(40000));
  for (size_t at = 0; at < packed.size(); at += 61) {
    Bytes damaged = packed;
    damaged[at] = static_cast<char>(damaged[at] ^ 0x55);
    auto read = read_all(*opened(GetParam(), damaged, 4096), 4096);
    if (!read) EXPECT_EQ(read.error().code(), Errc::bad_compression);
  }
}

INSTANTIATE_TEST_SUITE_P(Codecs, SourceTest, ::testing::Values(Codec::gzip, Codec::snappy),
                         [](const auto& info) { return std::string(name_of(info.param)); });

TEST(Source, ABlockThatClaimsMuchIsNotAllocated) {
  Bytes stream("\x82SNAPPY\0\0\0\0\1\0\0\0\1", 16);
  stream += Bytes("\0\0\0\6\xff\xff\xff\x1f\0a", 10);  // 64 MiB less one in six bytes
  auto read = read_all(*opened(Codec::snappy, stream, 4096), 4096);
  ASSERT_FALSE(read.ok());
  EXPECT_EQ(read.error().code(), Errc::bad_compression);
}

}  // namespace
}  // namespace odradek::compress
