#pragma once
// OffsetMap: the latest offset of each key in the part of a log that is being compacted. A key is
// known by its hash of 128 bits alone (siphash.h: its key is drawn anew for each map, so that no
// producer can make keys that collide), which makes an entry 24 bytes whatever the key's length.
// Owner: whoever cleans; no lock. Memory grows with the keys, in small steps, up to a bound.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "common/bytes/siphash.h"
#include "common/ids.h"

namespace odradek::broker::log {

class OffsetMap {
 public:
  static constexpr size_t kEntrySize = 24;

  // At most `max_bytes` of memory, of which a share of `load_factor` (0..1) is filled.
  OffsetMap(size_t max_bytes, double load_factor);

  // Notes the offset where it is later than the one that is known. False where the key is new and
  // there is no room: nothing was changed.
  bool put(ByteView key, Offset offset);
  std::optional<Offset> find(ByteView key) const;

  size_t size() const { return size_; }
  size_t memory() const;

 private:
  struct Slot {
    uint64_t low = 0;
    uint64_t high = 0;
    int64_t offset = -1;  // -1: empty
  };
  static_assert(sizeof(Slot) == kEntrySize);
  // One of many small tables, so that growing needs little memory beside what is there.
  struct Table {
    std::vector<Slot> slots;
    size_t used = 0;
  };

  static size_t place(const Table& table, const Hash128& hash);
  bool grow(Table& table);

  const SipHash hash_;
  const double load_factor_;
  size_t max_slots_;  // of one table
  std::vector<Table> tables_;
  size_t size_ = 0;
};

}  // namespace odradek::broker::log
