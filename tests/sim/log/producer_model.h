#pragma once
// What a partition has to remember of its producers, as Kafka's documentation has it: the last five
// batches of each, its epoch, its open transaction, and the transactions that were aborted.

#include <deque>
#include <map>
#include <optional>
#include <vector>

#include "broker/log/producer_state.h"
#include "tests/sim/log/batch_model.h"

namespace odradek::sim {

struct ModelProducer {
  struct Sent {
    int32_t first_sequence;
    int32_t last_sequence;
    Offset first_offset;
    Offset last_offset;
    int64_t timestamp_ms;
  };
  ProducerEpoch epoch{-1};
  std::deque<Sent> sent;  // oldest first
  int32_t coordinator_epoch = -1;
  int64_t last_timestamp_ms = -1;
  int64_t oldest_timestamp_ms = 0;  // of its batches so far
  Offset last_seen{-1};  // its newest batch, also a marker
  std::optional<Offset> transaction_first;
};

struct ModelAborted {
  ProducerId id;
  Offset first;
  Offset last;  // the marker
};

class ProducerModel {
 public:
  enum class Answer { taken, duplicate, old_epoch, out_of_order };
  struct Judgement {
    Answer answer = Answer::taken;
    ModelProducer::Sent repeated{};  // of a duplicate
  };
  Judgement judge(const broker::log::BatchHeader& header) const;
  void note(const ModelBatch& batch);
  // Of a log that lost all that the model knows: what its files say is believed.
  void adopt(const broker::log::ProducerStates& states);
  void clear() { *this = ProducerModel(); }
  std::optional<Offset> first_unstable() const;
  const std::map<ProducerId, ModelProducer>& producers() const { return producers_; }
  const std::vector<ModelAborted>& aborted() const { return aborted_; }
  const ModelProducer* find(ProducerId id) const {
    auto found = producers_.find(id);
    return found == producers_.end() ? nullptr : &found->second;
  }

  // Holds the log's memory against this one, and takes over what it may have forgotten: of batches
  // all but the last (a snapshot has only that), and what the log's own files need not have had.
  // Returns what is wrong.
  struct Leniency {
    Offset forgotten_below{0};       // producers not seen from here on
    int64_t expired_until_ms = -1;   // producers not heard of since
    bool fewer_batches = false;      // it came from a snapshot
  };
  std::optional<std::string> compare(const broker::log::ProducerStates& states,
                                     const Leniency& leniency);

 private:
  std::map<ProducerId, ModelProducer> producers_;
  std::vector<ModelAborted> aborted_;
};

}  // namespace odradek::sim
