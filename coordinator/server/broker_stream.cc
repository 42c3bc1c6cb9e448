#include "coordinator/server/broker_stream.h"

#include <boost/asio/post.hpp>

namespace odradek::coordinator::server {

class BrokerStream::ReactorImpl final : public Reactor {
 public:
  explicit ReactorImpl(std::shared_ptr<BrokerStream> stream) : stream_(std::move(stream)) {}

  void OnReadDone(bool ok) override {
    if (ok)
      stream_->heard(std::move(in_));
    else
      stream_->input_ended();
  }
  void OnWriteDone(bool ok) override { stream_->written(ok); }
  void OnCancel() override { stream_->cancelled(); }
  void OnDone() override {
    stream_->done();
    delete this;
  }

  void read() {
    in_.Clear();
    StartRead(&in_);
  }
  void write(wire::ToBroker message) {
    out_ = std::move(message);
    StartWrite(&out_);
  }

 private:
  std::shared_ptr<BrokerStream> stream_;
  wire::ToCoordinator in_;
  wire::ToBroker out_;
};

BrokerStream::BrokerStream(runtime::Executor tree, StreamListener& listener, std::string peer,
                           size_t max_queued_bytes)
    : tree_(tree),
      listener_(listener),
      peer_(std::move(peer)),
      max_queued_bytes_(max_queued_bytes) {}

BrokerStream::Reactor* BrokerStream::open() {
  auto* reactor = new ReactorImpl(shared_from_this());
  std::lock_guard lock(mutex_);
  reactor_ = reactor;
  reactor_->read();
  return reactor;
}

void BrokerStream::heard(wire::ToCoordinator message) {
  boost::asio::post(tree_, [self = shared_from_this(), message = std::move(message)]() mutable {
    self->listener_.on_message(self, std::move(message));
  });
}

void BrokerStream::input_ended() {
  std::lock_guard lock(mutex_);
  post_end(!ending_);
  ending_ = true;
  write_or_finish();
}

void BrokerStream::cancelled() {
  std::lock_guard lock(mutex_);
  post_end(!ending_);
  ending_ = true;
  queue_.clear();
  write_or_finish();
}

void BrokerStream::written(bool ok) {
  std::lock_guard lock(mutex_);
  writing_ = false;
  if (!ok) {
    post_end(!ending_);
    ending_ = true;
    queue_.clear();
  }
  write_or_finish();
}

void BrokerStream::done() {
  std::lock_guard lock(mutex_);
  reactor_ = nullptr;
  queue_.clear();
  post_end(!ending_);
}

void BrokerStream::post_end(bool by_peer) {
  if (end_posted_) return;
  end_posted_ = true;
  boost::asio::post(
      tree_, [self = shared_from_this(), by_peer] { self->listener_.on_end(self, by_peer); });
}

void BrokerStream::write_or_finish() {
  if (reactor_ == nullptr || writing_ || finished_) return;
  if (!queue_.empty()) {
    wire::ToBroker message = std::move(queue_.front());
    queue_.pop_front();
    queued_bytes_ = queue_.empty() ? 0 : queued_bytes_ - message.ByteSizeLong();
    writing_ = true;
    reactor_->write(std::move(message));
  } else if (ending_) {
    finished_ = true;
    reactor_->Finish(grpc::Status::OK);
  }
}

void BrokerStream::send(wire::ToBroker message) {
  std::lock_guard lock(mutex_);
  if (reactor_ == nullptr || ending_ || finished_) return;
  queued_bytes_ += message.ByteSizeLong();
  queue_.push_back(std::move(message));
  if (queued_bytes_ > max_queued_bytes_) {
    ending_ = true;
    queue_.clear();
  }
  write_or_finish();
}

void BrokerStream::read_next() {
  std::lock_guard lock(mutex_);
  if (reactor_ != nullptr && !finished_) reactor_->read();
}

void BrokerStream::finish() {
  std::lock_guard lock(mutex_);
  ending_ = true;
  write_or_finish();
}

void BrokerStream::cut() {
  std::lock_guard lock(mutex_);
  ending_ = true;
  queue_.clear();
  write_or_finish();
}

}  // namespace odradek::coordinator::server
