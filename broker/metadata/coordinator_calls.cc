// The admin calls, and the public face of the client.
#include <algorithm>
#include <boost/asio/async_result.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "broker/metadata/coordinator_client_impl.h"

namespace odradek::broker::metadata {

namespace {

// Suspends the caller until `begin`'s callback is called, on any thread; the caller goes on on its
// own executor.
template <typename T>
asio::awaitable<T> wait_for(std::function<void(Done<T>)> begin) {
  auto executor = co_await asio::this_coro::executor;
  auto result = std::make_shared<std::optional<T>>();
  auto initiate = [&begin, executor, result](auto handler) {
    auto resume = std::make_shared<decltype(handler)>(std::move(handler));
    begin([executor, result, resume](T value) {
      result->emplace(std::move(value));
      asio::post(executor, [resume] { (*resume)(); });
    });
  };
  auto token = asio::use_awaitable;
  co_await asio::async_initiate<asio::use_awaitable_t<>, void()>(std::move(initiate), token);
  co_return std::move(**result);
}

}  // namespace

template <typename Request, typename Reply>
void CoordinatorClient::Impl::call(
    void (wire::Coordinator::StubInterface::async_interface::*method)(
        grpc::ClientContext*, const Request*, Reply*, std::function<void(grpc::Status)>),
    Request request, int64_t timeout_ms, Done<Result<Reply>> done) {
  if (stopping_) return done(Error(Errc::cancelled, "the broker is stopping"));
  if (!connected_) return done(Error(Errc::unavailable, "the coordinator is not there"));
  auto registered = registered_.load();
  request.mutable_caller()->set_chroot(connect_.chroot);
  request.mutable_caller()->set_broker_id(registered->broker_id.value());
  request.mutable_caller()->set_broker_epoch(registered->broker_epoch);

  struct Flight : Pending {
    Request request;
    Reply reply;
    Done<Result<Reply>> done;
    std::shared_ptr<wire::Coordinator::Stub> stub;
    std::unique_ptr<asio::steady_timer> deadline;
    bool late = false;
    bool over = false;
  };
  timeout_ms = std::clamp<int64_t>(timeout_ms, 1, INT32_MAX);
  int64_t deadline_ms = now_ms() + timeout_ms;
  auto flight = std::make_shared<Flight>();
  flight->request = std::move(request);
  flight->done = std::move(done);
  flight->stub = stub_;
  flight->deadline =
      std::make_unique<asio::steady_timer>(home_, std::chrono::milliseconds(timeout_ms));
  flight->deadline->async_wait([flight](boost::system::error_code error) {
    if (error || flight->over) return;
    flight->late = true;
    flight->context.TryCancel();
  });
  pending_.insert(flight);
  auto landed = [self = shared_from_this(), flight, deadline_ms](grpc::Status status) {
    self->post([self, flight, deadline_ms, status] {
      flight->over = true;
      flight->deadline->cancel();
      self->pending_.erase(flight);
      if (!status.ok()) {
        Errc code = flight->late      ? Errc::timed_out
                    : self->stopping_ ? Errc::cancelled
                                      : Errc::unavailable;
        flight->done(Error(code, flight->late
                                     ? "the coordinator did not answer in time"
                                     : "the coordinator is not there: " + status.error_message()));
      } else if (auto error = error_of(flight->reply.status())) {
        flight->done(std::move(*error));
      } else {
        int64_t left_ms = std::max<int64_t>(deadline_ms - self->now_ms(), 1);
        self->when_image(Zxid(flight->reply.status().zxid()), left_ms,
                         [flight] { flight->done(std::move(flight->reply)); });
      }
      if (self->stopping_) self->end_stop();
    });
  };
  (flight->stub->async()->*method)(&flight->context, &flight->request, &flight->reply,
                                   std::move(landed));
}

// ---- the public face ----

namespace {

using Interface = wire::Coordinator::StubInterface::async_interface;

template <typename Request, typename Reply>
using Method = void (Interface::*)(grpc::ClientContext*, const Request*, Reply*,
                                   std::function<void(grpc::Status)>);

}  // namespace

CoordinatorClient::CoordinatorClient(Executor home)
    : impl_(std::make_shared<Impl>(std::move(home))) {}
CoordinatorClient::~CoordinatorClient() = default;

void CoordinatorClient::on_image(Executor executor, ImageHandler handler) {
  impl_->on_image(std::move(executor), std::move(handler));
}
void CoordinatorClient::on_refused(std::function<void(Error)> handler) {
  impl_->on_refused(std::move(handler));
}
Result<void> CoordinatorClient::start(Registration registration) {
  return impl_->start(std::move(registration));
}
Registered CoordinatorClient::registration() const { return impl_->registration(); }
ImagePtr CoordinatorClient::image() const { return impl_->image(); }
bool CoordinatorClient::connected() const { return impl_->connected(); }

CoordinatorClient::Awaitable<Result<Registered>> CoordinatorClient::registered() {
  std::function<void(Done<Result<Registered>>)> begin = [impl =
                                                             impl_](Done<Result<Registered>> done) {
    impl->post(
        [impl, done = std::move(done)]() mutable { impl->wait_registered(std::move(done)); });
  };
  co_return co_await wait_for<Result<Registered>>(std::move(begin));
}

CoordinatorClient::Awaitable<void> CoordinatorClient::stop() {
  std::function<void(Done<bool>)> begin = [impl = impl_](Done<bool> done) {
    impl->post([impl, done = std::move(done)]() mutable { impl->stop(std::move(done)); });
  };
  co_await wait_for<bool>(std::move(begin));
}

namespace {

// Starts the call on the home executor and waits for its reply.
template <typename Impl, typename Request, typename Reply>
asio::awaitable<Result<Reply>> ask(std::shared_ptr<Impl> impl, Method<Request, Reply> method,
                                   Request request, CoordinatorClient::Timeout timeout) {
  std::function<void(Done<Result<Reply>>)> begin = [impl, method, request = std::move(request),
                                                    timeout](Done<Result<Reply>> done) mutable {
    impl->post(
        [impl, method, request = std::move(request), timeout, done = std::move(done)]() mutable {
          impl->call(method, std::move(request), timeout.count(), std::move(done));
        });
  };
  co_return co_await wait_for<Result<Reply>>(std::move(begin));
}

}  // namespace

CoordinatorClient::Awaitable<Result<std::vector<TopicResult>>> CoordinatorClient::create_topics(
    std::vector<NewTopic> topics, bool validate_only, Timeout timeout) {
  wire::CreateTopicsRequest request = encode(topics);
  request.set_validate_only(validate_only);
  request.set_timeout_ms(static_cast<int32_t>(timeout.count()));
  Method<wire::CreateTopicsRequest, wire::TopicsReply> method = &Interface::CreateTopics;
  auto reply = co_await ask(impl_, method, std::move(request), timeout);
  if (!reply) co_return reply.error();
  co_return decode(*reply);
}

CoordinatorClient::Awaitable<Result<std::vector<TopicResult>>> CoordinatorClient::delete_topics(
    std::vector<TopicToDelete> topics, Timeout timeout) {
  wire::DeleteTopicsRequest request = encode(topics);
  request.set_timeout_ms(static_cast<int32_t>(timeout.count()));
  Method<wire::DeleteTopicsRequest, wire::TopicsReply> method = &Interface::DeleteTopics;
  auto reply = co_await ask(impl_, method, std::move(request), timeout);
  if (!reply) co_return reply.error();
  co_return decode(*reply);
}

CoordinatorClient::Awaitable<Result<std::vector<TopicResult>>> CoordinatorClient::create_partitions(
    std::vector<NewPartitions> topics, bool validate_only, Timeout timeout) {
  wire::CreatePartitionsRequest request = encode(topics);
  request.set_validate_only(validate_only);
  request.set_timeout_ms(static_cast<int32_t>(timeout.count()));
  Method<wire::CreatePartitionsRequest, wire::TopicsReply> method = &Interface::CreatePartitions;
  auto reply = co_await ask(impl_, method, std::move(request), timeout);
  if (!reply) co_return reply.error();
  co_return decode(*reply);
}

CoordinatorClient::Awaitable<Result<std::vector<ConfigResult>>> CoordinatorClient::alter_configs(
    std::vector<ConfigChange> changes, bool validate_only, Timeout timeout) {
  wire::AlterConfigsRequest request = encode(changes);
  request.set_validate_only(validate_only);
  request.set_timeout_ms(static_cast<int32_t>(timeout.count()));
  Method<wire::AlterConfigsRequest, wire::AlterConfigsReply> method = &Interface::AlterConfigs;
  auto reply = co_await ask(impl_, method, std::move(request), timeout);
  if (!reply) co_return reply.error();
  co_return decode(*reply);
}

CoordinatorClient::Awaitable<Result<ProducerIdBlock>> CoordinatorClient::allocate_producer_ids(
    Timeout timeout) {
  Method<wire::AllocateProducerIdsRequest, wire::AllocateProducerIdsReply> method =
      &Interface::AllocateProducerIds;
  wire::AllocateProducerIdsRequest request;
  auto reply = co_await ask(impl_, method, std::move(request), timeout);
  if (!reply) co_return reply.error();
  co_return ProducerIdBlock{ProducerId(reply->first()), reply->size()};
}

CoordinatorClient::Awaitable<Result<std::vector<IsrResult>>> CoordinatorClient::alter_partition(
    std::vector<IsrChange> changes, Timeout timeout) {
  wire::AlterPartitionRequest request = encode(changes);
  Method<wire::AlterPartitionRequest, wire::AlterPartitionReply> method =
      &Interface::AlterPartition;
  auto reply = co_await ask(impl_, method, std::move(request), timeout);
  if (!reply) co_return reply.error();
  co_return decode(*reply);
}

CoordinatorClient::Awaitable<Result<std::vector<TopicPartition>>>
CoordinatorClient::controlled_shutdown(Timeout timeout) {
  Method<wire::ControlledShutdownRequest, wire::ControlledShutdownReply> method =
      &Interface::ControlledShutdown;
  wire::ControlledShutdownRequest request;
  auto reply = co_await ask(impl_, method, std::move(request), timeout);
  if (!reply) co_return reply.error();
  co_return decode(*reply);
}

}  // namespace odradek::broker::metadata
