// Offsets of groups: commits, reads, deletions, expiry.

#include <gtest/gtest.h>

#include "tests/unit/broker/group/group_harness.h"

namespace odradek::broker::group {
namespace {

constexpr int64_t kDayMs = 86'400'000;

std::string join_and_sync(GroupHarness& h, const std::string& group = "g",
                          const std::string& topic = "t1", const std::string& type = "consumer") {
  JoinRequest request = join_request(group);
  request.protocol_type = type;
  request.protocols[0].metadata = subscription({topic});
  auto joined = h.reply<JoinResponse>(h.join(request));
  EXPECT_TRUE(joined);
  h.sync(sync_request(group, joined->member_id, joined->generation, {{joined->member_id, "x"}}));
  EXPECT_EQ(h.state(group), "Stable");
  return joined->member_id;
}

std::optional<Errc> commit(GroupHarness& h, const std::string& member, int32_t generation,
                           const std::string& topic, int64_t offset) {
  auto done =
      h.reply<CommitResponse>(h.commit(commit_request("g", member, generation, topic, 0, offset)));
  EXPECT_TRUE(done);
  return done->offsets[0];
}

int64_t fetched(GroupHarness& h, const std::string& topic, const std::string& group = "g") {
  auto rows = h.set().fetch(group, std::vector<TopicPartition>{{topic, PartitionId(0)}}, false);
  EXPECT_EQ(rows.size(), 1u);
  EXPECT_EQ(rows[0].error, std::nullopt);
  return rows[0].offset;
}

void leave(GroupHarness& h, const std::string& member) {
  LeaveRequest request;
  request.group_id = "g";
  request.members.push_back({member, std::nullopt, ""});
  h.leave(request);
}

TEST(GroupOffsets, SimpleConsumerNeedsNoMembership) {
  GroupHarness h;
  EXPECT_EQ(fetched(h, "t1"), -1);
  EXPECT_EQ(commit(h, "", -1, "t1", 5), std::nullopt);
  EXPECT_EQ(fetched(h, "t1"), 5);
  EXPECT_EQ(h.state("g"), "Empty");
  EXPECT_EQ(h.set().list()[0].protocol_type, "");
  h.restart();
  EXPECT_EQ(fetched(h, "t1"), 5);
}

TEST(GroupOffsets, WhoMayCommit) {
  GroupHarness h;
  EXPECT_EQ(commit(h, "x", 3, "t1", 1), Errc::illegal_generation);  // no such group
  std::string member = join_and_sync(h);
  EXPECT_EQ(commit(h, "", -1, "t1", 1), Errc::unknown_member_id);  // it has members now
  EXPECT_EQ(commit(h, member, 1, "t1", 1), std::nullopt);
  EXPECT_EQ(commit(h, member, 0, "t1", 1), Errc::illegal_generation);
  EXPECT_EQ(commit(h, member, -1, "t1", 1), Errc::illegal_generation);
  RequestToken other = h.join(join_request("g"));
  EXPECT_EQ(commit(h, member, 1, "t1", 2),
            std::nullopt);  // what it has read, before it joins again
  h.join(join_request("g", member));
  EXPECT_EQ(h.state("g"), "CompletingRebalance");
  EXPECT_EQ(commit(h, member, 2, "t1", 3), Errc::rebalance_in_progress);
  EXPECT_TRUE(h.reply<JoinResponse>(other));
  EXPECT_EQ(fetched(h, "t1"), 2);
}

TEST(GroupOffsets, ACommitIsASignOfLife) {
  GroupHarness h;
  std::string member = join_and_sync(h);
  for (int i = 0; i < 5; ++i) {
    h.advance_ms(8'000);
    EXPECT_EQ(commit(h, member, 1, "t1", i), std::nullopt);
  }
  EXPECT_EQ(h.state("g"), "Stable");
}

TEST(GroupOffsets, EverythingOfARequestIsOneWriteAndKeepsItsData) {
  GroupHarness h;
  CommitRequest request = commit_request("g", "", -1, "t1", 0, 10);
  request.offsets[0].leader_epoch = 4;
  request.offsets[0].metadata = "note";
  request.offsets.push_back(request.offsets[0]);
  request.offsets[1].partition = {"t2", PartitionId(3)};
  request.offsets[1].metadata.assign(4'097, 'x');
  request.offsets.push_back(request.offsets[0]);
  request.offsets[2].partition = {"t2", PartitionId(1)};
  auto done = h.reply<CommitResponse>(h.commit(request));
  EXPECT_EQ(done->offsets, (std::vector<std::optional<Errc>>{
                               std::nullopt, Errc::offset_metadata_too_large, std::nullopt}));
  EXPECT_EQ(h.log().size(), 2u);
  h.restart();
  auto all = h.set().fetch("g", std::nullopt, true);
  ASSERT_EQ(all.size(), 2u);
  EXPECT_EQ(all[0].leader_epoch, 4);
  EXPECT_EQ(all[0].metadata, "note");
  EXPECT_EQ(all[1].partition.to_string(), "t2-1");
}

TEST(GroupOffsets, AFailedWriteIsNoCommit) {
  GroupHarness h;
  h.fail_writes(Errc::coordinator_not_available);
  EXPECT_EQ(commit(h, "", -1, "t1", 5), Errc::coordinator_not_available);
  EXPECT_EQ(fetched(h, "t1"), -1);
  EXPECT_EQ(h.set().group_count(), 0u);
  h.fail_writes(std::nullopt);
  h.hold_writes(true);
  RequestToken waiting = h.commit(commit_request("g", "", -1, "t1", 0, 6));
  EXPECT_FALSE(h.reply<CommitResponse>(waiting));
  EXPECT_EQ(fetched(h, "t1"), -1);  // not before it is stored
  h.hold_writes(false);
  EXPECT_TRUE(h.reply<CommitResponse>(waiting));
  EXPECT_EQ(fetched(h, "t1"), 6);
}

struct Expiry {
  const char* name;
  void (*prepare)(GroupHarness&);
  int64_t days;
  bool group_stays;
  bool offset_stays;
};

class OffsetExpiry : public testing::TestWithParam<Expiry> {};
TEST_P(OffsetExpiry, FollowsTheGroupsState) {
  GroupHarness h;
  GetParam().prepare(h);
  std::string member;
  auto described = h.set().describe("g");
  for (int64_t hour = 0; hour < GetParam().days * 24; ++hour) {
    // members that the case has left in the group stay alive
    for (const auto& row : described.members) {
      HeartbeatRequest beat;
      beat.group_id = "g";
      beat.member_id = row.member_id;
      beat.generation = 1;
      h.heartbeat(beat);
    }
    if (described.members.empty()) {
      h.advance_ms(3'600'000);
    } else {
      h.clock().advance_ms(3'600'000 - 3'000);
      for (const auto& row : described.members) {
        HeartbeatRequest beat;
        beat.group_id = "g";
        beat.member_id = row.member_id;
        beat.generation = 1;
        h.heartbeat(beat);
      }
      h.advance_ms(3'000);
    }
  }
  h.advance_ms(5'000);
  EXPECT_EQ(h.group("g") != nullptr, GetParam().group_stays);
  EXPECT_EQ(fetched(h, "t1") == 5, GetParam().offset_stays);
  h.restart();
  EXPECT_EQ(h.group("g") != nullptr, GetParam().group_stays);
  EXPECT_EQ(fetched(h, "t1") == 5, GetParam().offset_stays);
}
INSTANTIATE_TEST_SUITE_P(
    Group, OffsetExpiry,
    testing::Values(Expiry{"simple_before", [](GroupHarness& h) { commit(h, "", -1, "t1", 5); }, 6,
                           true, true},
                    Expiry{"simple_after", [](GroupHarness& h) { commit(h, "", -1, "t1", 5); }, 8,
                           false, false},
                    Expiry{"empty_since_later",
                           [](GroupHarness& h) {
                             std::string member = join_and_sync(h);
                             commit(h, member, 1, "t1", 5);
                             for (int i = 0; i < 5 * 24 * 400; ++i) {
                               h.advance_ms(9'000);
                               HeartbeatRequest beat;
                               beat.group_id = "g";
                               beat.member_id = member;
                               beat.generation = 1;
                               ASSERT_EQ(h.heartbeat(beat), std::nullopt);
                             }
                             leave(h, member);
                           },
                           6, true, true},
                    Expiry{"empty_long_enough",
                           [](GroupHarness& h) {
                             std::string member = join_and_sync(h);
                             commit(h, member, 1, "t1", 5);
                             leave(h, member);
                           },
                           8, false, false},
                    Expiry{"with_its_own_time",
                           [](GroupHarness& h) {
                             CommitRequest request = commit_request("g", "", -1, "t1", 0, 5);
                             request.retention_ms = kDayMs;
                             h.commit(request);
                           },
                           2, false, false}),
    [](const auto& info) { return std::string(info.param.name); });

TEST(GroupOffsets, StableGroupKeepsItsTopicsAndLosesOthers) {
  GroupSettings settings = GroupHarness::fast();
  settings.offsets_retention_ms = 30'000;
  settings.offsets_retention_check_ms = 5'000;
  GroupHarness h(settings);
  std::string member = join_and_sync(h);
  commit(h, member, 1, "t1", 5);
  commit(h, member, 1, "old", 6);
  for (int i = 0; i < 10; ++i) {
    h.advance_ms(5'000);
    HeartbeatRequest beat;
    beat.group_id = "g";
    beat.member_id = member;
    beat.generation = 1;
    EXPECT_EQ(h.heartbeat(beat), std::nullopt);
  }
  EXPECT_EQ(fetched(h, "t1"), 5);
  EXPECT_EQ(fetched(h, "old"), -1);
}

TEST(GroupOffsets, DeletedOffsets) {
  GroupHarness h;
  auto deleted = [&](const std::string& group, const std::string& topic) {
    DeleteOffsetsRequest request;
    request.group_id = group;
    request.partitions.push_back({topic, PartitionId(0)});
    auto done = h.reply<DeleteOffsetsResponse>(h.delete_offsets(request));
    EXPECT_TRUE(done);
    return done->error ? done->error : done->partitions[0];
  };
  EXPECT_EQ(deleted("g", "t1"), Errc::group_id_not_found);
  EXPECT_EQ(deleted("", "t1"), Errc::invalid_group_id);
  std::string member = join_and_sync(h);
  commit(h, member, 1, "t1", 5);
  commit(h, member, 1, "t2", 6);
  EXPECT_EQ(deleted("g", "t1"), Errc::group_subscribed_to_topic);
  EXPECT_EQ(deleted("g", "t2"), std::nullopt);
  EXPECT_EQ(deleted("g", "t3"), std::nullopt);  // nothing there is nothing left
  EXPECT_EQ(fetched(h, "t1"), 5);
  EXPECT_EQ(fetched(h, "t2"), -1);
  leave(h, member);
  EXPECT_EQ(deleted("g", "t1"), std::nullopt);
  h.restart();
  EXPECT_EQ(fetched(h, "t1"), -1);
  join_and_sync(h, "connect", "t1", "connect");
  EXPECT_EQ(deleted("connect", "t1"), Errc::non_empty_group);
}

TEST(GroupOffsets, DeletedGroups) {
  GroupHarness h;
  auto removed = [&](const std::string& group) {
    auto done = h.reply<DeleteGroupResponse>(h.remove(group));
    EXPECT_TRUE(done);
    return done->error;
  };
  EXPECT_EQ(removed("g"), Errc::group_id_not_found);
  std::string member = join_and_sync(h);
  commit(h, member, 1, "t1", 5);
  EXPECT_EQ(removed("g"), Errc::non_empty_group);
  leave(h, member);
  h.fail_writes(Errc::not_coordinator);
  EXPECT_EQ(removed("g"), Errc::not_coordinator);
  EXPECT_EQ(h.state("g"), "Empty");
  h.fail_writes(std::nullopt);
  h.hold_writes(true);
  RequestToken deleting = h.remove("g");
  EXPECT_EQ(h.reply<JoinResponse>(h.join(join_request("g")))->error,
            Errc::coordinator_not_available);
  h.hold_writes(false);
  EXPECT_EQ(h.reply<DeleteGroupResponse>(deleting)->error, std::nullopt);
  EXPECT_EQ(h.set().describe("g").error, Errc::group_id_not_found);
  EXPECT_EQ(h.state("g"), "Dead");
  h.restart();
  EXPECT_EQ(h.set().group_count(), 0u);
  commit(h, "", -1, "t1", 9);
  EXPECT_EQ(removed("g"), std::nullopt);
  h.restart();
  EXPECT_EQ(h.set().group_count(), 0u);
}

TEST(GroupOffsets, TopicsThatAreDeleted) {
  GroupHarness h;
  std::string member = join_and_sync(h);
  commit(h, member, 1, "t1", 5);
  commit(h, member, 1, "t2", 6);
  h.delete_topic("t1");
  EXPECT_EQ(fetched(h, "t1"), -1);
  EXPECT_EQ(fetched(h, "t2"), 6);
  h.restart();
  EXPECT_EQ(fetched(h, "t1"), -1);
}

}  // namespace
}  // namespace odradek::broker::group
