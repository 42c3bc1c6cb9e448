#pragma once
// Kafka's codecs, each with the framing that Kafka's clients use (facts in broker/log/README.md):
// gzip members, xerial snappy streams (plain snappy blocks are read too), LZ4 frames, zstd frames.
// Pure functions; any thread.

#include <cstdint>
#include <optional>
#include <string_view>

#include "common/bytes/byte_writer.h"
#include "common/result.h"

namespace odradek::compress {

// The numbers of the lowest three attribute bits of a record batch.
enum class Codec : uint8_t { none = 0, gzip = 1, snappy = 2, lz4 = 3, zstd = 4 };

// "none", "gzip", "snappy", "lz4", "zstd".
std::string_view name_of(Codec codec);

// A level in the codec's own range: gzip 1..9, lz4 1..17, zstd -131072..22; nothing: the codec's
// default (gzip 6, lz4 fast, zstd 3). Snappy has none.
Result<Bytes> compress(Codec codec, ByteView bytes, std::optional<int> level = std::nullopt);

// All of the input must be used: members and frames that follow one another are joined, anything
// else behind them is bad_compression. More than `max_size` bytes of output are limit_exceeded; no
// more than that is ever allocated.
Result<Bytes> decompress(Codec codec, ByteView bytes, size_t max_size);

// LZ4 as message format v0 has it: the frame header's checksum is taken over the magic number too.
Result<Bytes> compress_lz4_magic0(ByteView bytes);

}  // namespace odradek::compress
