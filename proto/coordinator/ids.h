#pragma once
// Ids as the contract's fields carry them: a Uuid as its 16 bytes, brokers as a list of int32.

#include <google/protobuf/repeated_field.h>

#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <vector>

#include "common/ids.h"

namespace odradek::contract {

// Nothing where it is not 16 bytes.
inline std::optional<Uuid> uuid_of(const std::string& bytes) {
  Uuid id;
  if (bytes.size() != id.bytes.size()) return std::nullopt;
  std::memcpy(id.bytes.data(), bytes.data(), bytes.size());
  return id;
}

inline std::string bytes_of(const Uuid& id) {
  return std::string(reinterpret_cast<const char*>(id.bytes.data()), id.bytes.size());
}

inline std::vector<BrokerId> brokers_of(const google::protobuf::RepeatedField<int32_t>& ids) {
  return std::vector<BrokerId>(ids.begin(), ids.end());
}

inline void add_all(const std::vector<BrokerId>& from,
                    google::protobuf::RepeatedField<int32_t>& to) {
  for (BrokerId id : from) to.Add(id.value());
}

}  // namespace odradek::contract
