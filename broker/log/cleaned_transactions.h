#pragma once
// What compaction has to know of transactions while it walks over a log from its first batch on:
// which data was aborted, and which markers no longer have data in front of them (KIP-98). Pure;
// owner: whoever cleans.

#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "broker/log/record_batch.h"
#include "broker/log/transaction_index.h"

namespace odradek::broker::log {

class CleanedTransactions {
 public:
  // `aborted` is what the transaction indexes say of this part of the log, in any order.
  explicit CleanedTransactions(std::vector<AbortedEntry> aborted);

  // A batch that is no marker. True where it is of an aborted transaction: nobody may read it.
  bool is_aborted(const BatchHeader& header);
  // A control batch, whole. True where none of its transaction's data was passed: the marker has
  // nothing left to say. Otherwise the entry of an aborted one is kept.
  bool is_marker_without_data(const BatchHeader& header, ByteView batch);

  // Entries kept since the last call: they belong to the segment that is being written.
  std::vector<AbortedEntry> take_kept();

 private:
  struct Aborted {
    AbortedEntry entry;
    bool has_data = false;
  };
  void begin_up_to(const BatchHeader& header);

  std::vector<AbortedEntry> ahead_;  // by first offset, the next one last
  std::unordered_map<ProducerId, Aborted> aborted_;
  std::unordered_set<ProducerId> committed_;  // data passed, no marker yet
  std::vector<AbortedEntry> kept_;
};

}  // namespace odradek::broker::log
