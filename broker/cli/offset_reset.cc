#include "broker/cli/offset_reset.h"

#include <algorithm>
#include <cstdio>
#include <ctime>

#include "common/cli/text.h"

namespace odradek::broker::cli {
namespace {

constexpr std::string_view kLogger = "kafka.admin.ConsumerGroupCommand$";

int64_t whole(std::string_view text, const std::string& all) {
  auto number = odradek::cli::parse_int(text);
  if (!number) throw KafkaError("java.text.ParseException", "Unparseable date: \"" + all + "\"");
  return *number;
}

// CSV with double quotes where a comma or a quote is inside.
std::vector<std::string> csv_fields(const std::string& line) {
  std::vector<std::string> fields(1);
  bool quoted = false;
  for (size_t i = 0; i < line.size(); ++i) {
    char c = line[i];
    if (quoted && c == '"' && i + 1 < line.size() && line[i + 1] == '"') {
      fields.back() += '"';
      ++i;
    } else if (c == '"') {
      quoted = !quoted;
    } else if (c == ',' && !quoted) {
      fields.emplace_back();
    } else {
      fields.back() += c;
    }
  }
  return fields;
}

std::string csv_field(const std::string& text) {
  if (text.find_first_of(",\"\n") == std::string::npos) return text;
  std::string out = "\"";
  for (char c : text) {
    if (c == '"') out += '"';
    out += c;
  }
  return out + "\"";
}

}  // namespace

std::optional<std::vector<TopicPartition>> split_topic_argument(const std::string& argument) {
  if (argument.find(':') == std::string::npos) return std::nullopt;
  auto parts = odradek::cli::split(argument, ':');
  if (parts.size() != 2 || parts[0].empty()) {
    throw illegal_argument("Invalid topic arg '" + argument +
                           "', expected topic name and partitions");
  }
  std::vector<TopicPartition> found;
  for (const auto& text : odradek::cli::split(parts[1], ',')) {
    auto number = odradek::cli::parse_int(text);
    if (!number || *number < 0 || *number > INT32_MAX) {
      throw illegal_argument("Invalid partition '" + text + "' specified in topic arg '" +
                             argument + "''");
    }
    found.push_back({parts[0], PartitionId(static_cast<int32_t>(*number))});
  }
  return found;
}

std::vector<TopicPartition> partitions_of(AdminClient& client,
                                          const std::vector<std::string>& arguments) {
  std::vector<TopicPartition> found;
  std::vector<std::string> whole_topics;
  for (const auto& argument : arguments) {
    if (auto partitions = split_topic_argument(argument))
      found.insert(found.end(), partitions->begin(), partitions->end());
    else
      whole_topics.push_back(argument);
  }
  for (const auto& topic : client.describe_topics(whole_topics)) {
    for (const auto& partition : topic.partitions) {
      found.push_back({topic.name.value_or(""), PartitionId(partition.partition_index)});
    }
  }
  return found;
}

int64_t parse_datetime(const std::string& text) {
  // yyyy-MM-ddTHH:mm:ss[.SSS][Z|+HH:mm|+HHmm]
  size_t t = text.find('T');
  if (t == std::string::npos)
    throw KafkaError(
        "java.text.ParseException",
        "Error parsing timestamp. It does not contain a 'T' according to ISO8601 format");
  auto day = odradek::cli::split(std::string_view(text).substr(0, t), '-');
  std::string clock = text.substr(t + 1);
  int64_t zone_ms = 0;
  if (size_t zone = clock.find_first_of("Z+-"); zone != std::string::npos) {
    std::string shift = clock.substr(zone);
    clock.resize(zone);
    if (shift != "Z") {
      std::erase(shift, ':');
      if (shift.size() == 3) shift += "00";
      if (shift.size() != 5)
        throw KafkaError("java.text.ParseException", "Unparseable date: \"" + text + "\"");
      int64_t minutes = whole(shift.substr(1, 2), text) * 60 + whole(shift.substr(3, 2), text);
      zone_ms = (shift[0] == '-' ? -1 : 1) * minutes * 60'000;
    }
  }
  auto time = odradek::cli::split(clock, ':');
  if (day.size() != 3 || time.size() != 3)
    throw KafkaError("java.text.ParseException", "Unparseable date: \"" + text + "\"");
  int64_t millis = 0;
  auto seconds = odradek::cli::split(time[2], '.');
  if (seconds.size() > 1) {
    std::string fraction = (seconds[1] + "000").substr(0, 3);
    millis = whole(fraction, text);
  }
  std::tm broken{};
  broken.tm_year = static_cast<int>(whole(day[0], text)) - 1900;
  broken.tm_mon = static_cast<int>(whole(day[1], text)) - 1;
  broken.tm_mday = static_cast<int>(whole(day[2], text));
  broken.tm_hour = static_cast<int>(whole(time[0], text));
  broken.tm_min = static_cast<int>(whole(time[1], text));
  broken.tm_sec = static_cast<int>(whole(seconds[0], text));
  return static_cast<int64_t>(timegm(&broken)) * 1000 + millis - zone_ms;
}

int64_t parse_duration(const std::string& text) {
  KafkaError bad("java.time.format.DateTimeParseException", "Text cannot be parsed to a Duration");
  std::string upper = text;
  std::transform(upper.begin(), upper.end(), upper.begin(),
                 [](unsigned char c) { return std::toupper(c); });
  std::string_view rest = upper;
  int64_t sign = 1;
  if (rest.starts_with('-') || rest.starts_with('+')) {
    sign = rest[0] == '-' ? -1 : 1;
    rest.remove_prefix(1);
  }
  if (!rest.starts_with('P') || rest.size() < 2) throw bad;
  rest.remove_prefix(1);
  bool in_time = false;
  double total_ms = 0;
  while (!rest.empty()) {
    if (rest[0] == 'T') {
      in_time = true;
      rest.remove_prefix(1);
      if (rest.empty()) throw bad;
      continue;
    }
    size_t digits = rest.find_first_not_of("0123456789.+-");
    if (digits == 0 || digits == std::string_view::npos) throw bad;
    char* end = nullptr;
    std::string number(rest.substr(0, digits));
    double value = std::strtod(number.c_str(), &end);
    if (*end != '\0') throw bad;
    char unit = rest[digits];
    double unit_ms = !in_time && unit == 'D'  ? 86'400'000.0
                     : in_time && unit == 'H' ? 3'600'000.0
                     : in_time && unit == 'M' ? 60'000.0
                     : in_time && unit == 'S' ? 1000.0
                                              : 0.0;
    if (unit_ms == 0.0) throw bad;
    total_ms += value * unit_ms;
    rest.remove_prefix(digits + 1);
  }
  return sign * static_cast<int64_t>(total_ms);
}

OffsetPlan to_end(AdminClient& client, const std::vector<TopicPartition>& partitions, int64_t end) {
  std::map<TopicPartition, int64_t> questions;
  for (const auto& partition : partitions) questions[partition] = end;
  OffsetPlan plan;
  for (const auto& [partition, answer] : client.list_offsets(questions)) {
    if (answer.error != 0) throw KafkaError(answer.error);
    plan[partition] = answer.offset;
  }
  return plan;
}

OffsetPlan to_time(AdminClient& client, const std::vector<TopicPartition>& partitions,
                   int64_t timestamp) {
  std::map<TopicPartition, int64_t> questions;
  for (const auto& partition : partitions) questions[partition] = timestamp;
  OffsetPlan plan;
  std::vector<TopicPartition> without;
  for (const auto& [partition, answer] : client.list_offsets(questions)) {
    if (answer.error != 0) throw KafkaError(answer.error);
    if (answer.offset >= 0) {
      plan[partition] = answer.offset;
      continue;
    }
    std::printf(
        "\nWarn: Partition %d from topic %s is empty. Falling back to latest known offset.\n",
        partition.partition.value(), partition.topic.c_str());
    without.push_back(partition);
  }
  plan.merge(to_end(client, without, kLatest));
  return plan;
}

OffsetPlan within_log(AdminClient& client, const OffsetPlan& wanted) {
  std::vector<TopicPartition> partitions;
  for (const auto& [partition, offset] : wanted) partitions.push_back(partition);
  OffsetPlan starts = to_end(client, partitions, kEarliest);
  OffsetPlan ends = to_end(client, partitions, kLatest);
  OffsetPlan plan;
  for (const auto& [partition, offset] : wanted) {
    int64_t end = ends.at(partition);
    int64_t start = starts.at(partition);
    plan[partition] = offset;
    if (offset >= start && offset <= end) continue;
    bool high = offset > end;
    plan[partition] = high ? end : start;
    odradek::cli::log_line("WARN",
                           "New offset (" + std::to_string(offset) + ") is " +
                               (high ? "higher than latest" : "lower than earliest") +
                               " offset for topic partition " + partition.to_string() +
                               ". Value will be set to " + std::to_string(plan[partition]),
                           kLogger);
  }
  return plan;
}

std::map<std::string, OffsetPlan> read_plan(const std::string& text,
                                            const std::vector<std::string>& groups) {
  std::map<std::string, OffsetPlan> plans;
  for (const auto& raw : odradek::cli::split(text, '\n')) {
    std::string line(odradek::cli::trim(raw));
    if (line.empty()) continue;
    auto fields = csv_fields(line);
    // With several groups each line has to name its own.
    bool with_group = fields.size() == 4;
    if ((fields.size() != 3 && !with_group) || (!with_group && groups.size() != 1)) {
      throw illegal_argument("Invalid line of the reset plan: '" + line + "'");
    }
    size_t at = with_group ? 1 : 0;
    auto partition = odradek::cli::parse_int(odradek::cli::trim(fields[at + 1]));
    auto offset = odradek::cli::parse_int(odradek::cli::trim(fields[at + 2]));
    if (!partition || !offset || *partition < 0 || *partition > INT32_MAX) {
      throw illegal_argument("Invalid line of the reset plan: '" + line + "'");
    }
    plans[with_group ? fields[0] : groups[0]]
         [{fields[at], PartitionId(static_cast<int32_t>(*partition))}] = *offset;
  }
  return plans;
}

std::string write_plan(const std::map<std::string, OffsetPlan>& plans) {
  std::string out;
  for (const auto& [group, plan] : plans) {
    for (const auto& [partition, offset] : plan) {
      if (plans.size() > 1) out += csv_field(group) + ",";
      out += csv_field(partition.topic) + "," + std::to_string(partition.partition.value()) + "," +
             std::to_string(offset) + "\n";
    }
  }
  return out;
}

}  // namespace odradek::broker::cli
