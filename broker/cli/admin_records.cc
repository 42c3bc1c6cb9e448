// AdminClient: the records of partitions, and the directories that they lie in.

#include "broker/cli/admin_calls.h"
#include "proto/kafka/delete_records.h"

namespace odradek::broker::cli {

std::map<TopicPartition, AdminClient::DeletedRecords> AdminClient::delete_records(
    const std::map<TopicPartition, int64_t>& offsets) {
  using Request = kafka::DeleteRecordsRequest;
  auto fill = [this](Request& request, auto& row, int64_t offset) {
    request.timeout_ms = static_cast<int32_t>(request_timeout_ms_);
    row.offset = offset;
  };
  auto read = [](const auto& row) { return DeletedRecords{row.low_watermark, row.error_code}; };
  return ask_leaders<Request, kafka::DeleteRecordsResponse, DeletedRecords>(
      offsets, "deleteRecords", fill, read, Request::kMaxVersion, Request::kMinVersion);
}

std::vector<AdminClient::LogDirectory> AdminClient::describe_log_dirs(
    const Node& node, const std::vector<std::string>& topics, bool explain_kept) {
  int64_t until = deadline();
  kafka::DescribeLogDirsRequest request;
  request.topics.reset();  // every topic: by name it wants the partitions, too
  request.explain_kept = explain_kept;
  auto answer = send<kafka::DescribeLogDirsResponse>({Target::Kind::node, node, {}}, request,
                                                     "describeLogDirs", until);
  throw_if(answer.error_code);
  if (!topics.empty()) {
    const std::set<std::string> wanted(topics.begin(), topics.end());
    for (LogDirectory& directory : answer.results) {
      std::erase_if(directory.topics,
                    [&](const auto& topic) { return !wanted.contains(topic.name); });
    }
  }
  return std::move(answer.results);
}

}  // namespace odradek::broker::cli
