#pragma once
// ConnectionThrottle: how many clients may ask for a session in a time (connectionMaxTokens and its
// kin, ZooKeeper 3.6). A bucket of tokens that fills with time; each ConnectRequest takes one. Where
// a freeze time is set, requests are also refused at random, the more often the longer the bucket
// stays empty (the BLUE scheme of routers). Off by default. Tree thread.

#include <cstdint>
#include <functional>

namespace odradek::coordinator::server {

struct ConnectionThrottleSettings {
  int32_t max_tokens = 0;    // 0: off
  int32_t fill_time_ms = 1;  // so often `fill_count` tokens come back
  int32_t fill_count = 1;
  int32_t freeze_time_ms = -1;  // between changes of the chance to be refused; -1: no chance
  double drop_increase = 0.02;
  double drop_decrease = 0.002;
  double decrease_ratio = 0;  // share of the bucket that may be taken while the chance falls
};

class ConnectionThrottle {
 public:
  // `random` gives numbers in [0, 1).
  ConnectionThrottle(ConnectionThrottleSettings settings, int64_t now_ms,
                     std::function<double()> random);

  // Takes a token; false where there is none, or by chance.
  bool admit(int64_t now_ms);
  // Tokens that are taken.
  int32_t deficit() const { return settings_.max_tokens - tokens_; }
  double drop_chance() const { return drop_chance_; }

 private:
  bool passes_by_chance(int64_t now_ms);

  const ConnectionThrottleSettings settings_;
  std::function<double()> random_;
  int32_t tokens_;
  int64_t filled_ms_;
  int64_t frozen_ms_;
  double drop_chance_ = 0;
};

}  // namespace odradek::coordinator::server
