#include "coordinator/cli/line_editor.h"

#include <histedit.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>

namespace odradek::coordinator::cli {

struct LineEditor::State {
  EditLine* edit = nullptr;
  History* history = nullptr;
  std::string prompt;
  Hooks hooks;
};

namespace {

LineEditor::State* state_of(EditLine* edit) {
  void* data = nullptr;
  el_get(edit, EL_CLIENTDATA, &data);
  return static_cast<LineEditor::State*>(data);
}

const char* show_prompt(EditLine* edit) { return state_of(edit)->prompt.c_str(); }

// One character; meanwhile the connection is looked after.
int read_character(EditLine* edit, wchar_t* out) {
  auto* state = state_of(edit);
  while (true) {
    pollfd ready[2] = {{STDIN_FILENO, POLLIN, 0}, {state->hooks.watched(), POLLIN, 0}};
    int wait = static_cast<int>(std::clamp<int64_t>(state->hooks.idle_ms(), 0, 60'000));
    int found = poll(ready, 2, wait);
    if (found <= 0 || ready[1].revents != 0) state->hooks.idle();
    if (found > 0 && ready[0].revents != 0) break;
  }
  // UTF-8, one character.
  unsigned char byte;
  if (::read(STDIN_FILENO, &byte, 1) != 1) return 0;
  int more = byte >= 0xf0 ? 3 : byte >= 0xe0 ? 2 : byte >= 0xc0 ? 1 : 0;
  uint32_t value = more == 0 ? byte : byte & (0x3fu >> more);
  for (; more > 0; --more) {
    if (::read(STDIN_FILENO, &byte, 1) != 1) return 0;
    value = value << 6 | (byte & 0x3f);
  }
  *out = static_cast<wchar_t>(value);
  return 1;
}

unsigned char complete(EditLine* edit, int) {
  auto* state = state_of(edit);
  const LineInfo* line = el_line(edit);
  std::string typed(line->buffer, line->cursor);
  auto found = state->hooks.complete(typed);
  if (found.empty()) return CC_REFRESH_BEEP;
  std::string common = found[0];
  for (const auto& word : found) {
    size_t same = 0;
    while (same < common.size() && same < word.size() && common[same] == word[same]) ++same;
    common.resize(same);
  }
  size_t blank = typed.find_last_of(" \t");
  size_t have = typed.size() - (blank == std::string::npos ? 0 : blank + 1);
  if (common.size() > have) {
    std::string rest = common.substr(have) + (found.size() == 1 ? " " : "");
    el_insertstr(edit, rest.c_str());
    return CC_REFRESH;
  }
  if (found.size() == 1) {
    el_insertstr(edit, " ");
    return CC_REFRESH;
  }
  std::putchar('\n');
  for (const auto& word : found) std::printf("%s  ", word.c_str());
  std::putchar('\n');
  std::fflush(stdout);
  return CC_REDISPLAY;
}

}  // namespace

LineEditor::LineEditor(Hooks hooks) : state_(new State) {
  state_->hooks = std::move(hooks);
  state_->edit = el_init("zookeeper-shell", stdin, stdout, stderr);
  state_->history = history_init();
  HistEvent event;
  history(state_->history, &event, H_SETSIZE, 500);
  el_set(state_->edit, EL_CLIENTDATA, state_);
  el_set(state_->edit, EL_PROMPT, show_prompt);
  el_set(state_->edit, EL_EDITOR, "emacs");
  el_set(state_->edit, EL_SIGNAL, 1);
  el_set(state_->edit, EL_HIST, ::history, state_->history);
  el_set(state_->edit, EL_GETCFN, read_character);
  el_set(state_->edit, EL_ADDFN, "odradek-complete", "complete commands and paths", complete);
  el_set(state_->edit, EL_BIND, "\t", "odradek-complete", nullptr);
  el_set(state_->edit, EL_BIND, "^R", "em-inc-search-prev", nullptr);
}

LineEditor::~LineEditor() {
  history_end(state_->history);
  el_end(state_->edit);
  delete state_;
}

std::optional<std::string> LineEditor::read(const std::string& prompt) {
  state_->prompt = prompt;
  int count = 0;
  const char* line = el_gets(state_->edit, &count);
  if (!line || count <= 0) return std::nullopt;
  std::string text(line, static_cast<size_t>(count));
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.pop_back();
  return text;
}

void LineEditor::remember(const std::string& line) {
  HistEvent event;
  history(state_->history, &event, H_ENTER, line.c_str());
}

}  // namespace odradek::coordinator::cli
