#pragma once
// Rules for topic names that the tools know themselves.

#include <string>
#include <string_view>
#include <vector>

namespace odradek::broker::cli {

// The names that an expression (--topic, --include) matches as a whole; commas separate
// alternatives. An expression that is none matches the name that it spells. Internal topics are
// left out where asked.
class TopicFilter {
 public:
  TopicFilter(std::string_view expression, bool exclude_internal);
  std::vector<std::string> select(const std::vector<std::string>& names) const;

 private:
  std::string pattern_;
  bool exclude_internal_;
};

bool is_internal_topic(std::string_view name);
// '.' or '_': such names collide in metric names.
bool has_collision_characters(std::string_view name);
// The first existing topic whose name is the same when '.' is read as '_'; empty when there is
// none.
std::vector<std::string> colliding_topics(std::string_view name,
                                          const std::vector<std::string>& existing);
// The sentence of Kafka 2.5 for a name that is not allowed; empty when it is.
std::string name_problem_2_5(std::string_view name);
// The sentence of 3.5 likewise.
std::string name_problem(std::string_view name);

}  // namespace odradek::broker::cli
