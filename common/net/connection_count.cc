#include "common/net/connection_count.h"

namespace odradek::net {

Result<void> ConnectionCount::enter(const std::string& address) {
  int64_t allowed = limits_.per_address;
  if (auto found = limits_.per_address_overrides.find(address);
      found != limits_.per_address_overrides.end()) {
    allowed = found->second;
  }
  std::lock_guard lock(mutex_);
  if (total_ >= limits_.total) {
    return Error(Errc::limit_exceeded,
                 "max.connections of " + std::to_string(limits_.total) + " is reached");
  }
  int64_t& count = by_address_[address];
  if (count >= allowed) {
    if (count == 0) by_address_.erase(address);
    return Error(Errc::limit_exceeded,
                 "max.connections.per.ip of " + std::to_string(allowed) + " is reached");
  }
  ++count;
  ++total_;
  return {};
}

void ConnectionCount::leave(const std::string& address) {
  std::lock_guard lock(mutex_);
  auto found = by_address_.find(address);
  if (found == by_address_.end()) return;
  if (--found->second == 0) by_address_.erase(found);
  --total_;
}

int64_t ConnectionCount::total() const {
  std::lock_guard lock(mutex_);
  return total_;
}

}  // namespace odradek::net
