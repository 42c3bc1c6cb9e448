#pragma once
// gRPC's streams for code that waits: a worker thread of its own writes or reads one message after
// another. gRPC's threads only wake it. The stream deletes itself when gRPC is done with it; the
// worker touches it no more after finish.

#include <grpcpp/grpcpp.h>

#include <condition_variable>
#include <mutex>

namespace odradek::coordinator::server {

// The last event that gRPC told.
class StreamEvent {
 public:
  void tell(bool ok) {
    std::lock_guard lock(mutex_);
    ok_ = ok;
    told_ = true;
    wake_.notify_one();
  }
  // Waits for one.
  bool await() {
    std::unique_lock lock(mutex_);
    wake_.wait(lock, [this] { return told_; });
    told_ = false;
    return ok_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable wake_;
  bool told_ = false;
  bool ok_ = false;
};

template <typename Message>
class BlockingWriter final : public grpc::ServerWriteReactor<Message> {
 public:
  // False where the other side is gone.
  bool write(const Message& message) {
    this->StartWrite(&message);
    return event_.await();
  }
  void finish(const grpc::Status& status) { this->Finish(status); }

 private:
  void OnWriteDone(bool ok) override { event_.tell(ok); }
  void OnDone() override { delete this; }
  StreamEvent event_;
};

template <typename Message>
class BlockingReader final : public grpc::ServerReadReactor<Message> {
 public:
  // False at the end, and where the other side is gone.
  bool read(Message& message) {
    this->StartRead(&message);
    return event_.await();
  }
  void finish(const grpc::Status& status) { this->Finish(status); }

 private:
  void OnReadDone(bool ok) override { event_.tell(ok); }
  void OnDone() override { delete this; }
  StreamEvent event_;
};

}  // namespace odradek::coordinator::server
