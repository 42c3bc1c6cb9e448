#include "broker/log/offset_map.h"

#include <algorithm>
#include <bit>

namespace odradek::broker::log {
namespace {

constexpr size_t kMaxTables = 256;
constexpr size_t kSlotsForATable = 1024;  // a bound with less room has fewer tables
constexpr size_t kFirstSlots = 16;
// While there is room to grow: beyond that a look-up of what is not there takes long.
constexpr double kGrowAt = 0.75;

// The slot at which the search for a hash begins: spread over any number of slots.
size_t first_slot(const Hash128& hash, size_t slots) {
  return static_cast<size_t>((static_cast<unsigned __int128>(hash.high) * slots) >> 64);
}

}  // namespace

OffsetMap::OffsetMap(size_t max_bytes, double load_factor)
    : hash_(SipHash::with_random_key()), load_factor_(std::clamp(load_factor, 0.01, 0.99)) {
  const size_t slots = std::max<size_t>(max_bytes / kEntrySize, 2);
  tables_.resize(std::bit_floor(std::clamp<size_t>(slots / kSlotsForATable, 1, kMaxTables)));
  max_slots_ = slots / tables_.size();
}

// The slot of the hash, or the empty one where it would be. There is always an empty one.
size_t OffsetMap::place(const Table& table, const Hash128& hash) {
  size_t at = first_slot(hash, table.slots.size());
  while (table.slots[at].offset >= 0 &&
         (table.slots[at].low != hash.low || table.slots[at].high != hash.high)) {
    if (++at == table.slots.size()) at = 0;
  }
  return at;
}

// True where one more key fits.
bool OffsetMap::grow(Table& table) {
  const auto limit = [&](size_t slots) {
    const double share = slots < max_slots_ ? std::min(load_factor_, kGrowAt) : load_factor_;
    return static_cast<size_t>(static_cast<double>(slots) * share);
  };
  const size_t now = table.slots.size();
  if (table.used < limit(now)) return true;
  size_t wanted = std::max(now * 2, kFirstSlots);
  while (wanted < max_slots_ && limit(wanted) <= table.used) wanted *= 2;
  wanted = std::min(wanted, max_slots_);
  if (wanted <= now || table.used >= limit(wanted)) return false;
  Table larger;
  larger.slots.resize(wanted);
  larger.used = table.used;
  for (const Slot& slot : table.slots) {
    if (slot.offset >= 0) larger.slots[place(larger, {slot.low, slot.high})] = slot;
  }
  table = std::move(larger);
  return true;
}

bool OffsetMap::put(ByteView key, Offset offset) {
  const Hash128 hash = hash_(key);
  Table& table = tables_[hash.low % tables_.size()];
  if (!table.slots.empty()) {
    Slot& slot = table.slots[place(table, hash)];
    if (slot.offset >= 0) {
      slot.offset = std::max(slot.offset, offset.value());
      return true;
    }
  }
  if (!grow(table)) return false;
  table.slots[place(table, hash)] = {hash.low, hash.high, offset.value()};
  ++table.used;
  ++size_;
  return true;
}

std::optional<Offset> OffsetMap::find(ByteView key) const {
  const Hash128 hash = hash_(key);
  const Table& table = tables_[hash.low % tables_.size()];
  if (table.slots.empty()) return std::nullopt;
  const Slot& slot = table.slots[place(table, hash)];
  return slot.offset >= 0 ? std::optional<Offset>(slot.offset) : std::nullopt;
}

size_t OffsetMap::memory() const {
  size_t slots = 0;
  for (const Table& table : tables_) slots += table.slots.capacity();
  return slots * sizeof(Slot) + tables_.capacity() * sizeof(Table);
}

}  // namespace odradek::broker::log
