#pragma once
// What is known of stored batches from what was given to the log: nothing here asks the log. And the
// maker of such batches: every kind that a partition may be given.

#include <optional>
#include <string>
#include <vector>

#include "broker/log/append_check.h"
#include "broker/log/record.h"
#include "broker/log/record_batch_builder.h"
#include "tests/sim/world.h"

namespace odradek::sim {

struct ModelRecord {
  Offset offset{0};
  int64_t timestamp_ms = -1;
  std::optional<std::string> key;
  std::optional<std::string> value;
  bool operator==(const ModelRecord&) const = default;
};

struct ModelBatch {
  broker::log::BatchHeader header;  // size and checksum are those of the bytes
  std::vector<ModelRecord> records;
  std::optional<bool> aborts;  // a transaction's marker
  int32_t coordinator_epoch = -1;
  Bytes bytes;  // as it stands in the log; empty until that was read

  Offset base() const { return header.base_offset; }
  Offset last() const { return header.last_offset(); }
  Offset next() const { return header.next_offset(); }
};

// Bytes for one append, and what they hold, with offsets from 0 (leader) or as they are (follower).
struct Offer {
  Bytes bytes;
  std::vector<ModelBatch> batches;
  broker::log::AppendOrigin origin = broker::log::AppendOrigin::client;
};

// What a batch of a producer says of itself.
struct Sender {
  ProducerId id{-1};
  ProducerEpoch epoch{-1};
  int32_t sequence = -1;
  bool transactional = false;
};

class BatchMaker {
 public:
  explicit BatchMaker(World& world) : world_(world) {}

  // The partition is compacted: every record has a key, and what is fetched has holes.
  void set_compacted(bool compacted) { compacted_ = compacted; }
  // One batch of so many records, perhaps compressed.
  Offer batch(const Sender& sender, int count);
  // What a client of Kafka 0.8 or 0.10 sends, made a batch.
  Offer old_client();
  // Several batches of a group coordinator at once.
  Offer coordinator_set();
  Offer marker(const Sender& sender, bool aborts, int32_t coordinator_epoch);
  // What a follower fetches: batches of these epochs from `first` on, some with gaps before them,
  // some in the old formats.
  Offer fetched(Offset first, LeaderEpoch epoch, const std::vector<Sender>& senders);

 private:
  int64_t timestamp();
  ModelBatch make(broker::log::BatchOptions options, int count);
  void add_old(Offer& offer, Offset first);

  World& world_;
  bool compacted_ = false;
  uint64_t number_ = 0;  // values differ from each other
};

}  // namespace odradek::sim
