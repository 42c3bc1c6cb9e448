// The group protocol: joining, generations, syncing, leaving, who is fenced, what time does.

#include <gtest/gtest.h>

#include <algorithm>

#include "tests/unit/broker/group/group_harness.h"

namespace odradek::broker::group {
namespace {

using Join = JoinResponse;
using Sync = SyncResponse;

// A group "g" whose members have joined and synced, each with assignment "a-" + its id. The first
// joiner leads.
struct Ready {
  std::vector<std::string> members;
  int32_t generation = 0;
};

Ready make_stable(GroupHarness& h, size_t count,
                  std::optional<std::string> instance_prefix = std::nullopt) {
  Ready ready;
  std::vector<RequestToken> joins;
  for (size_t i = 0; i < count; ++i) {
    JoinRequest request = join_request("g");
    if (instance_prefix) request.instance_id = *instance_prefix + std::to_string(i);
    RequestToken token = h.join(request);
    if (auto joined = h.reply<Join>(token)) {
      ready.members.push_back(joined->member_id);
    } else {
      // the others join again for its sake
      std::vector<RequestToken> again;
      for (size_t k = 0; k < ready.members.size(); ++k) {
        JoinRequest known = join_request("g", ready.members[k]);
        if (instance_prefix) known.instance_id = *instance_prefix + std::to_string(k);
        again.push_back(h.join(known));
      }
      auto newest = h.reply<Join>(token);
      EXPECT_TRUE(newest);
      ready.members.push_back(newest->member_id);
    }
  }
  ready.generation = h.group("g")->generation();
  std::map<std::string, Bytes> assignments;
  for (const auto& id : ready.members) assignments[id] = "a-" + id;
  std::vector<RequestToken> syncs;
  for (const auto& id : ready.members) {
    syncs.push_back(h.sync(
        sync_request("g", id, ready.generation,
                     id == ready.members[0] ? assignments : std::map<std::string, Bytes>())));
  }
  for (size_t i = 0; i < syncs.size(); ++i) {
    auto synced = h.reply<Sync>(syncs[i]);
    EXPECT_TRUE(synced);
    EXPECT_FALSE(synced->error);
    EXPECT_EQ(synced->assignment, "a-" + ready.members[i]);
  }
  EXPECT_EQ(h.state("g"), "Stable");
  return ready;
}

HeartbeatRequest beat(const std::string& member, int32_t generation,
                      std::optional<std::string> instance = std::nullopt) {
  HeartbeatRequest request;
  request.group_id = "g";
  request.member_id = member;
  request.generation = generation;
  request.instance_id = std::move(instance);
  return request;
}

LeaveRequest leaving(const std::string& member,
                     std::optional<std::string> instance = std::nullopt) {
  LeaveRequest request;
  request.group_id = "g";
  request.members.push_back({member, std::move(instance), ""});
  return request;
}

TEST(Group, OneMemberJoinsSyncsAndIsStored) {
  GroupHarness h;
  auto joined = h.reply<Join>(h.join(join_request("g")));
  ASSERT_TRUE(joined);
  EXPECT_FALSE(joined->error);
  EXPECT_EQ(joined->generation, 1);
  EXPECT_EQ(joined->member_id, "client-id1");
  EXPECT_EQ(joined->leader, joined->member_id);
  EXPECT_EQ(joined->protocol_type, "consumer");
  EXPECT_EQ(joined->protocol_name, "range");
  ASSERT_EQ(joined->members.size(), 1u);
  EXPECT_EQ(joined->members[0].metadata, subscription({"t1"}));
  EXPECT_TRUE(h.log().empty());  // nothing is stored before there is an assignment
  auto synced =
      h.reply<Sync>(h.sync(sync_request("g", joined->member_id, 1, {{joined->member_id, "mine"}})));
  ASSERT_TRUE(synced);
  EXPECT_EQ(synced->assignment, "mine");
  EXPECT_EQ(synced->protocol_name, "range");
  auto stored = h.stored_group("g");
  ASSERT_TRUE(stored);
  EXPECT_EQ(stored->generation, 1);
  EXPECT_EQ(stored->leader, joined->member_id);
  ASSERT_EQ(stored->members.size(), 1u);
  EXPECT_EQ(stored->members[0].assignment, "mine");
  EXPECT_EQ(stored->members[0].client_host, "/127.0.0.1");
}

TEST(Group, MemberIdIsGivenFirst) {
  GroupHarness h;
  JoinRequest request = join_request("g");
  request.require_known_member_id = true;
  auto first = h.reply<Join>(h.join(request));
  ASSERT_TRUE(first);
  EXPECT_EQ(first->error, Errc::member_id_required);
  EXPECT_FALSE(first->member_id.empty());
  EXPECT_EQ(h.state("g"), "Empty");
  request.member_id = first->member_id;
  auto second = h.reply<Join>(h.join(request));
  ASSERT_TRUE(second);
  EXPECT_FALSE(second->error);
  EXPECT_EQ(second->member_id, first->member_id);
}

TEST(Group, AnIdThatIsNeverUsedHoldsUpNobodyForLong) {
  GroupHarness h;
  Ready ready = make_stable(h, 1);
  JoinRequest request = join_request("g");
  request.require_known_member_id = true;
  auto pending = h.reply<Join>(h.join(request));
  ASSERT_EQ(pending->error, Errc::member_id_required);
  EXPECT_EQ(h.state("g"), "Stable");  // that alone is no reason to rebalance
  RequestToken again = h.join(join_request("g", ready.members[0]));
  EXPECT_FALSE(h.reply<Join>(again));  // it waits for the one that has the id
  h.advance_ms(10'000);
  auto joined = h.reply<Join>(again);
  ASSERT_TRUE(joined);
  EXPECT_EQ(joined->generation, 2);
}

TEST(Group, TwoMembersShareAGeneration) {
  GroupHarness h;
  Ready ready = make_stable(h, 2);
  EXPECT_EQ(ready.generation, 2);
  auto described = h.set().describe("g");
  EXPECT_EQ(described.protocol, "range");
  ASSERT_EQ(described.members.size(), 2u);
  EXPECT_EQ(described.members[0].assignment, "a-" + described.members[0].member_id);
}

TEST(Group, FollowerWaitsForTheLeadersAssignment) {
  GroupHarness h;
  RequestToken a = h.join(join_request("g"));
  std::string leader = h.reply<Join>(a)->member_id;
  RequestToken b = h.join(join_request("g"));
  EXPECT_EQ(h.heartbeat(beat(leader, 1)), Errc::rebalance_in_progress);
  RequestToken again = h.join(join_request("g", leader));
  std::string follower = h.reply<Join>(b)->member_id;
  EXPECT_TRUE(h.reply<Join>(b)->members.empty());
  EXPECT_EQ(h.reply<Join>(again)->members.size(), 2u);
  EXPECT_EQ(h.reply<Join>(again)->leader, leader);
  RequestToken waiting = h.sync(sync_request("g", follower, 2));
  EXPECT_FALSE(h.reply<Sync>(waiting));
  EXPECT_EQ(h.heartbeat(beat(follower, 2)), std::nullopt);
  h.sync(sync_request("g", leader, 2, {{leader, "x"}, {follower, "y"}}));
  EXPECT_EQ(h.reply<Sync>(waiting)->assignment, "y");
}

TEST(Group, WhomTheLeaderLeavesOutGetsNothing) {
  GroupHarness h;
  Ready ready = make_stable(h, 2);
  h.join(join_request("g", ready.members[0]));
  h.join(join_request("g", ready.members[1]));
  h.sync(sync_request("g", ready.members[0], 3, {{ready.members[0], "all"}}));
  auto synced = h.reply<Sync>(h.sync(sync_request("g", ready.members[1], 3)));
  ASSERT_TRUE(synced);
  EXPECT_FALSE(synced->error);
  EXPECT_EQ(synced->assignment, "");
}

struct Refusal {
  const char* name;
  void (*change)(JoinRequest&);
  Errc error;
};

class JoinRefused : public testing::TestWithParam<Refusal> {};
TEST_P(JoinRefused, WithKafkasError) {
  GroupHarness h;
  make_stable(h, 1);
  JoinRequest request = join_request("g");
  GetParam().change(request);
  auto refused = h.reply<Join>(h.join(request));
  ASSERT_TRUE(refused);
  EXPECT_EQ(refused->error, GetParam().error);
  EXPECT_EQ(h.state("g"), "Stable");
}
INSTANTIATE_TEST_SUITE_P(
    Group, JoinRefused,
    testing::Values(
        Refusal{"no_group_id", [](JoinRequest& r) { r.group_id = ""; }, Errc::invalid_group_id},
        Refusal{"short_session", [](JoinRequest& r) { r.session_timeout_ms = 5'999; },
                Errc::invalid_session_timeout},
        Refusal{"long_session", [](JoinRequest& r) { r.session_timeout_ms = 1'800'001; },
                Errc::invalid_session_timeout},
        Refusal{"unknown_member", [](JoinRequest& r) { r.member_id = "nobody"; },
                Errc::unknown_member_id},
        Refusal{"unknown_group",
                [](JoinRequest& r) {
                  r.group_id = "other";
                  r.member_id = "nobody";
                },
                Errc::unknown_member_id},
        Refusal{"other_type", [](JoinRequest& r) { r.protocol_type = "connect"; },
                Errc::inconsistent_group_protocol},
        Refusal{"no_common_protocol",
                [](JoinRequest& r) {
                  r.protocols = {{"mine", "x"}};
                },
                Errc::inconsistent_group_protocol},
        Refusal{"no_protocols", [](JoinRequest& r) { r.protocols.clear(); },
                Errc::inconsistent_group_protocol},
        Refusal{"unknown_instance",
                [](JoinRequest& r) {
                  r.member_id = "nobody";
                  r.instance_id = "i";
                },
                Errc::unknown_member_id}),
    [](const auto& info) { return std::string(info.param.name); });

TEST(Group, EmptyTypeIsRefusedInANewGroup) {
  GroupHarness h;
  JoinRequest request = join_request("g");
  request.protocol_type = "";
  EXPECT_EQ(h.reply<Join>(h.join(request))->error, Errc::inconsistent_group_protocol);
  EXPECT_EQ(h.set().group_count(), 0u);
}

TEST(Group, MostVotesChooseTheProtocol) {
  GroupHarness h;
  RequestToken a = h.join(join_request("g", "", {"range", "sticky"}));
  std::string first = h.reply<Join>(a)->member_id;
  RequestToken b = h.join(join_request("g", "", {"sticky", "range"}));
  RequestToken c = h.join(join_request("g", "", {"other", "sticky", "range"}));
  h.join(join_request("g", first, {"range", "sticky"}));
  ASSERT_TRUE(h.reply<Join>(b));
  EXPECT_EQ(h.reply<Join>(b)->protocol_name, "sticky");
  EXPECT_EQ(h.reply<Join>(c)->protocol_name, "sticky");
}

TEST(Group, InitialDelayWaitsForCompany) {
  GroupHarness h{GroupSettings()};  // 3 s
  RequestToken a = h.join(join_request("g"));
  h.advance_ms(2'000);
  RequestToken b = h.join(join_request("g"));
  h.advance_ms(1'500);
  EXPECT_FALSE(h.reply<Join>(a));  // b's coming made it longer
  h.advance_ms(2'500);
  ASSERT_TRUE(h.reply<Join>(a));
  ASSERT_TRUE(h.reply<Join>(b));
  EXPECT_EQ(h.reply<Join>(a)->generation, 1);
  EXPECT_EQ(h.reply<Join>(b)->generation, 1);
}

TEST(Group, InitialDelayEndsWithTheRebalanceTimeout) {
  GroupHarness h{GroupSettings()};
  JoinRequest request = join_request("g");
  request.rebalance_timeout_ms = 7'000;
  RequestToken first = h.join(request);
  for (int i = 0; i < 10; ++i) {
    h.advance_ms(1'000);
    h.join(request);
    if (h.reply<Join>(first)) break;
  }
  EXPECT_EQ(h.now().monotonic_ms, 7'000);
}

TEST(Group, WhoDoesNotJoinAgainIsRemoved) {
  GroupHarness h;
  Ready ready = make_stable(h, 2);
  RequestToken again = h.join(join_request("g", ready.members[0]));
  for (int i = 0; i < 12; ++i) {
    h.heartbeat(beat(ready.members[1], 2));
    EXPECT_FALSE(h.reply<Join>(again));
    h.advance_ms(5'000);
  }
  auto joined = h.reply<Join>(again);
  ASSERT_TRUE(joined);
  EXPECT_EQ(joined->generation, 3);
  EXPECT_EQ(joined->members.size(), 1u);
  EXPECT_EQ(h.heartbeat(beat(ready.members[1], 2)), Errc::unknown_member_id);
}

TEST(Group, SilentMemberIsRemovedAfterItsSession) {
  GroupHarness h;
  Ready ready = make_stable(h, 2);
  h.advance_ms(9'000);
  EXPECT_EQ(h.heartbeat(beat(ready.members[0], 2)), std::nullopt);
  h.advance_ms(1'000);
  EXPECT_EQ(h.state("g"), "PreparingRebalance");
  EXPECT_EQ(h.heartbeat(beat(ready.members[0], 2)), Errc::rebalance_in_progress);
  auto joined = h.reply<Join>(h.join(join_request("g", ready.members[0])));
  ASSERT_TRUE(joined);
  EXPECT_EQ(joined->generation, 3);
}

TEST(Group, LastSessionEndsInAStoredEmptyGroup) {
  GroupHarness h;
  make_stable(h, 1);
  h.advance_ms(10'000);
  EXPECT_EQ(h.state("g"), "Empty");
  auto stored = h.stored_group("g");
  EXPECT_EQ(stored->generation, 2);
  EXPECT_TRUE(stored->members.empty());
  EXPECT_FALSE(stored->protocol);
  EXPECT_FALSE(stored->leader);
  EXPECT_EQ(stored->protocol_type, "consumer");
}

TEST(Group, ZombieGenerationsAreTold) {
  GroupHarness h;
  Ready ready = make_stable(h, 1);
  struct Row {
    const char* name;
    std::string member;
    int32_t generation;
    std::optional<Errc> error;
  };
  for (const Row& row : std::vector<Row>{{"alive", ready.members[0], 1, std::nullopt},
                                         {"older", ready.members[0], 0, Errc::illegal_generation},
                                         {"newer", ready.members[0], 2, Errc::illegal_generation},
                                         {"stranger", "x", 1, Errc::unknown_member_id}}) {
    EXPECT_EQ(h.heartbeat(beat(row.member, row.generation)), row.error) << row.name;
    auto synced = h.reply<Sync>(h.sync(sync_request("g", row.member, row.generation)));
    EXPECT_EQ(synced->error, row.error) << row.name;
    auto committed = h.reply<CommitResponse>(
        h.commit(commit_request("g", row.member, row.generation, "t1", 0, 5)));
    EXPECT_EQ(committed->offsets[0], row.error) << row.name;
  }
}

TEST(Group, SyncChecksProtocolTypeAndName) {
  GroupHarness h;
  Ready ready = make_stable(h, 1);
  SyncRequest request = sync_request("g", ready.members[0], 1);
  request.protocol_type = "consumer";
  request.protocol_name = "sticky";
  EXPECT_EQ(h.reply<Sync>(h.sync(request))->error, Errc::inconsistent_group_protocol);
  request.protocol_name = "range";
  EXPECT_EQ(h.reply<Sync>(h.sync(request))->error, std::nullopt);
  request.protocol_type = "connect";
  EXPECT_EQ(h.reply<Sync>(h.sync(request))->error, Errc::inconsistent_group_protocol);
}

TEST(Group, LeaderIsLostDuringSync) {
  GroupHarness h;
  Ready ready = make_stable(h, 2);
  h.join(join_request("g", ready.members[0]));
  h.join(join_request("g", ready.members[1]));
  RequestToken waiting = h.sync(sync_request("g", ready.members[1], 3));
  h.advance_ms(10'000);  // the leader is silent, the follower waits and is alive
  auto synced = h.reply<Sync>(waiting);
  ASSERT_TRUE(synced);
  EXPECT_EQ(synced->error, Errc::rebalance_in_progress);
  auto joined = h.reply<Join>(h.join(join_request("g", ready.members[1])));
  ASSERT_TRUE(joined);
  EXPECT_EQ(joined->leader, ready.members[1]);
  EXPECT_EQ(joined->generation, 4);
}

TEST(Group, WhoNeverSyncsIsRemovedAfterTheRebalanceTimeout) {
  GroupHarness h;
  Ready ready = make_stable(h, 2);
  h.join(join_request("g", ready.members[0]));
  h.join(join_request("g", ready.members[1]));
  h.sync(sync_request("g", ready.members[0], 3, {{ready.members[0], "x"}}));
  for (int i = 0; i < 12; ++i) {
    EXPECT_EQ(h.heartbeat(beat(ready.members[0], 3)), std::nullopt);
    EXPECT_EQ(h.heartbeat(beat(ready.members[1], 3)), std::nullopt);
    h.advance_ms(5'000);
  }
  EXPECT_EQ(h.heartbeat(beat(ready.members[1], 3)), Errc::unknown_member_id);
  EXPECT_EQ(h.heartbeat(beat(ready.members[0], 3)), Errc::rebalance_in_progress);
}

TEST(Group, LeavingRebalancesTheOthers) {
  GroupHarness h;
  Ready ready = make_stable(h, 3);
  auto left = h.leave(leaving(ready.members[0]));
  ASSERT_EQ(left.members.size(), 1u);
  EXPECT_EQ(left.members[0], std::nullopt);
  EXPECT_EQ(h.heartbeat(beat(ready.members[1], 3)), Errc::rebalance_in_progress);
  EXPECT_EQ(h.leave(leaving(ready.members[0])).members[0], Errc::unknown_member_id);
  RequestToken b = h.join(join_request("g", ready.members[1]));
  RequestToken c = h.join(join_request("g", ready.members[2]));
  ASSERT_TRUE(h.reply<Join>(b));
  EXPECT_EQ(h.reply<Join>(b)->leader, h.reply<Join>(c)->leader);
}

TEST(Group, SeveralLeaveAtOnce) {
  GroupHarness h;
  Ready ready = make_stable(h, 3);
  LeaveRequest request = leaving(ready.members[0]);
  request.members.push_back({"nobody", std::nullopt, ""});
  request.members.push_back({ready.members[2], std::nullopt, ""});
  auto left = h.leave(request);
  EXPECT_EQ(left.members, (std::vector<std::optional<Errc>>{std::nullopt, Errc::unknown_member_id,
                                                            std::nullopt}));
  EXPECT_EQ(h.group("g")->member_count(), 1u);
}

TEST(Group, LeavingOfAPendingIdAndOfAnUnknownGroup) {
  GroupHarness h;
  JoinRequest request = join_request("g");
  request.require_known_member_id = true;
  std::string pending = h.reply<Join>(h.join(request))->member_id;
  EXPECT_EQ(h.leave(leaving(pending)).members[0], std::nullopt);
  EXPECT_EQ(h.set().group_count(), 0u);
  EXPECT_EQ(h.leave(leaving(pending)).members[0], Errc::unknown_member_id);
}

TEST(Group, FollowerThatJoinsAgainUnchangedIsLeftInPeace) {
  GroupHarness h;
  Ready ready = make_stable(h, 2);
  auto same = h.reply<Join>(h.join(join_request("g", ready.members[1])));
  ASSERT_TRUE(same);
  EXPECT_EQ(same->generation, 2);
  EXPECT_EQ(h.state("g"), "Stable");
  JoinRequest changed = join_request("g", ready.members[1]);
  changed.protocols[0].metadata = subscription({"t2"});
  EXPECT_FALSE(h.reply<Join>(h.join(changed)));
  EXPECT_EQ(h.state("g"), "PreparingRebalance");
}

TEST(Group, JoinIsRepeatedWhenItsReplyGotLost) {
  GroupHarness h;
  std::string member = h.reply<Join>(h.join(join_request("g")))->member_id;
  auto again = h.reply<Join>(h.join(join_request("g", member)));
  ASSERT_TRUE(again);
  EXPECT_EQ(again->generation, 1);
  EXPECT_EQ(again->members.size(), 1u);
}

TEST(Group, FullGroup) {
  GroupSettings settings = GroupHarness::fast();
  settings.max_size = 2;
  GroupHarness h(settings);
  Ready ready = make_stable(h, 2);
  EXPECT_EQ(h.reply<Join>(h.join(join_request("g")))->error, Errc::group_max_size_reached);
  EXPECT_EQ(h.heartbeat(beat(ready.members[0], 2)), std::nullopt);
}

TEST(Group, BytesOfMembersAreBounded) {
  GroupSettings settings = GroupHarness::fast();
  settings.max_member_bytes = 10'000;
  GroupHarness h(settings);
  make_stable(h, 1);
  JoinRequest request = join_request("g2");
  request.protocols[0].metadata.assign(10'000, 'x');
  EXPECT_EQ(h.reply<Join>(h.join(request))->error, Errc::coordinator_not_available);
}

TEST(Group, ConnectionGoesWhileItJoins) {
  GroupHarness h;
  Ready ready = make_stable(h, 1);
  RequestToken newcomer = h.join(join_request("g"));
  h.forget("g", newcomer);
  RequestToken again = h.join(join_request("g", ready.members[0]));
  EXPECT_FALSE(h.reply<Join>(again));
  h.advance_ms(10'000);  // its session, not the whole rebalance
  ASSERT_TRUE(h.reply<Join>(again));
  EXPECT_EQ(h.reply<Join>(again)->members.size(), 1u);
}

TEST(Group, AssignmentThatCannotBeStoredIsNoAssignment) {
  GroupHarness h;
  std::string member = h.reply<Join>(h.join(join_request("g")))->member_id;
  h.fail_writes(Errc::not_coordinator);
  auto synced = h.reply<Sync>(h.sync(sync_request("g", member, 1, {{member, "x"}})));
  ASSERT_TRUE(synced);
  EXPECT_EQ(synced->error, Errc::not_coordinator);
  EXPECT_EQ(h.state("g"), "PreparingRebalance");
  h.fail_writes(std::nullopt);
  auto joined = h.reply<Join>(h.join(join_request("g", member)));
  ASSERT_TRUE(joined);
  EXPECT_EQ(joined->generation, 2);
}

TEST(Group, NobodyIsAnsweredBeforeTheAssignmentIsStored) {
  GroupHarness h;
  std::string member = h.reply<Join>(h.join(join_request("g")))->member_id;
  h.hold_writes(true);
  RequestToken sync = h.sync(sync_request("g", member, 1, {{member, "x"}}));
  EXPECT_FALSE(h.reply<Sync>(sync));
  EXPECT_EQ(h.state("g"), "CompletingRebalance");
  h.hold_writes(false);
  ASSERT_TRUE(h.reply<Sync>(sync));
  EXPECT_EQ(h.reply<Sync>(sync)->assignment, "x");
}

TEST(Group, RebalanceOvertakesTheStoringOfAnAssignment) {
  GroupHarness h;
  std::string member = h.reply<Join>(h.join(join_request("g")))->member_id;
  h.hold_writes(true);
  RequestToken sync = h.sync(sync_request("g", member, 1, {{member, "x"}}));
  RequestToken other = h.join(join_request("g"));
  EXPECT_EQ(h.reply<Sync>(sync)->error, Errc::rebalance_in_progress);
  h.hold_writes(false);
  EXPECT_EQ(h.state("g"), "PreparingRebalance");
  h.join(join_request("g", member));
  EXPECT_EQ(h.reply<Join>(other)->generation, 2);
}

// --- static members, KIP-345 ---

TEST(StaticMember, ComesBackWithoutARebalance) {
  GroupHarness h;
  Ready ready = make_stable(h, 2, "i");
  JoinRequest request = join_request("g");
  request.instance_id = "i1";
  auto back = h.reply<Join>(h.join(request));
  ASSERT_TRUE(back);
  EXPECT_FALSE(back->error);
  EXPECT_EQ(back->generation, 2);
  EXPECT_NE(back->member_id, ready.members[1]);
  EXPECT_EQ(h.state("g"), "Stable");
  auto synced = h.reply<Sync>(h.sync(sync_request("g", back->member_id, 2)));
  EXPECT_EQ(synced->assignment, "a-" + ready.members[1]);
  EXPECT_EQ(h.heartbeat(beat(ready.members[1], 2, "i1")), Errc::fenced_instance_id);
  EXPECT_EQ(h.heartbeat(beat(back->member_id, 2, "i1")), std::nullopt);
  // the new id is what a restart finds
  auto stored = h.stored_group("g");
  ASSERT_TRUE(stored);
  EXPECT_TRUE(
      std::any_of(stored->members.begin(), stored->members.end(),
                  [&](const StoredMember& member) { return member.id == back->member_id; }));
}

TEST(StaticMember, LeaderComesBack) {
  struct Row {
    const char* name;
    bool skip;
    size_t members;
  };
  for (const Row& row : {Row{"v9", true, 2}, Row{"older", false, 0}}) {
    GroupHarness h;
    Ready ready = make_stable(h, 2, "i");
    JoinRequest request = join_request("g");
    request.instance_id = "i0";
    request.supports_skip_assignment = row.skip;
    auto back = h.reply<Join>(h.join(request));
    ASSERT_TRUE(back) << row.name;
    EXPECT_EQ(back->skip_assignment, row.skip) << row.name;
    EXPECT_EQ(back->members.size(), row.members) << row.name;
    EXPECT_EQ(back->leader, row.skip ? back->member_id : ready.members[0]) << row.name;
    EXPECT_EQ(h.state("g"), "Stable");
  }
}

TEST(StaticMember, ComesBackWhileTheLeaderAssigns) {
  GroupHarness h;
  Ready ready = make_stable(h, 2, "i");
  JoinRequest leader = join_request("g", ready.members[0]);
  leader.instance_id = "i0";
  JoinRequest follower = join_request("g", ready.members[1]);
  follower.instance_id = "i1";
  h.join(leader);
  h.join(follower);
  ASSERT_EQ(h.state("g"), "CompletingRebalance");
  RequestToken waiting = h.sync(sync_request("g", ready.members[1], 3));
  follower.member_id = "";
  RequestToken back = h.join(follower);
  EXPECT_EQ(h.reply<Sync>(waiting)->error, Errc::fenced_instance_id);
  EXPECT_EQ(h.state("g"), "PreparingRebalance");
  h.join(leader);
  EXPECT_EQ(h.reply<Join>(back)->generation, 4);
}

TEST(StaticMember, TwoWithOneNameFenceEachOther) {
  GroupHarness h;
  Ready ready = make_stable(h, 2, "i");
  JoinRequest leader = join_request("g", ready.members[0]);
  leader.instance_id = "i0";
  JoinRequest twin = join_request("g", ready.members[1]);
  twin.instance_id = "i1";
  twin.protocols[0].metadata = subscription({"t9"});
  RequestToken first = h.join(twin);
  EXPECT_FALSE(h.reply<Join>(first));
  twin.member_id = "";
  RequestToken second = h.join(twin);
  EXPECT_EQ(h.reply<Join>(first)->error, Errc::fenced_instance_id);
  h.join(leader);
  ASSERT_TRUE(h.reply<Join>(second));
  EXPECT_FALSE(h.reply<Join>(second)->error);
}

TEST(StaticMember, AbsenceForLessThanItsSessionIsFine) {
  GroupHarness h;
  Ready ready = make_stable(h, 2, "i");
  JoinRequest leader = join_request("g", ready.members[0]);
  leader.instance_id = "i0";
  RequestToken again = h.join(leader);  // the group rebalances, i1 is away
  h.advance_ms(9'000);
  EXPECT_EQ(h.group("g")->member_count(), 2u);
  h.advance_ms(1'000);
  EXPECT_EQ(h.group("g")->member_count(), 1u);
  EXPECT_EQ(h.reply<Join>(again)->generation, 3);
}

TEST(StaticMember, IsRemovedByItsNameAlone) {
  GroupHarness h;
  make_stable(h, 2, "i");
  EXPECT_EQ(h.leave(leaving("", "i1")).members[0], std::nullopt);
  EXPECT_EQ(h.leave(leaving("", "i1")).members[0], Errc::unknown_member_id);
  EXPECT_EQ(h.leave(leaving("wrong", "i0")).members[0], Errc::fenced_instance_id);
}

// --- restart ---

TEST(GroupRestart, MembersGoOnInTheirGeneration) {
  GroupHarness h;
  Ready ready = make_stable(h, 2);
  h.restart();
  EXPECT_EQ(h.state("g"), "Stable");
  EXPECT_EQ(h.heartbeat(beat(ready.members[0], 2)), std::nullopt);
  auto synced = h.reply<Sync>(h.sync(sync_request("g", ready.members[1], 2)));
  EXPECT_EQ(synced->assignment, "a-" + ready.members[1]);
  EXPECT_EQ(h.reply<CommitResponse>(h.commit(commit_request("g", ready.members[1], 2, "t1", 0, 7)))
                ->offsets[0],
            std::nullopt);
}

TEST(GroupRestart, ARebalanceIsForgottenTheLastGenerationStays) {
  GroupHarness h;
  Ready ready = make_stable(h, 2);
  h.join(join_request("g"));
  ASSERT_EQ(h.state("g"), "PreparingRebalance");
  h.restart();
  EXPECT_EQ(h.state("g"), "Stable");
  EXPECT_EQ(h.group("g")->generation(), 2);
}

TEST(GroupRestart, WhoDoesNotComeBackIsRemovedAfterAWholeSession) {
  GroupHarness h;
  make_stable(h, 1);
  h.advance_ms(9'000);
  h.restart();
  h.advance_ms(9'999);
  EXPECT_EQ(h.state("g"), "Stable");
  h.advance_ms(1);
  EXPECT_EQ(h.state("g"), "Empty");
}

TEST(GroupRestart, StaticNamesAreKept) {
  GroupHarness h;
  Ready ready = make_stable(h, 2, "i");
  h.restart();
  EXPECT_EQ(h.heartbeat(beat("other", 2, "i1")), Errc::fenced_instance_id);
  EXPECT_EQ(h.heartbeat(beat(ready.members[1], 2, "i1")), std::nullopt);
}

}  // namespace
}  // namespace odradek::broker::group
