#pragma once
// Histogram: how often values of each size were seen. Values below 64 are told apart exactly, larger
// ones within 1/32 of themselves. It takes memory for the largest value seen (8 bytes a bucket, 32
// buckets for each doubling), none while it is empty. No lock: it belongs to the thread that adds.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace odradek::metrics {

class Histogram {
 public:
  void add(int64_t value);  // below 0 counts as 0
  void add_all(const Histogram& other);
  void clear();  // and gives the memory back

  uint64_t count() const { return count_; }
  // The value that a share of `share` (0..1) of all values does not exceed, by nearest rank; nothing
  // where there is none.
  std::optional<int64_t> quantile(double share) const;
  size_t memory() const { return buckets_.capacity() * sizeof(uint64_t); }

 private:
  std::vector<uint64_t> buckets_;
  uint64_t count_ = 0;
};

}  // namespace odradek::metrics
