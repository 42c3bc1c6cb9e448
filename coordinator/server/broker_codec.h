#pragma once
// Between the gRPC contract (proto/coordinator) and the controller's own types. Decoders check
// lengths: what a broker sends is not trusted.

#include "coordinator/controller/admin.h"
#include "coordinator/controller/cluster.h"
#include "coordinator/controller/registration.h"
#include "proto/coordinator/coordinator.pb.h"

namespace odradek::coordinator::server {

namespace wire = odradek::coordinator::v1;

wire::Code wire_code(Errc code);
void set_error(const Error& error, wire::Status& status);

controller::Caller decode(const wire::Caller& caller);
Result<controller::RegistrationRequest> decode(const wire::Register& message);
Result<std::vector<controller::NewTopic>> decode(const wire::CreateTopicsRequest& message);
Result<std::vector<controller::TopicToDelete>> decode(const wire::DeleteTopicsRequest& message);
Result<std::vector<controller::MorePartitions>> decode(
    const wire::CreatePartitionsRequest& message);
Result<std::vector<controller::ConfigChange>> decode(const wire::AlterConfigsRequest& message);
Result<std::vector<controller::IsrChange>> decode(const wire::AlterPartitionRequest& message);

void encode(const controller::Registration& registration, bool resumed, wire::Registered& message);
// In parts that each stay small; the last one is marked.
std::vector<wire::ToBroker> encode_snapshot(const metadata::ClusterImage& image);
wire::ToBroker encode(const metadata::Delta& delta);

void encode(const controller::Reply<controller::TopicItem>& reply, wire::TopicsReply& message);
void encode(const controller::Reply<controller::ConfigItem>& reply,
            wire::AlterConfigsReply& message);
void encode(const controller::Reply<controller::ProducerIdBlock>& reply,
            wire::AllocateProducerIdsReply& message);
void encode(const controller::Reply<controller::IsrItem>& reply,
            wire::AlterPartitionReply& message);
void encode(const controller::Reply<TopicPartition>& reply, wire::ControlledShutdownReply& message);

}  // namespace odradek::coordinator::server
