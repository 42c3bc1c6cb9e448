#pragma once
// BrokerStream: one broker's gRPC stream. Its reactor lives on gRPC's threads and posts what it
// hears to the tree thread in its first line; everything else here may be called from the tree
// thread at any time, also after the stream ended. One read and one write are in flight at most;
// the queue of what is to be written is bounded, and a stream over its bound is cut: the broker
// comes back and is sent a snapshot.

#include <deque>
#include <functional>
#include <memory>
#include <mutex>

#include "common/runtime/executor.h"
#include "proto/coordinator/coordinator.grpc.pb.h"

namespace odradek::coordinator::server {

namespace wire = odradek::coordinator::v1;

class BrokerStream;

// Called on the tree thread.
class StreamListener {
 public:
  virtual ~StreamListener() = default;
  virtual void on_message(const std::shared_ptr<BrokerStream>& stream,
                          wire::ToCoordinator message) = 0;
  // Nothing comes any more. `by_peer`: its connection broke or it left; else this side had ended
  // the stream.
  virtual void on_end(const std::shared_ptr<BrokerStream>& stream, bool by_peer) = 0;
};

class BrokerStream : public std::enable_shared_from_this<BrokerStream> {
 public:
  using Reactor = grpc::ServerBidiReactor<wire::ToCoordinator, wire::ToBroker>;

  BrokerStream(runtime::Executor tree, StreamListener& listener, std::string peer,
               size_t max_queued_bytes);
  // The reactor deletes itself when gRPC is done with it.
  Reactor* open();

  // Any thread.
  void send(wire::ToBroker message);
  void read_next();  // after a message was dealt with
  void finish();     // what is queued is still written
  void cut();        // nothing more is written
  const std::string& peer() const { return peer_; }

 private:
  class ReactorImpl;
  void heard(wire::ToCoordinator message);
  void input_ended();
  void written(bool ok);
  void cancelled();
  void done();
  // With the lock held.
  void write_or_finish();
  void post_end(bool by_peer);

  const runtime::Executor tree_;
  StreamListener& listener_;
  const std::string peer_;
  const size_t max_queued_bytes_;

  std::mutex mutex_;
  ReactorImpl* reactor_ = nullptr;  // null before open and after done
  std::deque<wire::ToBroker> queue_;
  size_t queued_bytes_ = 0;
  bool writing_ = false;
  bool ending_ = false;    // by this side, or by what was heard
  bool finished_ = false;  // Finish was called
  bool end_posted_ = false;
};

}  // namespace odradek::coordinator::server
