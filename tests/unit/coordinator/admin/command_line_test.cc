#include <gtest/gtest.h>

#include "coordinator/admin/commands.h"

namespace odradek::coordinator::admin {
namespace {

TEST(AdminCommandLine, IsRead) {
  auto check = parse_command_line({"check"});
  ASSERT_TRUE(check.ok());
  EXPECT_EQ(check->command, "check");
  EXPECT_EQ(check->server, "localhost:2181");
  EXPECT_EQ(check->data_dir, "");
  auto backup = parse_command_line({"--server", "localhost:2182", "backup", "/tmp/b"});
  ASSERT_TRUE(backup.ok());
  EXPECT_EQ(backup->server, "localhost:2182");
  EXPECT_EQ(backup->folder, "/tmp/b");
  auto restore = parse_command_line({"restore", "b", "--data-dir=/var/lib/zookeeper"});
  ASSERT_TRUE(restore.ok());
  EXPECT_EQ(restore->data_dir, "/var/lib/zookeeper");
  EXPECT_TRUE(parse_command_line({"--help"})->help);
  EXPECT_TRUE(parse_command_line({"export", "--help", "--nonsense"})->help);
}

TEST(AdminCommandLine, IsRefusedWithASentence) {
  struct Row {
    std::vector<std::string> words;
    const char* what;
  };
  for (const Row& row : {
           Row{{}, "name a command"},
           Row{{"destroy"}, "destroy is no command"},
           Row{{"export"}, "export wants one folder"},
           Row{{"backup", "a", "b"}, "backup wants one folder"},
           Row{{"check", "a"}, "check wants nothing behind it"},
           Row{{"check", "--server"}, "--server wants a value"},
           Row{{"check", "--server="}, "--server wants a value"},
           Row{{"check", "--force"}, "--force is no option"},
           Row{{"check", "--server", "a:1", "--data-dir", "b"}, "do not go together"},
       }) {
    auto line = parse_command_line(row.words);
    ASSERT_FALSE(line.ok()) << row.what;
    EXPECT_NE(line.error().what().find(row.what), std::string::npos) << line.error().what();
  }
}

}  // namespace
}  // namespace odradek::coordinator::admin
