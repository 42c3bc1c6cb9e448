// kafka-dump-log: standard output and the operating system's files around run().

#include <cstdio>

#include "broker/dump/command.h"
#include "common/fs/real_file_system.h"

namespace odradek::broker::dump {
namespace {

class StandardOutput : public Output {
 public:
  void out(std::string_view text) override { put(text, stdout); }
  void err(std::string_view text) override {
    std::fflush(stdout);
    put(text, stderr);
  }

 private:
  static void put(std::string_view text, std::FILE* file) {
    std::fwrite(text.data(), 1, text.size(), file);
  }
};

}  // namespace
}  // namespace odradek::broker::dump

int main(int argc, char** argv) {
  odradek::fs::RealFileSystem files;
  odradek::broker::dump::StandardOutput output;
  bool is_done = odradek::broker::dump::run(argc, argv, files, output);
  if (std::fflush(stdout) != 0 || std::ferror(stdout)) {
    std::fputs("kafka-dump-log: standard output cannot be written\n", stderr);
    return 1;
  }
  return is_done ? 0 : 1;
}
