#pragma once
// ScopeExit runs a function when its scope ends, by whatever way: a return, an exception, or the
// end of a coroutine that is destroyed while it waits. The function must not throw.

#include <utility>

namespace odradek::runtime {

template <typename Fn>
class [[nodiscard]] ScopeExit {
 public:
  explicit ScopeExit(Fn fn) : fn_(std::move(fn)) {}
  ~ScopeExit() { fn_(); }
  ScopeExit(const ScopeExit&) = delete;
  ScopeExit& operator=(const ScopeExit&) = delete;

 private:
  Fn fn_;
};

}  // namespace odradek::runtime
