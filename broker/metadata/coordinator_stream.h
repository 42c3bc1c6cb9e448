#pragma once
// CoordinatorStream: one attempt at the session stream. Its reactor lives on gRPC's threads and
// posts what it hears to the home executor in its first line; everything else may be called from
// there at any time, also after the end. One read and one write are in flight at most. What is sent
// is a registration, heartbeats and a farewell: the queue stays short.

#include <boost/asio/any_io_executor.hpp>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>

#include "proto/coordinator/coordinator.grpc.pb.h"

namespace odradek::broker::metadata {

namespace wire = odradek::coordinator::v1;

class CoordinatorStream : public std::enable_shared_from_this<CoordinatorStream> {
 public:
  struct Handlers {  // called on the home executor
    std::function<void(wire::ToBroker)> on_message;
    std::function<void(grpc::Status)> on_end;  // once; nothing comes after it
  };

  CoordinatorStream(boost::asio::any_io_executor home, Handlers handlers);
  ~CoordinatorStream();
  void open(wire::Coordinator::Stub& stub, wire::Register registration);
  void send(wire::ToCoordinator message);
  void read_next();  // after a message was dealt with
  void finish();     // nothing more is sent; the coordinator ends the stream
  void cancel();

 private:
  class Reactor;
  void heard(wire::ToBroker message);
  void input_over(Reactor& reactor);
  void written(bool ok);
  void done(const grpc::Status& status);
  void write_next();  // with the lock held

  const boost::asio::any_io_executor home_;
  Handlers handlers_;  // touched on the home executor
  grpc::ClientContext context_;

  std::mutex mutex_;
  Reactor* reactor_ = nullptr;  // null after done
  std::deque<wire::ToCoordinator> queue_;
  bool writing_ = false;
  bool finishing_ = false;
  bool writes_done_ = false;
};

}  // namespace odradek::broker::metadata
