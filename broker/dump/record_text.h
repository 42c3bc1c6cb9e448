#pragma once
// Keys and values as text: as UTF-8, or as what the internal topics hold.

#include <memory>
#include <optional>
#include <string>

#include "broker/dump/batch_records.h"
#include "common/result.h"

namespace odradek::broker::dump {

struct RecordText {
  std::optional<std::string> key;  // not printed where there is none
  std::optional<std::string> value;
};

class RecordDecoder {
 public:
  virtual ~RecordDecoder() = default;
  // An Error is the exception with which Kafka's tool ends.
  virtual Result<RecordText> decode(const DumpedRecord& record) const = 0;
};

// kafka.serializer.StringDecoder for both: malformed UTF-8 becomes U+FFFD.
std::unique_ptr<RecordDecoder> string_decoder();
// __consumer_offsets, __transaction_state.
std::unique_ptr<RecordDecoder> offsets_decoder();
std::unique_ptr<RecordDecoder> transaction_decoder();

}  // namespace odradek::broker::dump
