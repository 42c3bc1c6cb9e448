#pragma once
// QuotaLog: says that a quota is exceeded, once a minute for each kind of limit on each path,
// however often it happens. Tree thread.

#include <cstdint>
#include <map>
#include <string>

namespace odradek::coordinator::pipeline {

class QuotaLog {
 public:
  // `text` begins as those of tree::QuotaExcess do: what stands before its first number is what is
  // said once a minute.
  void note(const std::string& text, int64_t now_ms);

 private:
  struct Entry {
    int64_t said_ms = 0;
    int64_t left_out = 0;
  };
  std::map<std::string, Entry, std::less<>> entries_;  // emptied when there are too many
};

}  // namespace odradek::coordinator::pipeline
