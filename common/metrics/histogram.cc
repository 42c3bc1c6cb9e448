#include "common/metrics/histogram.h"

#include <algorithm>
#include <bit>
#include <cmath>

namespace odradek::metrics {

namespace {

// A value of n significant bits keeps its first six: the leading one and five below it.
constexpr unsigned kKeptBits = 6;
constexpr uint64_t kExact = 1u << kKeptBits;     // values below are their own bucket
constexpr uint64_t kInDoubling = kExact / 2;     // buckets between a power of two and the next
constexpr uint64_t kLargest = uint64_t{1} << 50;  // what is larger counts as this

size_t bucket_of(uint64_t value) {
  if (value < kExact) return static_cast<size_t>(value);
  unsigned shift = static_cast<unsigned>(std::bit_width(value)) - kKeptBits;
  return static_cast<size_t>(shift * kInDoubling + (value >> shift));
}

// The middle of a bucket.
int64_t value_of(size_t bucket) {
  if (bucket < kExact) return static_cast<int64_t>(bucket);
  uint64_t shift = bucket / kInDoubling - 1;
  uint64_t first = (bucket - shift * kInDoubling) << shift;
  return static_cast<int64_t>(first + ((uint64_t{1} << shift) - 1) / 2);
}

}  // namespace

void Histogram::add(int64_t value) {
  size_t bucket = bucket_of(std::min(static_cast<uint64_t>(std::max<int64_t>(value, 0)), kLargest));
  if (bucket >= buckets_.size()) buckets_.resize(bucket + 1);
  ++buckets_[bucket];
  ++count_;
}

void Histogram::add_all(const Histogram& other) {
  if (other.buckets_.size() > buckets_.size()) buckets_.resize(other.buckets_.size());
  for (size_t i = 0; i < other.buckets_.size(); ++i) buckets_[i] += other.buckets_[i];
  count_ += other.count_;
}

void Histogram::clear() {
  buckets_ = std::vector<uint64_t>();
  count_ = 0;
}

std::optional<int64_t> Histogram::quantile(double share) const {
  if (count_ == 0) return std::nullopt;
  double wanted = std::ceil(std::clamp(share, 0.0, 1.0) * static_cast<double>(count_));
  uint64_t rank = std::clamp<uint64_t>(static_cast<uint64_t>(wanted), 1, count_);
  uint64_t seen = 0;
  for (size_t i = 0; i < buckets_.size(); ++i) {
    seen += buckets_[i];
    if (seen >= rank) return value_of(i);
  }
  return std::nullopt;
}

}  // namespace odradek::metrics
