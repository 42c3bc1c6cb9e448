#pragma once
// Ids and offsets are types, not integers, so that a swapped pair does not compile.

#include <array>
#include <compare>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace odradek {

template <typename Tag, typename Rep>
class NamedInt {
 public:
  using rep = Rep;
  constexpr NamedInt() = default;
  constexpr explicit NamedInt(Rep value) : value_(value) {}
  constexpr Rep value() const { return value_; }
  constexpr auto operator<=>(const NamedInt&) const = default;
  constexpr NamedInt operator+(Rep delta) const { return NamedInt(static_cast<Rep>(value_ + delta)); }
  constexpr NamedInt operator-(Rep delta) const { return NamedInt(static_cast<Rep>(value_ - delta)); }
  constexpr Rep operator-(NamedInt other) const { return static_cast<Rep>(value_ - other.value_); }
  constexpr NamedInt& operator++() {
    ++value_;
    return *this;
  }

 private:
  Rep value_ = 0;
};

using Offset = NamedInt<struct OffsetTag, int64_t>;            // of a record in a partition; next to write for ends
using LeaderEpoch = NamedInt<struct LeaderEpochTag, int32_t>;  // -1: none known
using PartitionId = NamedInt<struct PartitionIdTag, int32_t>;
using BrokerId = NamedInt<struct BrokerIdTag, int32_t>;  // -1: none
using ProducerId = NamedInt<struct ProducerIdTag, int64_t>;
using ProducerEpoch = NamedInt<struct ProducerEpochTag, int16_t>;
using Zxid = NamedInt<struct ZxidTag, int64_t>;
using SessionId = NamedInt<struct SessionIdTag, int64_t>;  // 0: none

// A topic's id, or any 16 bytes of KIP-516. All zero: none.
struct Uuid {
  std::array<uint8_t, 16> bytes{};
  auto operator<=>(const Uuid&) const = default;
  bool is_zero() const { return *this == Uuid{}; }
  // 22 characters of URL-safe base64 without padding, as Kafka prints ids.
  std::string to_string() const;
  static std::optional<Uuid> parse(std::string_view text);
  // Version 4, from the system's random source; never one whose text begins with '-' (KIP-516).
  static Uuid random();
};

struct TopicPartition {
  std::string topic;
  PartitionId partition;
  auto operator<=>(const TopicPartition&) const = default;
  std::string to_string() const { return topic + "-" + std::to_string(partition.value()); }
};

}  // namespace odradek

template <typename Tag, typename Rep>
struct std::hash<odradek::NamedInt<Tag, Rep>> {
  size_t operator()(odradek::NamedInt<Tag, Rep> id) const noexcept { return std::hash<Rep>()(id.value()); }
};
template <>
struct std::hash<odradek::Uuid> {
  size_t operator()(const odradek::Uuid& id) const noexcept {
    return std::hash<std::string_view>()(
        std::string_view(reinterpret_cast<const char*>(id.bytes.data()), id.bytes.size()));
  }
};
template <>
struct std::hash<odradek::TopicPartition> {
  size_t operator()(const odradek::TopicPartition& id) const noexcept {
    return std::hash<std::string>()(id.topic) * 31 + static_cast<size_t>(id.partition.value());
  }
};
