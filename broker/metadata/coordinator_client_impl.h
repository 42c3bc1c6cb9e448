#pragma once
// The inside of CoordinatorClient. Its state lives on the home executor but for what is atomic.
// coordinator_client.cc has the stream's life, coordinator_calls.cc the admin calls and the public
// face.

#include <grpcpp/grpcpp.h>

#include <atomic>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <list>
#include <unordered_set>

#include "broker/metadata/connect_string.h"
#include "broker/metadata/coordinator_client.h"
#include "broker/metadata/coordinator_stream.h"
#include "broker/metadata/wire_codec.h"
#include "common/clock.h"

namespace odradek::broker::metadata {

namespace asio = boost::asio;

inline constexpr int64_t kFirstBackoffMs = 20;

template <typename T>
using Done = std::function<void(T)>;

class CoordinatorClient::Impl : public std::enable_shared_from_this<Impl> {
 public:
  explicit Impl(Executor home)
      : home_(std::move(home)),
        retry_(home_),
        answer_timer_(home_),
        heartbeat_(home_),
        farewell_(home_) {
    image_.store(std::make_shared<const Image>());
    registered_.store(std::make_shared<const Registered>());
  }

  void on_image(Executor executor, ImageHandler handler) {
    image_executor_ = std::move(executor);
    image_handler_ = std::move(handler);
  }
  void on_refused(std::function<void(Error)> handler) { refused_handler_ = std::move(handler); }
  Result<void> start(Registration registration);
  ImagePtr image() const { return image_.load(); }
  Registered registration() const { return *registered_.load(); }
  bool connected() const { return connected_.load(); }

  // On the home executor.
  void wait_registered(Done<Result<Registered>> done);
  void stop(Done<bool> done);

  // One unary call; `method` starts it. On the home executor.
  template <typename Request, typename Reply>
  void call(void (wire::Coordinator::StubInterface::async_interface::*method)(
                grpc::ClientContext*, const Request*, Reply*, std::function<void(grpc::Status)>),
            Request request, int64_t timeout_ms, Done<Result<Reply>> done);
  template <typename Fn>
  void post(Fn fn) {
    asio::post(home_, std::move(fn));
  }

 private:
  struct Session {
    int64_t id = 0;  // 0: none
    std::string password;
    int32_t timeout_ms = 0;
  };
  // A call in flight, so that stop can cancel it.
  struct Pending {
    grpc::ClientContext context;
  };
  struct ImageWaiter {
    Zxid zxid;
    std::unique_ptr<asio::steady_timer> deadline;
    std::function<void()> done;
  };

  void connect();
  void on_message(wire::ToBroker message);
  void on_registered(const wire::Registered& message);
  void on_refused_message(const wire::Refused& message);
  void on_expired(const wire::Expired& message);
  void on_snapshot(const wire::SnapshotPart& part);
  void on_delta(const wire::Delta& delta);
  void on_end(const grpc::Status& status);
  void heartbeat();
  void publish(std::shared_ptr<Image> image, bool snapshot);
  void bad_image(const Error& error);
  void fail(Error error);
  void try_again();
  void answer_registered();
  void when_image(Zxid zxid, int64_t timeout_ms, std::function<void()> done);
  void end_stop();
  int64_t now_ms() const { return clock_.monotonic_ms(); }

  const Executor home_;
  SystemClock clock_;
  Executor image_executor_;
  ImageHandler image_handler_;
  std::function<void(Error)> refused_handler_;

  std::atomic<ImagePtr> image_;
  std::atomic<std::shared_ptr<const Registered>> registered_;
  std::atomic<bool> connected_ = false;
  std::atomic<bool> silent_ = false;  // stopped: handlers are called no more

  // all below: home executor
  Registration wanted_;
  ConnectString connect_;
  size_t host_ = 0;
  std::shared_ptr<grpc::Channel> channel_;
  std::shared_ptr<wire::Coordinator::Stub> stub_;
  std::shared_ptr<CoordinatorStream> stream_;
  Session session_;
  SnapshotBuilder snapshot_;
  bool image_usable_ = false;    // deltas may follow the image that we have
  bool first_image_ = false;     // of any registration
  bool expired_ = false;         // the stream that ends said so: register anew, soon
  std::optional<Error> failed_;  // refused for good
  bool stopping_ = false;
  std::vector<Done<bool>> stop_waiters_;
  std::vector<Done<Result<Registered>>> registered_waiters_;
  std::list<ImageWaiter> image_waiters_;
  std::unordered_set<std::shared_ptr<Pending>> pending_;

  asio::steady_timer retry_, answer_timer_, heartbeat_, farewell_;
  int64_t backoff_ms_ = kFirstBackoffMs;
  int64_t last_heard_ms_ = 0;
  uint64_t heartbeats_ = 0;
  bool away_ = false;  // said in the log
  int64_t away_since_ms_ = 0, away_logged_ms_ = 0;
};

}  // namespace odradek::broker::metadata
