// OffsetFetch and DescribeGroups where a request names something twice, as a broker of 3.5.2
// answers: a group each time, a topic and a partition once.
#include <map>
#include <set>
#include <tuple>

#include "broker/api/describe_groups.h"
#include "broker/api/offset_fetch.h"
#include "proto/kafka/describe_groups.h"
#include "proto/kafka/offset_fetch.h"
#include "tests/unit/broker/api/api_fixture.h"

namespace odradek::broker::api {
namespace {

using Request = kafka::OffsetFetchRequest;
using Rows = std::vector<std::tuple<std::string, int32_t, int64_t>>;  // topic, partition, offset

class GroupQueriesTest : public ApiTest {
 protected:
  void SetUp() override {
    ApiTest::SetUp();
    make_topic("t", 2);
    make_topic("__consumer_offsets", 1);
    groups_->set_partition_count(1);
    commit("g1", {{0, 5}, {1, 7}});
    commit("g2", {{0, 9}});
  }

  void commit(const std::string& group, const std::map<int32_t, int64_t>& offsets) {
    group::CommitRequest request;
    request.group_id = group;
    for (const auto& [partition, offset] : offsets) {
      group::OffsetToCommit row;
      row.partition = {"t", PartitionId(partition)};
      row.offset = offset;
      request.offsets.push_back(row);
    }
    std::optional<Errc> error = Errc::coordinator_load_in_progress;
    auto once = [&]() -> asio::awaitable<void> {
      auto answer = co_await groups_->commit(request);
      error = answer.offsets[0];
    };
    while (error == Errc::coordinator_load_in_progress) run(once());
    ASSERT_FALSE(error) << name_of(*error);
  }

  template <typename Topic>
  static Topic topic(const std::string& name, std::vector<int32_t> partitions) {
    Topic made;
    made.name = name;
    made.partition_indexes = std::move(partitions);
    return made;
  }
  static Request::Group group(const std::string& id,
                              std::optional<std::vector<Request::Topics>> topics) {
    Request::Group made;
    made.group_id = id;
    made.topics = std::move(topics);
    return made;
  }

  std::vector<std::pair<std::string, Rows>> fetch(std::vector<Request::Group> groups,
                                                  int16_t version) {
    Request request;
    request.groups = std::move(groups);
    Bytes bytes = bytes_of(ask(handle_offset_fetch, request, version));
    auto response = read<kafka::OffsetFetchResponse>(bytes, version);
    std::vector<std::pair<std::string, Rows>> all;
    for (const auto& row : response.groups) {
      EXPECT_EQ(row.error_code, 0);
      all.emplace_back(row.group_id, rows_of(row.topics));
    }
    return all;
  }
  template <typename Topics>
  static Rows rows_of(const Topics& topics) {
    Rows rows;
    std::set<std::string> names;
    for (const auto& topic : topics) {
      EXPECT_TRUE(names.insert(topic.name).second) << topic.name << " has two rows";
      EXPECT_FALSE(topic.partitions.empty()) << topic.name;
      for (const auto& partition : topic.partitions)
        rows.emplace_back(topic.name, partition.partition_index, partition.committed_offset);
    }
    return rows;
  }
};

TEST_F(GroupQueriesTest, AGroupThatIsNamedTwiceIsAnsweredTwice) {
  using Topics = std::vector<Request::Topics>;
  Topics first = {topic<Request::Topics>("t", {0})};
  Topics second = {topic<Request::Topics>("t", {1})};
  auto answers = fetch({group("g1", first), group("g2", first), group("g1", second),
                        group("g1", std::nullopt)},
                       8);
  ASSERT_EQ(answers.size(), 4u);
  EXPECT_EQ(answers[0], std::make_pair(std::string("g1"), Rows{{"t", 0, 5}}));
  EXPECT_EQ(answers[1], std::make_pair(std::string("g2"), Rows{{"t", 0, 9}}));
  EXPECT_EQ(answers[2], std::make_pair(std::string("g1"), Rows{{"t", 1, 7}}));
  EXPECT_EQ(answers[3], std::make_pair(std::string("g1"), Rows{{"t", 0, 5}, {"t", 1, 7}}));
}

TEST_F(GroupQueriesTest, TopicsAndPartitionsThatAreNamedTwiceAreAnsweredOnce) {
  using Topic = Request::Topics;
  for (int16_t version : {8, 9}) {
    auto answers = fetch({group("g1", {{topic<Topic>("t", {1, 0, 1}), topic<Topic>("x", {3}),
                                        topic<Topic>("t", {0}), topic<Topic>("empty", {})}})},
                         version);
    ASSERT_EQ(answers.size(), 1u);
    EXPECT_EQ(answers[0].second, (Rows{{"t", 1, 7}, {"t", 0, 5}, {"x", 3, -1}})) << version;
  }
  for (int16_t version = 0; version < 8; ++version) {
    Request request;
    request.group_id = "g1";
    request.topics.emplace();
    request.topics->push_back(topic<Request::Topic>("t", {0, 0}));
    request.topics->push_back(topic<Request::Topic>("empty", {}));
    request.topics->push_back(topic<Request::Topic>("t", {1}));
    Bytes bytes = bytes_of(ask(handle_offset_fetch, request, version));
    auto response = read<kafka::OffsetFetchResponse>(bytes, version);
    EXPECT_EQ(rows_of(response.topics), (Rows{{"t", 0, 5}, {"t", 1, 7}})) << version;
  }
}

TEST_F(GroupQueriesTest, DescribesAGroupAsOftenAsItIsNamed) {
  for (int16_t version = 0; version <= 5; ++version) {
    kafka::DescribeGroupsRequest request;
    request.groups = {"g1", "g2", "g1", "nobody", "nobody"};
    Bytes bytes = bytes_of(ask(handle_describe_groups, request, version));
    auto response = read<kafka::DescribeGroupsResponse>(bytes, version);
    std::vector<std::pair<std::string, std::string>> rows;
    for (const auto& row : response.groups) {
      EXPECT_EQ(row.error_code, 0);
      rows.emplace_back(row.group_id, row.group_state);
    }
    EXPECT_EQ(rows, (std::vector<std::pair<std::string, std::string>>{{"g1", "Empty"},
                                                                      {"g2", "Empty"},
                                                                      {"g1", "Empty"},
                                                                      {"nobody", "Dead"},
                                                                      {"nobody", "Dead"}}))
        << version;
  }
}

}  // namespace
}  // namespace odradek::broker::api
