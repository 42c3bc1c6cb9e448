#pragma once
// LineEditor: a line typed at a terminal, with history and completion (libedit). While a person
// types, what else happens is looked after: `idle` is called when `watched` has something to read
// or `idle_ms` has passed.

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace odradek::coordinator::cli {

class LineEditor {
 public:
  struct Hooks {
    std::function<std::vector<std::string>(std::string_view typed)>
        complete;                      // whole words for the last one
    std::function<int()> watched;      // a descriptor, or -1
    std::function<int64_t()> idle_ms;  // until idle has to run at the latest
    std::function<void()> idle;
  };
  explicit LineEditor(Hooks hooks);
  LineEditor(const LineEditor&) = delete;
  LineEditor& operator=(const LineEditor&) = delete;
  ~LineEditor();

  // A line without its end; nothing at the end of input (Ctrl+D).
  std::optional<std::string> read(const std::string& prompt);
  void remember(const std::string& line);

  struct State;  // libedit's, for its callbacks

 private:
  State* state_;
};

}  // namespace odradek::coordinator::cli
