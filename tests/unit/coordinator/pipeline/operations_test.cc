// What each operation does to the tree, and which error comes first.
#include "tests/unit/coordinator/pipeline/fixture.h"

namespace odradek::coordinator::pipeline {
namespace {

using tree::CheckOp;
using tree::CreateOp;
using tree::DeleteOp;
using tree::NodeKind;
using tree::SetAclOp;
using tree::SetDataOp;

using Operations = PipelineFixture;

TEST_F(Operations, NewTree) {
  auto root = pipeline->applied().get("/");
  ASSERT_TRUE(root);
  EXPECT_EQ(root->stat.cversion, -1);  // as a new ZooKeeper
  EXPECT_EQ(root->stat.num_children, 1);
  EXPECT_EQ(*pipeline->applied().children("/"), std::vector<std::string>{"zookeeper"});
  EXPECT_EQ(pipeline->applied().stat("/zookeeper")->cversion, -2);
  EXPECT_TRUE(exists("/zookeeper/quota"));
  EXPECT_EQ(pipeline->applied().stat("/zookeeper/config")->aversion, -1);
  EXPECT_TRUE(pipeline->applied().stat("").has_value());
  EXPECT_EQ(pipeline->last_zxid(), Zxid(0));
}

TEST_F(Operations, CreateErrorsInOrder) {
  SessionId session = new_session();
  ask(session, CreateOp("/a", "x"));
  ask(session, CreateOp("/e", "x", NodeKind::ephemeral));
  struct Row {
    const char* name;
    CreateOp op;
    Errc error;
  };
  auto with_acl = [](CreateOp op, tree::Acl acl) {
    op.acl = std::move(acl);
    return op;
  };
  const Row rows[] = {
      {"exists", CreateOp("/a"), Errc::node_exists},
      {"root", CreateOp("/"), Errc::node_exists},
      {"no parent", CreateOp("/no/x"), Errc::no_node},
      {"relative", CreateOp("a"), Errc::bad_path},
      {"empty", CreateOp(""), Errc::bad_path},
      {"zero byte", CreateOp(std::string("/a/\0", 4)), Errc::bad_path},
      {"double slash", CreateOp("/a//t"), Errc::no_node},
      {"slash behind a missing one", CreateOp("/b/"), Errc::no_node},
      {"slash behind one", CreateOp("/a/"), Errc::bad_path},
      {"dot", CreateOp("/a/."), Errc::bad_path},
      {"control character", CreateOp("/a/\x01"), Errc::bad_path},
      {"child of an ephemeral", CreateOp("/e/x"), Errc::no_children_for_ephemerals},
      {"empty acl", with_acl(CreateOp("/a/n"), {}), Errc::invalid_acl},
      {"acl before parent", with_acl(CreateOp("/no/n"), {}), Errc::invalid_acl},
      {"path before acl", with_acl(CreateOp("n"), {}), Errc::bad_path},
      {"ttl of zero", CreateOp("/a/t", "", NodeKind::ttl), Errc::invalid_argument},
  };
  for (const Row& row : rows) {
    WriteReply reply = ask(session, row.op);
    ASSERT_FALSE(reply.ok()) << row.name;
    EXPECT_EQ(error_of(reply), row.error) << row.name << ": " << reply.failure->error.what();
  }
}

TEST_F(Operations, StatsFollowTheTable) {
  SessionId session = new_session();
  WriteReply made = ask(session, CreateOp("/st", "abc"));
  Zxid czxid = made.zxid;
  auto stat = [&] { return *pipeline->applied().stat("/st"); };
  EXPECT_EQ(stat().czxid, czxid);
  EXPECT_EQ(stat().mzxid, czxid);
  EXPECT_EQ(stat().pzxid, czxid);
  EXPECT_EQ(stat().data_length, 3);
  EXPECT_EQ(stat().ctime_ms, clock.wall_ms());
  EXPECT_EQ(made.results[0].stat, stat());

  ask(session, CreateOp("/st/c"));
  EXPECT_EQ(stat().cversion, 1);
  EXPECT_EQ(stat().num_children, 1);
  EXPECT_EQ(stat().pzxid, czxid + 1);
  EXPECT_EQ(stat().mzxid, czxid);

  clock.advance_ms(10);
  WriteReply set = ask(session, SetDataOp("/st", "xy", 0));
  EXPECT_EQ(stat().mzxid, czxid + 2);
  EXPECT_EQ(stat().version, 1);
  EXPECT_EQ(stat().data_length, 2);
  EXPECT_EQ(stat().mtime_ms, stat().ctime_ms + 10);
  EXPECT_EQ(set.results[0].stat, stat());

  ask(session, DeleteOp("/st/c"));
  EXPECT_EQ(stat().cversion, 2);
  EXPECT_EQ(stat().num_children, 0);
  EXPECT_EQ(stat().pzxid, czxid + 3);

  WriteReply acl = ask(session, SetAclOp("/st", *tree::open_acl(), 0));
  EXPECT_EQ(stat().aversion, 1);
  EXPECT_EQ(stat().version, 1);
  EXPECT_EQ(acl.results[0].stat.aversion, 1);
}

TEST_F(Operations, SequenceNumbersCountCreatesOnly) {
  SessionId session = new_session();
  ask(session, CreateOp("/st"));
  ask(session, CreateOp("/st/c"));
  ask(session, DeleteOp("/st/c"));
  auto next = [&](NodeKind kind = NodeKind::persistent) {
    return ask(session, CreateOp("/st/q-", std::nullopt, kind, true)).results.at(0).path;
  };
  EXPECT_EQ(next(), "/st/q-0000000001");
  ask(session, CreateOp("/st/x"));
  ask(session, DeleteOp("/st/x"));
  EXPECT_EQ(next(NodeKind::ephemeral), "/st/q-0000000003");
  ask(session, DeleteOp("/st/q-0000000003"));
  EXPECT_EQ(next(), "/st/q-0000000004");
  EXPECT_EQ(
      ask(session, CreateOp("/st/", std::nullopt, NodeKind::persistent, true)).results.at(0).path,
      "/st/0000000005");
}

TEST_F(Operations, DataMayBeNullOrEmpty) {
  SessionId session = new_session();
  ask(session, CreateOp("/null"));
  ask(session, CreateOp("/empty", ""));
  EXPECT_FALSE(pipeline->applied().get("/null")->data);
  ASSERT_TRUE(pipeline->applied().get("/empty")->data);
  EXPECT_EQ(*pipeline->applied().get("/empty")->data, "");
}

TEST_F(Operations, DeleteAndSetDataErrors) {
  SessionId session = new_session();
  ask(session, CreateOp("/a"));
  ask(session, CreateOp("/a/b"));
  EXPECT_EQ(error_of(ask(session, DeleteOp("/a"))), Errc::not_empty);
  EXPECT_EQ(error_of(ask(session, DeleteOp("/a", 7))), Errc::bad_version);  // before not_empty
  EXPECT_EQ(error_of(ask(session, DeleteOp("/x"))), Errc::no_node);
  EXPECT_EQ(error_of(ask(session, DeleteOp("/x/y"))), Errc::no_node);
  EXPECT_EQ(error_of(ask(session, DeleteOp("/"))), Errc::bad_path);
  EXPECT_EQ(error_of(ask(session, DeleteOp("/zookeeper"))), Errc::bad_path);
  EXPECT_EQ(error_of(ask(session, DeleteOp("x"))), Errc::bad_path);
  EXPECT_EQ(error_of(ask(session, SetDataOp("/a", "", 3))), Errc::bad_version);
  EXPECT_EQ(error_of(ask(session, SetDataOp("/x", ""))), Errc::no_node);
  EXPECT_EQ(error_of(ask(session, SetDataOp("", ""))), Errc::bad_path);
  EXPECT_EQ(error_of(ask(session, SetAclOp("/a", *tree::open_acl(), 9))), Errc::bad_version);
  EXPECT_TRUE(ask(session, DeleteOp("/a/b", 0)).ok());
  EXPECT_TRUE(ask(session, DeleteOp("/a")).ok());
  EXPECT_FALSE(exists("/a"));
}

TEST_F(Operations, AclsAreAskedOfTheRightZnode) {
  SessionId session = new_session();
  tree::AuthInfo user = anybody();
  user.identities.emplace_back("digest", "u:x");
  CreateOp secret("/sec", "s");
  secret.acl = {tree::AclEntry(tree::kPermAll, tree::Identity("auth", ""))};
  ASSERT_TRUE(ask(session, secret, user).ok());
  EXPECT_EQ((*pipeline->applied().get("/sec")->acl)[0].who, tree::Identity("digest", "u:x"));
  EXPECT_EQ(error_of(ask(session, SetDataOp("/sec", ""))), Errc::no_auth);
  EXPECT_EQ(error_of(ask(session, SetAclOp("/sec", *tree::open_acl()))), Errc::no_auth);
  EXPECT_EQ(error_of(ask(session, CreateOp("/sec/c"))), Errc::no_auth);
  EXPECT_TRUE(ask(session, CreateOp("/sec/c"), user).ok());
  EXPECT_EQ(error_of(ask(session, DeleteOp("/sec/c"))), Errc::no_auth);
  EXPECT_EQ(error_of(ask(session, CheckOp("/sec", 0))), Errc::no_auth);
  EXPECT_TRUE(internal({SetDataOp("/sec", "by the service")}).ok());
  EXPECT_TRUE(ask(session, DeleteOp("/sec/c"), user).ok());
  // deleting is the parent's matter, and the root lets everybody
  EXPECT_TRUE(ask(session, DeleteOp("/sec")).ok());
}

TEST_F(Operations, MultiIsAllOrNothing) {
  SessionId session = new_session();
  ask(session, CreateOp("/m", "0"));
  WriteReply good =
      multi(session, {CreateOp("/m/a"), CreateOp("/m/a/b"), SetDataOp("/m/a", "1", 0),
                      CheckOp("/m", 0), DeleteOp("/m/a/b"), SetDataOp("/m/a", "2", 1)});
  ASSERT_TRUE(good.ok());
  ASSERT_EQ(good.results.size(), 6u);
  auto node = pipeline->applied().get("/m/a");
  EXPECT_EQ(*node->data, "2");
  EXPECT_EQ(node->stat.version, 2);
  EXPECT_EQ(node->stat.czxid, good.zxid);
  EXPECT_EQ(node->stat.cversion, 2);  // one create, one delete
  EXPECT_FALSE(exists("/m/a/b"));

  WriteReply bad = multi(session, {CreateOp("/m/x"), DeleteOp("/m/none"), CreateOp("/m/y")});
  ASSERT_FALSE(bad.ok());
  EXPECT_EQ(bad.failure->index, 1u);
  EXPECT_EQ(error_of(bad), Errc::no_node);
  EXPECT_FALSE(exists("/m/x"));
  EXPECT_EQ(bad.zxid, good.zxid + 1);
  EXPECT_EQ(pipeline->last_zxid(), bad.zxid);
  EXPECT_TRUE(multi(session, {}).ok());
}

TEST_F(Operations, InternalOperationsAreNotForClients) {
  SessionId session = new_session();
  ask(session, CreateOp("/t"));
  EXPECT_EQ(error_of(ask(session, tree::DeleteTreeOp("/t"))), Errc::unimplemented);
  EXPECT_EQ(error_of(ask(session, tree::CloseSessionOp(session))), Errc::unimplemented);
}

TEST_F(Operations, DeleteTreeTakesEverythingBelow) {
  SessionId session = new_session();
  for (const char* path : {"/t", "/t/a", "/t/a/b", "/t/a/c", "/tt"}) ask(session, CreateOp(path));
  ask(session, CreateOp("/t/e", "", NodeKind::ephemeral));
  int64_t before = pipeline->applied_store().totals()->nodes;
  // a child that is still on the way goes too
  std::vector<tree::Operation> late{CreateOp("/t/late")};
  pipeline->write(Write(session, anybody(), late, false), [](WriteReply) {});
  ASSERT_TRUE(internal({tree::DeleteTreeOp("/t")}).ok());
  EXPECT_FALSE(exists("/t"));
  EXPECT_FALSE(exists("/t/a/b"));
  EXPECT_FALSE(exists("/t/late"));
  EXPECT_TRUE(exists("/tt"));
  EXPECT_EQ(pipeline->applied_store().totals()->nodes, before - 5);
  EXPECT_EQ(pipeline->applied_store().totals()->ephemerals, 0);
  EXPECT_EQ(error_of(internal({tree::DeleteTreeOp("/t")})), Errc::no_node);
}

TEST_F(Operations, CheckAbsentAndIncarnation) {
  SessionId session = new_session();
  Zxid czxid = ask(session, CreateOp("/b")).zxid;
  EXPECT_EQ(error_of(internal({tree::CheckAbsentOp("/b")})), Errc::node_exists);
  EXPECT_TRUE(internal({tree::CheckAbsentOp("/c")}).ok());
  EXPECT_TRUE(internal({CheckOp("/b", 0, czxid)}).ok());
  EXPECT_EQ(error_of(internal({CheckOp("/b", 0, czxid + 1)})), Errc::bad_version);
}

TEST_F(Operations, ContainersAndTtlGoWithTheSweep) {
  SessionId session = new_session(40000);
  CreateOp ttl("/ttl", "", NodeKind::ttl);
  ttl.ttl_ms = 30'000;
  ask(session, ttl);
  ask(session, CreateOp("/box", "", NodeKind::container));
  ask(session, CreateOp("/never", "", NodeKind::container));
  ask(session, CreateOp("/box/in"));
  ask(session, DeleteOp("/box/in"));
  EXPECT_EQ(pipeline->applied().stat("/box")->ephemeral_owner, SessionId(0));
  for (int i = 0; i < 31; ++i) {
    clock.advance_ms(2000);
    pipeline->touch(session);
    pipeline->tick();
    committer.run();
  }
  EXPECT_FALSE(exists("/ttl"));
  EXPECT_FALSE(exists("/box"));
  EXPECT_TRUE(exists("/never"));  // it never had a child
}

}  // namespace
}  // namespace odradek::coordinator::pipeline
