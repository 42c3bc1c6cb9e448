#pragma once
// LogModel: what must stand in a partition's log, and what may stand there after a crash.
//
//   history      start                       durable end            end
//      |-- deleted --|--- must be there after any crash ---|-- a prefix of it --|-- in flight: perhaps
//
// Ghosts are batches that were taken away and whose going was not synced: a crash may bring them back.

#include <optional>
#include <string>
#include <vector>

#include "tests/sim/log/producer_model.h"

namespace odradek::sim {

// What stands in the log's files, read from them.
struct Stored {
  Offset start{0};
  Offset end{0};
  std::vector<Bytes> batches;
};

// Nothing where `stored` is the batch that is expected; else what differs.
std::optional<std::string> difference(const ModelBatch& expected, ByteView stored);

class LogModel {
 public:
  Offset start{0};
  Offset end{0};
  Offset durable_end{0};
  Offset epochs_from{0};             // below it a crash may bring records back, but not their epochs
  Offset checkpointed_start{0};      // in the checkpoint file for good
  std::vector<ModelBatch> batches;   // in order; those below the start are history
  std::vector<ModelBatch> in_flight; // of an append that failed in the middle
  std::vector<ModelBatch> ghosts;
  std::vector<ModelBatch> former;    // all that was before it was begun anew, until that is synced
  bool may_have_holes = false;       // what was not synced may be missing between what is there
  bool has_hole = false;             // one that a crash left between two lineages
  bool is_cut = false;               // since the last flush: there are two lineages
  bool is_vague = false;             // an operation failed in the middle: ghosts are there or not
  ProducerModel producers;
  ProducerModel first_producers, former_first;  // before the first of `batches`

  // The offsets, epoch and time that a leader gives to these batches.
  static void place(std::vector<ModelBatch>& batches, Offset end, LeaderEpoch epoch,
                    const broker::log::LogConfig& config, int64_t now_ms);
  void append(std::vector<ModelBatch> added);
  void move_start(Offset to);
  void truncate(Offset at);
  void start_anew(Offset at);
  // The flush that began when the log ended at `offset` is over.
  void flushed(Offset offset);
  // As after a crash that may have lost what was not synced, or as after a kill. Takes over what was
  // found; returns what is wrong with it.
  std::optional<std::string> recover(const Stored& found, bool may_be_lost);

  // All that was known is lost, which is allowed: the log's files are believed.
  void adopt(const broker::log::ProducerStates& states);
  // First batch that ends at or above the offset; batches.size() where none does.
  size_t index_of(Offset offset) const;
  // The leader epochs that follow from the batches, as the log should know them.
  struct Epoch {
    LeaderEpoch epoch;
    Offset first;
  };
  // Nothing where two lineages are mixed.
  std::optional<std::vector<Epoch>> epochs() const;

 private:
  std::optional<std::string> match(const Stored& found, bool may_be_lost,
                                   std::vector<ModelBatch>& matched);
  void replay_producers();
};

}  // namespace odradek::sim
