#include "coordinator/cli/shell.h"

#include <gtest/gtest.h>

namespace odradek::coordinator::cli {
namespace {

using Words = std::vector<std::string>;

TEST(Shell, SplitsLinesAsTyped) {
  EXPECT_EQ(split_command("  create /a  \"two words\" 'x y' "),
            (Words{"create", "/a", "two words", "x y"}));
  EXPECT_EQ(split_command("set /a it's"), (Words{"set", "/a", "it's"}));
  EXPECT_EQ(split_command("get \"/open"), (Words{"get", "\"/open"}));
  EXPECT_TRUE(split_command(" \t ").empty());
}

TEST(Shell, ParsesAcls) {
  auto acl = parse_acl("world:anyone:cdrwa,digest:u:h:rw");
  ASSERT_EQ(acl.size(), 2u);
  EXPECT_EQ(acl[0].perms, 31);
  EXPECT_EQ(acl[1].id.scheme, "digest");
  EXPECT_EQ(acl[1].id.id, "u:h");
  EXPECT_EQ(permission_letters(acl[1].perms), "rw");
  EXPECT_EQ(parse_acl("auth::cdrwa")[0].id.id, "");
  EXPECT_TRUE(parse_acl("nothing").empty());
}

TEST(Shell, RefusesPathsBeforeTheyAreSent) {
  EXPECT_EQ(path_problem("/a/b"), "");
  EXPECT_EQ(path_problem("/"), "");
  EXPECT_EQ(path_problem("noslash"), "Path must start with / character");
  EXPECT_EQ(path_problem("/a/"), "Path must not end with / character");
  EXPECT_NE(path_problem("/a//b"), "");
  EXPECT_NE(path_problem("/a/../b"), "");
  EXPECT_EQ(path_problem("/a/", true), "") << "the server puts a number behind";
}

TEST(Shell, EventsAndStats) {
  zookeeper::WatcherEvent event;
  event.type = 3;
  event.state = 3;
  event.path = "/x";
  EXPECT_EQ(event_text(event), "WatchedEvent state:SyncConnected type:NodeDataChanged path:/x");
  event.type = -1;
  event.state = 7;
  event.path.clear();
  EXPECT_EQ(event_text(event), "WatchedEvent state:Closed type:None path:null");
  Stat stat;
  stat.czxid = 0x1f;
  stat.num_children = 2;
  std::string text = stat_text(stat);
  EXPECT_TRUE(text.starts_with("cZxid = 0x1f\nctime = ")) << text;
  EXPECT_TRUE(text.ends_with("numChildren = 2\n")) << text;
}

TEST(Shell, CompletesCommands) {
  Shell shell({"127.0.0.1:1", 1000, false});
  EXPECT_EQ(shell.complete("ls"), Words{"ls"});
  EXPECT_EQ(shell.complete("get"),
            (Words{"get", "getAcl", "getAllChildrenNumber", "getEphemerals"}));
  EXPECT_TRUE(shell.complete("ls /x").empty()) << "not connected";
}

TEST(Shell, HistoryAndStatus) {
  Shell shell({"127.0.0.1:1", 1000, false});
  EXPECT_TRUE(shell.run_line("nonsense"));
  EXPECT_EQ(shell.status(), 127);
  EXPECT_TRUE(shell.run_line("ls noslash"));
  EXPECT_EQ(shell.status(), 1);
  EXPECT_TRUE(shell.run_line("   "));
  EXPECT_EQ(shell.count(), 2);
  EXPECT_TRUE(shell.run_line("redo 9"));
  EXPECT_EQ(shell.status(), 1);
  EXPECT_FALSE(shell.run_line("quit"));
}

TEST(ZkClient, ErrorNames) {
  EXPECT_EQ(keeper_error_name(-101), "NoNode");
  EXPECT_EQ(keeper_error_name(-111), "Directory not empty");
  EXPECT_EQ(keeper_error_name(-6), "Unimplemented");
}

}  // namespace
}  // namespace odradek::coordinator::cli
