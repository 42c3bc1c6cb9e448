#pragma once
// Between the gRPC contract (proto/coordinator) and this broker's own types.

#include <optional>
#include <vector>

#include "broker/metadata/coordinator_client.h"
#include "common/result.h"
#include "proto/coordinator/coordinator.pb.h"

namespace odradek::broker::metadata {

namespace wire = odradek::coordinator::v1;

// What the coordinator's code means here; nothing where it is OK.
std::optional<Error> error_of(wire::Code code, const std::string& message);
inline std::optional<Error> error_of(const wire::Status& status) {
  return error_of(status.code(), status.message());
}

wire::Register encode(const Registration& registration, const std::string& chroot);
wire::CreateTopicsRequest encode(const std::vector<NewTopic>& topics);
wire::DeleteTopicsRequest encode(const std::vector<TopicToDelete>& topics);
wire::CreatePartitionsRequest encode(const std::vector<NewPartitions>& topics);
wire::AlterConfigsRequest encode(const std::vector<ConfigChange>& changes);
wire::AlterPartitionRequest encode(const std::vector<IsrChange>& changes);

std::vector<TopicResult> decode(const wire::TopicsReply& reply);
std::vector<ConfigResult> decode(const wire::AlterConfigsReply& reply);
std::vector<IsrResult> decode(const wire::AlterPartitionReply& reply);
std::vector<TopicPartition> decode(const wire::ControlledShutdownReply& reply);

// Gathers the parts of a snapshot. Errc::malformed where what came cannot be an image.
class SnapshotBuilder {
 public:
  Result<void> add(const wire::SnapshotPart& part);
  std::shared_ptr<Image> take();

 private:
  std::shared_ptr<Image> image_ = std::make_shared<Image>();
};

// The image that the delta leads to; malformed where it does not start at `before`.
Result<std::shared_ptr<Image>> apply(const Image& before, const wire::Delta& delta);

}  // namespace odradek::broker::metadata
