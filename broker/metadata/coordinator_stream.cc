#include "broker/metadata/coordinator_stream.h"

#include <boost/asio/post.hpp>

namespace odradek::broker::metadata {

class CoordinatorStream::Reactor final
    : public grpc::ClientBidiReactor<wire::ToCoordinator, wire::ToBroker> {
 public:
  explicit Reactor(std::shared_ptr<CoordinatorStream> stream) : stream_(std::move(stream)) {}

  void OnReadDone(bool ok) override {
    if (ok)
      stream_->heard(std::move(in_));
    else
      stream_->input_over(*this);
  }
  void OnWriteDone(bool ok) override { stream_->written(ok); }
  void OnDone(const grpc::Status& status) override {
    stream_->done(status);
    delete this;
  }

  // A hold keeps OnDone back while calls may still come from outside of the reactor: until the
  // input has ended.
  void begin() {
    AddHold();
    read();
    StartCall();
  }
  void read() {
    in_.Clear();
    StartRead(&in_);
  }
  void write(wire::ToCoordinator message) {
    out_ = std::move(message);
    StartWrite(&out_);
  }

 private:
  std::shared_ptr<CoordinatorStream> stream_;
  wire::ToBroker in_;
  wire::ToCoordinator out_;
};

CoordinatorStream::CoordinatorStream(boost::asio::any_io_executor home, Handlers handlers)
    : home_(std::move(home)), handlers_(std::move(handlers)) {}

CoordinatorStream::~CoordinatorStream() = default;

void CoordinatorStream::open(wire::Coordinator::Stub& stub, wire::Register registration) {
  auto* reactor = new Reactor(shared_from_this());
  stub.async()->Session(&context_, reactor);
  wire::ToCoordinator first;
  *first.mutable_registration() = std::move(registration);
  std::lock_guard lock(mutex_);
  reactor_ = reactor;
  queue_.push_back(std::move(first));
  reactor_->begin();
  write_next();
}

void CoordinatorStream::heard(wire::ToBroker message) {
  boost::asio::post(home_, [self = shared_from_this(), message = std::move(message)]() mutable {
    if (self->handlers_.on_message) self->handlers_.on_message(std::move(message));
    self->read_next();
  });
}

void CoordinatorStream::written(bool ok) {
  std::lock_guard lock(mutex_);
  writing_ = false;
  if (!ok) queue_.clear();
  write_next();
}

void CoordinatorStream::input_over(Reactor& reactor) {
  // OnDone may come inside of RemoveHold, and whoever hears of the end lets go of this object
  auto self = shared_from_this();
  {
    std::lock_guard lock(mutex_);
    reactor_ = nullptr;
    queue_.clear();
  }
  reactor.RemoveHold();
}

void CoordinatorStream::done(const grpc::Status& status) {
  boost::asio::post(home_, [self = shared_from_this(), status] {
    Handlers handlers = std::move(self->handlers_);
    self->handlers_ = Handlers();
    if (handlers.on_end) handlers.on_end(status);
  });
}

void CoordinatorStream::write_next() {
  if (reactor_ == nullptr || writing_ || writes_done_) return;
  if (!queue_.empty()) {
    wire::ToCoordinator message = std::move(queue_.front());
    queue_.pop_front();
    writing_ = true;
    reactor_->write(std::move(message));
  } else if (finishing_) {
    writes_done_ = true;
    reactor_->StartWritesDone();
  }
}

void CoordinatorStream::send(wire::ToCoordinator message) {
  std::lock_guard lock(mutex_);
  if (reactor_ == nullptr || finishing_) return;
  queue_.push_back(std::move(message));
  write_next();
}

void CoordinatorStream::read_next() {
  std::lock_guard lock(mutex_);
  if (reactor_ != nullptr) reactor_->read();
}

void CoordinatorStream::finish() {
  std::lock_guard lock(mutex_);
  finishing_ = true;
  write_next();
}

void CoordinatorStream::cancel() { context_.TryCancel(); }

}  // namespace odradek::broker::metadata
