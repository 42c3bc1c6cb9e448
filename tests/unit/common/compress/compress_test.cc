#include "common/compress/compress.h"

#include <gtest/gtest.h>

#include <random>

namespace odradek::compress {
namespace {

constexpr Codec kCodecs[] = {Codec::none, Codec::gzip, Codec::snappy, Codec::lz4, Codec::zstd};

Bytes noise(size_t size, uint64_t seed, int letters) {
  std::mt19937_64 random(seed);
  Bytes bytes(size, '\0');
  for (char& byte : bytes)
    byte = static_cast<char>('a' + random() % static_cast<uint64_t>(letters));
  return bytes;
}

TEST(Compress, RoundTripOfEveryCodecAndSize) {
  for (Codec codec : kCodecs) {
    for (size_t size : {size_t{0}, size_t{1}, size_t{100}, size_t{32768}, size_t{32769},
                        size_t{65536}, size_t{65537}, size_t{3000000}}) {
      for (int letters : {1, 4, 200}) {
        SCOPED_TRACE(std::string(name_of(codec)) + " " + std::to_string(size) + " " +
                     std::to_string(letters));
        Bytes input = noise(size, size, letters);
        Result<Bytes> packed = compress(codec, input);
        ASSERT_TRUE(packed.ok()) << packed.error().what();
        Result<Bytes> opened = decompress(codec, *packed, size);
        ASSERT_TRUE(opened.ok()) << opened.error().what();
        EXPECT_TRUE(*opened == input);
        if (size > 0) {
          Result<Bytes> bounded = decompress(codec, *packed, size - 1);
          ASSERT_FALSE(bounded.ok());
          EXPECT_EQ(bounded.error().code(), Errc::limit_exceeded);
        }
      }
    }
  }
}

TEST(Compress, EveryCutIsNoticed) {
  Bytes input = noise(5000, 7, 10);
  for (Codec codec : {Codec::gzip, Codec::snappy, Codec::lz4, Codec::zstd}) {
    Result<Bytes> packed = compress(codec, input);
    ASSERT_TRUE(packed.ok());
    for (size_t size = 0; size < packed->size(); size += 7) {
      SCOPED_TRACE(std::string(name_of(codec)) + " cut at " + std::to_string(size));
      Result<Bytes> opened = decompress(codec, ByteView(*packed).substr(0, size), 10000);
      // an xerial stream may end behind its header or behind any chunk
      if (codec == Codec::snappy && opened.ok())
        EXPECT_TRUE(opened->empty());
      else
        ASSERT_FALSE(opened.ok());
    }
  }
}

TEST(Compress, DamageNeverCrashes) {
  Bytes input = noise(3000, 9, 30);
  std::mt19937_64 random(1);
  for (Codec codec : {Codec::gzip, Codec::snappy, Codec::lz4, Codec::zstd}) {
    Result<Bytes> packed = compress(codec, input);
    ASSERT_TRUE(packed.ok());
    for (int i = 0; i < 500; ++i) {
      Bytes damaged = *packed;
      for (int changes = 0; changes < 3; ++changes)
        damaged[random() % damaged.size()] = static_cast<char>(random());
      (void)decompress(codec, damaged, 100000);
      Bytes rubbish(random() % 200, '\0');
      for (char& byte : rubbish) byte = static_cast<char>(random());
      (void)decompress(codec, rubbish, 100000);
    }
  }
}

TEST(Compress, JoinedMembersAndFrames) {
  for (Codec codec : {Codec::gzip, Codec::snappy, Codec::lz4, Codec::zstd}) {
    Bytes joined = *compress(codec, "first ") + *compress(codec, "second");
    Result<Bytes> opened = decompress(codec, joined, 100);
    ASSERT_TRUE(opened.ok()) << name_of(codec) << ": " << opened.error().what();
    EXPECT_EQ(*opened, "first second");
    Result<Bytes> rubbish = decompress(codec, *compress(codec, "first ") + "rubbish", 100);
    EXPECT_FALSE(rubbish.ok()) << name_of(codec);
  }
}

TEST(Compress, FramingsAreKafkas) {
  EXPECT_EQ(compress(Codec::snappy, "x")->substr(0, 16),
            ByteView("\x82SNAPPY\0\0\0\0\1\0\0\0\1", 16));
  EXPECT_EQ(compress(Codec::lz4, "x")->substr(0, 7), ByteView("\x04\x22\x4d\x18\x60\x40\x82", 7));
  EXPECT_EQ(compress(Codec::gzip, "x")->substr(0, 3), "\x1f\x8b\x08");
  EXPECT_EQ(compress(Codec::zstd, "x")->substr(0, 4), "\x28\xb5\x2f\xfd");
}

TEST(Compress, PlainSnappyBlock) {
  // length 5, a literal of 5 bytes
  Result<Bytes> opened = decompress(Codec::snappy, ByteView("\x05\x10hello", 7), 100);
  ASSERT_TRUE(opened.ok()) << opened.error().what();
  EXPECT_EQ(*opened, "hello");
}

TEST(Compress, SnappyDoesNotTakeRoomForALie) {
  // a block that promises 100 MB in 12 bytes
  Result<Bytes> opened =
      decompress(Codec::snappy, ByteView("\x80\xc2\xd7\x2f\x10hello..", 12), 1 << 30);
  EXPECT_FALSE(opened.ok());
}

TEST(Compress, Lz4OfMessageFormat0) {
  Result<Bytes> packed = compress_lz4_magic0("hello hello hello hello");
  ASSERT_TRUE(packed.ok());
  EXPECT_EQ(packed->substr(0, 7), ByteView("\x04\x22\x4d\x18\x60\x40\x1a", 7));
  Result<Bytes> opened = decompress(Codec::lz4, *packed, 100);
  ASSERT_TRUE(opened.ok()) << opened.error().what();
  EXPECT_EQ(*opened, "hello hello hello hello");
}

TEST(Compress, LevelsAreTaken) {
  Bytes input = noise(100000, 3, 20);
  EXPECT_LT(compress(Codec::gzip, input, 9)->size(), compress(Codec::gzip, input, 1)->size());
  EXPECT_LT(compress(Codec::zstd, input, 19)->size(), compress(Codec::zstd, input, -5)->size());
  EXPECT_LT(compress(Codec::lz4, input, 12)->size(), compress(Codec::lz4, input, 1)->size());
}

}  // namespace
}  // namespace odradek::compress
