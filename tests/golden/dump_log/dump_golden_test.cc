// kafka-dump-log against what the official tool of 3.5.2 prints for the same files (README.md).
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

#include "broker/dump/command.h"
#include "common/cli/text.h"
#include "common/fs/real_file_system.h"

namespace odradek::broker::dump {
namespace {

namespace stdfs = std::filesystem;

const stdfs::path kRoot = stdfs::path(TEST_DATA_DIR) / "golden";

// Of these the exception's own words come from zlib and the like, or name what Java's reader was at.
const std::set<std::string> kSentences = {"damaged-garb-gzip"};

class Strings : public Output {
 public:
  void out(std::string_view text) override { out_text += text; }
  void err(std::string_view text) override { err_text += text; }
  std::string out_text, err_text;
};

struct Expected {
  std::vector<std::string> arguments;
  int status = 0;
  std::string out, err;
};

Expected read_expected(const std::string& name) {
  std::ifstream in(kRoot / "dump_log" / "expected" / (name + ".txt"), std::ios::binary);
  Expected expected;
  std::string line;
  std::getline(in, line);
  expected.arguments = cli::split(line, ' ');
  std::getline(in, line);
  expected.status = std::stoi(line);
  std::stringstream rest;
  rest << in.rdbuf();
  std::string text = rest.str();
  size_t border = text.rfind("---\n");
  EXPECT_NE(border, std::string::npos) << name;
  expected.out = text.substr(0, border);
  expected.err = text.substr(border + 4);
  return expected;
}

std::string replace_all(std::string text, const std::string& what, const std::string& by) {
  for (size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + by.size()))
    text.replace(at, what.size(), by);
  return text;
}

std::vector<std::string> case_names() {
  std::vector<std::string> names;
  for (const auto& entry : stdfs::directory_iterator(kRoot / "dump_log" / "expected"))
    names.push_back(entry.path().stem().string());
  // the stem of "offsets-3.5.2.txt" is all in front of the last dot
  std::sort(names.begin(), names.end());
  return names;
}

class DumpGolden : public ::testing::TestWithParam<std::string> {
 protected:
  // The captures were made in this folder.
  void SetUp() override {
    before_ = stdfs::current_path();
    stdfs::current_path(kRoot);
  }
  void TearDown() override { stdfs::current_path(before_); }

  bool run_tool(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), "kafka-dump-log");
    std::vector<char*> argv;
    for (auto& argument : arguments) argv.push_back(argument.data());
    return run(static_cast<int>(argv.size()), argv.data(), files_, output_);
  }

  stdfs::path before_;
  fs::RealFileSystem files_;
  Strings output_;
};

TEST_P(DumpGolden, PrintsWhatTheOfficialToolPrints) {
  Expected expected = read_expected(GetParam());
  bool is_done = run_tool(expected.arguments);
  EXPECT_EQ(is_done ? 0 : 1, expected.status);
  EXPECT_EQ(output_.out_text, expected.out);
  std::string err = replace_all(output_.err_text, kRoot.string(), "DIR");
  if (kSentences.contains(GetParam())) {
    EXPECT_EQ(err.substr(0, err.find('\n')), expected.err.substr(0, expected.err.find('\n')));
  } else {
    EXPECT_EQ(err, expected.err);
  }
}

INSTANTIATE_TEST_SUITE_P(Captures, DumpGolden, ::testing::ValuesIn(case_names()),
                         [](const auto& info) {
                           std::string name = info.param;
                           for (char& c : name)
                             if (!std::isalnum(static_cast<unsigned char>(c))) c = '_';
                           return name;
                         });

using DumpCommand = DumpGolden;

TEST_F(DumpCommand, ReadsOnly) {
  // the official tool makes an offset index that is absent, and fails
  stdfs::path folder = stdfs::path(::testing::TempDir()) / ("dump-" + std::to_string(::getpid()));
  stdfs::create_directories(folder);
  for (const char* suffix : {".log", ".timeindex"}) {
    stdfs::copy_file(kRoot / "log/3.5.2/rec-none-0" / ("00000000000000000000" + std::string(suffix)),
                     folder / ("00000000000000000000" + std::string(suffix)));
  }
  EXPECT_FALSE(run_tool({"--files", (folder / "00000000000000000000.timeindex").string()}));
  EXPECT_EQ(output_.err_text,
            "Exception in thread \"main\" java.lang.IllegalArgumentException: Invalid max index "
            "size: -1\n");
  EXPECT_EQ(std::distance(stdfs::directory_iterator(folder), stdfs::directory_iterator()), 2);
  stdfs::remove_all(folder);
}

TEST_F(DumpCommand, RefusesWhatIsKRaftsAndJavas) {
  const std::string log = "log/3.5.2/idem-0/00000000000000000000.log";
  EXPECT_EXIT(run_tool({"--files", log, "--cluster-metadata-decoder"}),
              ::testing::ExitedWithCode(1), "metadata log of KRaft; there is no such log here");
  EXPECT_EXIT(run_tool({"--files", log, "--key-decoder-class", "com.example.Decoder"}),
              ::testing::ExitedWithCode(1),
              "--key-decoder-class names the Java class com.example.Decoder, which cannot");
  EXPECT_EXIT(run_tool({"--files", log, "--max-bytes", "abc"}), ::testing::ExitedWithCode(1),
              "Cannot parse argument 'abc' of option max-bytes");
  EXPECT_EXIT(run_tool({"--print-data-log"}), ::testing::ExitedWithCode(1),
              "Missing required argument \"\\[files\\]\"");
  EXPECT_FALSE(run_tool({"--files", "00000000000000000000-0000000000.checkpoint"}));
  EXPECT_THAT(output_.err_text, ::testing::HasSubstr("a snapshot of a KRaft metadata log"));
}

}  // namespace
}  // namespace odradek::broker::dump
