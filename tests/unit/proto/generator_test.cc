// The generator refuses wrong definitions, with file and field.
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>

namespace odradek {
namespace {

struct Outcome {
  int status = -1;
  std::string output;
};

Outcome run_generator(const std::string& kind, const std::string& name, const std::string& text) {
  std::filesystem::path folder =
      std::filesystem::path(testing::TempDir()) / ("generator_" + std::to_string(getpid()));
  std::filesystem::create_directories(folder);
  std::ofstream(folder / name) << text;
  std::string keys = std::string(TEST_DATA_DIR) + "/../proto/kafka/api_keys.json";
  std::string command = "python3 " TEST_DATA_DIR "/../proto/gen/generate.py " + kind + " " +
                        (folder / "out").string() + " " + (folder / name).string() +
                        (kind == "kafka" ? " " + keys : "") + " 2>&1";
  Outcome run;
  FILE* pipe = popen(command.c_str(), "r");
  char buffer[512];
  while (fgets(buffer, sizeof buffer, pipe) != nullptr) run.output += buffer;
  run.status = WEXITSTATUS(pclose(pipe));
  std::filesystem::remove_all(folder);
  return run;
}

std::string definition(const std::string& fields) {
  return R"({"about": "x", "messages": [{"name": "Thing", "versions": "0-3", "flexible": "2+", "fields": [)" +
         fields + "]}]}";
}

struct Case {
  const char* name;
  std::string fields;
  std::string complaint;
};

class BadDefinition : public testing::TestWithParam<Case> {};

TEST_P(BadDefinition, IsNamed) {
  Outcome run = run_generator("kafka", "thing.json", definition(GetParam().fields));
  EXPECT_EQ(run.status, 1);
  EXPECT_NE(run.output.find("thing.json: " + GetParam().complaint), std::string::npos)
      << run.output;
}

INSTANTIATE_TEST_SUITE_P(
    Rows, BadDefinition,
    testing::Values(
        Case{"type", R"({"name": "A", "type": "int33", "versions": "0+"})",
             "Thing.A: unknown type \"int33\""},
        Case{"struct", R"({"name": "A", "type": "[]Other", "versions": "0+"})",
             "Thing.A: unknown type \"Other\""},
        Case{"key", R"({"name": "A", "type": "int8", "versions": "0+", "nulable": "0+"})",
             "Thing.A: unknown key"},
        Case{"versions", R"({"name": "A", "type": "int8", "versions": "x"})",
             "Thing.A: \"x\" is no version range"},
        Case{"never", R"({"name": "A", "type": "int8", "versions": "7+"})",
             "Thing.A: it is in no version"},
        Case{
            "twice",
            R"({"name": "AB", "type": "int8", "versions": "0"}, {"name": "AB", "type": "int8", "versions": "1+"})",
            "Thing.AB: a second field"},
        Case{"tags",
             R"({"name": "A", "type": "int8", "versions": "2+", "tag": 0, "tagged": "2+"},
                {"name": "B", "type": "int8", "versions": "3+", "tag": 0, "tagged": "3+"})",
             "Thing.B: tag 0 is taken by A"},
        Case{"tag_not_flexible",
             R"({"name": "A", "type": "int8", "versions": "1+", "tag": 0, "tagged": "1+"})",
             "Thing.A: it is tagged in a version that is not flexible"},
        Case{"tag_alone", R"({"name": "A", "type": "int8", "versions": "2+", "tag": 0})",
             "Thing.A: \"tag\" and \"tagged\""},
        Case{"default", R"({"name": "A", "type": "int8", "versions": "0+", "default": 300})",
             "Thing.A: the default 300"},
        Case{"null_default",
             R"({"name": "A", "type": "string", "versions": "0+", "default": null})",
             "Thing.A: the default null"},
        Case{"null_number", R"({"name": "A", "type": "int8", "versions": "0+", "nullable": "0+"})",
             "Thing.A: a int8 cannot"},
        Case{"name", R"({"name": "a_b", "type": "int8", "versions": "0+"})",
             "Thing.a_b: a field name"}),
    [](const auto& info) { return info.param.name; });

TEST(Generator, TakesAGoodDefinition) {
  Outcome run = run_generator("kafka", "thing.json",
                              definition(R"({"name": "A", "type": "[]int8", "versions": "0+"})"));
  EXPECT_EQ(run.status, 0) << run.output;
}

TEST(Generator, NamesTheLineOfAJsonError) {
  Outcome run = run_generator("kafka", "thing.json", "{\n\"about\": }");
  EXPECT_NE(run.output.find("thing.json: line 2"), std::string::npos) << run.output;
}

TEST(Generator, ChecksJute) {
  EXPECT_NE(run_generator("zookeeper", "data.jute", "record A {\n  integer x\n}\n")
                .output.find("line 2: A.x: unknown type"),
            std::string::npos);
  EXPECT_NE(run_generator("zookeeper", "data.jute", "record A {\n  int x optional\n  int y\n}\n")
                .output.find("line 4: only the last"),
            std::string::npos);
  EXPECT_NE(run_generator("zookeeper", "data.jute", "record A {\n").output.find("no closing brace"),
            std::string::npos);
}

TEST(Generator, ChecksSettings) {
  std::string row = "a.b\tINT\t0\t1..\tread-only\thigh\tyes\n";
  EXPECT_NE(run_generator("settings", "broker_settings.tsv", row)
                .output.find("a.b: the default is below the range"),
            std::string::npos);
  row = "a.b\tNUMBER\t0\t-\tread-only\thigh\tyes\n";
  EXPECT_NE(
      run_generator("settings", "broker_settings.tsv", row).output.find("a.b: type \"NUMBER\""),
      std::string::npos);
}

}  // namespace
}  // namespace odradek
