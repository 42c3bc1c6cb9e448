#pragma once
// PeerLog: lines about what clients do wrong, so many a minute for each address; what is left out is
// counted and said when the minute is over. Tree thread.

#include <cstdint>
#include <map>
#include <string>

#include "common/clock.h"

namespace odradek::coordinator::server {

class PeerLog {
 public:
  PeerLog(const Clock& clock, int64_t lines_per_minute)
      : clock_(clock), lines_per_minute_(lines_per_minute) {}

  // A warning, unless the address had its share of this minute. False where it is left out.
  bool warn(const std::string& address, const std::string& text);
  // Says what was left out of minutes that are over, and forgets their addresses.
  void sweep();

 private:
  struct Entry {
    int64_t since_ms = 0;
    int64_t lines = 0;
    int64_t left_out = 0;
  };
  static void say_left_out(const std::string& address, int64_t left_out);

  const Clock& clock_;
  const int64_t lines_per_minute_;
  std::map<std::string, Entry> entries_;
};

}  // namespace odradek::coordinator::server
