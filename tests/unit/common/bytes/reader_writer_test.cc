#include <gtest/gtest.h>

#include <string>

#include "common/bytes/byte_reader.h"
#include "common/bytes/byte_writer.h"
#include "common/bytes/kafka_codec.h"

namespace odradek {
namespace {

TEST(ReaderWriter, Varints) {
  for (int64_t value :
       {INT64_C(0), INT64_C(1), INT64_C(-1), INT64_C(63), INT64_C(-64), INT64_C(64), INT64_C(300),
        INT64_C(-8192), INT64_C(8192), INT64_C(1) << 40, INT64_MAX, INT64_MIN}) {
    ByteWriter out;
    out.varlong(value);
    ByteReader in(out.buffer());
    EXPECT_EQ(in.varlong(), value);
    EXPECT_TRUE(in.ok() && in.remaining() == 0);
  }
  for (int32_t value : {0, 1, -1, 150, INT32_MAX, INT32_MIN}) {
    ByteWriter out;
    out.varint(value);
    ByteReader in(out.buffer());
    EXPECT_EQ(in.varint(), value);
    EXPECT_TRUE(in.ok() && in.remaining() == 0);
  }
}

TEST(ReaderWriter, BadVarints) {
  for (const std::string& bytes :
       {std::string("\x80"), std::string("\x80\x80\x80\x80\x80\x01"),
        std::string("\xff\xff\xff\xff\x7f")}) {  // cut, too long, above 32 bits
    ByteReader in(bytes);
    in.uvarint();
    EXPECT_FALSE(in.ok());
  }
}

TEST(ReaderWriter, ErrorsStick) {
  ByteReader in(ByteView("\0\0\0", 3));
  EXPECT_EQ(in.i32(), 0);
  EXPECT_FALSE(in.ok());
  EXPECT_EQ(in.i8(), 0);
  EXPECT_EQ(in.remaining(), 0u);
}

TEST(KafkaCodec, LongStringsAreCutAtACharacter) {
  std::string text(32766, 'a');
  text += "\u00e9tail";
  ByteWriter out;
  kafka::write_string(out, text, false);
  EXPECT_EQ(out.buffer_size(), 2u + 32766u);
  ByteReader in(out.buffer());
  kafka::FieldReader reader(in, "Test");
  EXPECT_EQ(reader.string("text", false), std::string(32766, 'a'));
}

TEST(KafkaCodec, NullWhereNoneMayBeIsWrittenEmpty) {
  ByteWriter out;
  kafka::write_nullable_string(out, std::nullopt, false, false);
  kafka::write_nullable_string(out, std::nullopt, true, false);
  kafka::write_null_array(out, false, false);
  EXPECT_EQ(out.buffer(), std::string("\0\0\1\0\0\0\0", 7));
}

TEST(KafkaCodec, RecordsAreASpliceOrBytes) {
  ByteWriter out;
  kafka::write_records(out, kafka::Records::splice(1000, 7), false, true);
  EXPECT_EQ(out.buffer(), std::string("\0\0\3\xe8", 4));
  ASSERT_EQ(out.splices().size(), 1u);
  EXPECT_EQ(out.splices()[0].position, 4u);
  EXPECT_EQ(out.splices()[0].size, 1000u);
  EXPECT_EQ(out.splices()[0].token, 7u);
  EXPECT_EQ(out.total_size(), 1004u);

  kafka::Records owned = kafka::Records::owned("abc");
  kafka::Records copy = owned;
  EXPECT_EQ(copy.bytes(), "abc");
  EXPECT_EQ(copy, kafka::Records::view("abc"));
  EXPECT_NE(copy, kafka::Records());
  EXPECT_NE(kafka::Records::view(""), kafka::Records());
}

}  // namespace
}  // namespace odradek
