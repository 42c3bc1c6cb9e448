#pragma once
// MemoryBudget: how much memory all connections together may hold for large frames that arrive.
// Thread-safe; a mutex guards the counters alone.
//
// A connection asks before its buffer grows, so that only bytes that arrive count. Where the budget
// is used up it waits, first come first served, and TCP pushes its peer back. So that half-arrived
// frames cannot wait for each other for ever, one connection at a time, the senior, may go beyond;
// its owner sees to it that it goes on or ends.

#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>

namespace odradek::net {

class MemoryBudget {
 public:
  explicit MemoryBudget(size_t bytes) : total_(bytes) {}

  // What one connection holds. Touched by its connection only.
  struct Share {
    size_t bytes = 0;
    bool senior = false;
  };

  // True: the share has grown. False: `granted` is called once, on any thread, when it has; until
  // then the share must live and is not to be touched.
  bool take(Share& share, size_t bytes, std::function<void()> granted);
  void give_back(Share& share);

  size_t used() const;

 private:
  struct Wish {
    Share* share;
    size_t bytes;
    std::function<void()> granted;
  };
  bool grant(Share& share, size_t bytes);
  std::deque<std::function<void()>> serve_waiting();

  const size_t total_;
  mutable std::mutex mutex_;
  size_t used_ = 0;
  bool has_senior_ = false;
  std::deque<Wish> waiting_;
};

}  // namespace odradek::net
