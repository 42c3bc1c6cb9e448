#pragma once
// ClientConnection: one ZooKeeper client. It owns the requests that wait and the bytes that are to
// go out, and holds the client's session while it lives. Where the bytes come from and go to is a
// derived class's matter: ClientSocket in the service, the simulator's network in tests. Tree
// thread.
//
// Order: replies leave in the order of the requests. Writes are handed to the pipeline at once, one
// behind another; a read waits until the writes before it are applied, and whatever comes behind a
// waiting read waits too. A watch event is put into the outgoing bytes in the step that applies its
// change, so it stands before every reply that shows the change.
//
// Memory: of a request no more than has arrived is held; a connection whose outgoing bytes or
// waiting requests reach their bound is not read from, and one that lets events pile up beyond
// kMaxOutgoingBytes is closed. What all connections hold together is bounded by Clients.

#include <deque>
#include <functional>
#include <memory>
#include <string>

#include "common/net/frame_assembler.h"
#include "common/security/digest_md5.h"
#include "coordinator/pipeline/pipeline.h"
#include "coordinator/server/clients.h"
#include "coordinator/server/codec.h"
#include "coordinator/session/session_table.h"
#include "coordinator/tree/watch_table.h"

namespace odradek::coordinator::server {

class ClientConnection : public session::SessionOwner,
                         public tree::Watcher,
                         public std::enable_shared_from_this<ClientConnection> {
 public:
  // `address` is what ACLs of scheme ip see, `peer` (with the port) what the log names.
  ClientConnection(std::string address, std::string peer, Clients& clients,
                   std::function<void()> on_closed);
  ~ClientConnection() override;

  // `why`, where given, is logged with the peer.
  void close(const std::string& why = "");

  void session_ended(SessionId session) override;
  void session_moved(SessionId session) override;
  bool may_hear(const tree::Acl& acl) const override;
  void on_watch_event(tree::EventType type, const std::string& path, Zxid zxid) override;
  // There is room for requests again.
  void room_again();

  bool sessionless() const { return state_ == State::connecting; }
  int64_t since_ms() const { return since_ms_; }
  // It was told to close so long ago that whoever is there does not take the last bytes.
  bool overdue(int64_t now_ms) const {
    return state_ == State::closing && now_ms - closing_since_ms_ >= 5000;
  }

  // How long it has been in the middle of a request without sending more; 0 where it is not, or is
  // not read from.
  int64_t stalled_ms(int64_t now_ms) const {
    return counted_frame_ > 0 && (interest_ops() & 1) != 0 ? now_ms - last_byte_ms_ : 0;
  }
  size_t outgoing_bytes() const { return out_.size() - out_at_; }

  // For the four-letter words.
  struct Statistics {
    int64_t received = 0;
    int64_t sent = 0;
    const char* last_op = "NA";
    int32_t last_xid = -1;  // special ones (pings) apart
    Zxid last_zxid{-1};
    int64_t last_response_ms = 0;  // monotonic
    int64_t last_latency_ms = 0;
    LatencyStats latency;
    int64_t since_wall_ms = 0;
    int32_t timeout_ms = 0;
  };
  const std::string& peer() const { return peer_; }
  SessionId session() const { return session_; }
  size_t queued() const { return held_.size() + outstanding_; }
  // As java.nio names them: 1 where it is read from, 4 where it is written to.
  virtual int interest_ops() const { return 1; }
  const Statistics& statistics() const { return statistics_; }
  void reset_statistics();

 protected:
  // ---- for the one that moves the bytes

  // What came is put into the assembler, then answered here.
  net::FrameAssembler& assembler() { return assembler_; }
  void received();
  // Nothing should be read now; read_on says when it should again.
  bool paused();
  // It is in the middle of a request for which there is no memory now; read_on says when there is.
  bool waits_for_memory();
  // The other side ended the stream, or it broke.
  void lost();
  // Its session is being made: nothing is to be read, but its end should be noticed.
  bool establishing() const { return state_ == State::establishing; }
  bool closed() const { return state_ == State::closed; }
  // Whether bytes, or the end, of the stream should be waited for.
  bool watched() { return !closed() && (establishing() || !paused()); }
  // What is to go out. Good until the next call of anything.
  ByteView outgoing() const { return ByteView(out_).substr(out_at_); }
  // So much of it went (0, too, after flush_soon: one that is to be closed may have nothing left).
  void sent(size_t bytes);

  // There are bytes to go out, or it is to be closed with its last one: call sent() later, not from
  // here, in the middle of a step.
  virtual void flush_soon() = 0;
  virtual void read_on() = 0;
  // Called once, by close().
  virtual void hang_up() = 0;
  // Runs `fn` later on the tree thread, not from here.
  virtual void post(std::function<void()> fn) = 0;

 private:
  enum class State { connecting, establishing, open, closing, closed };
  struct Request {
    int32_t xid = 0;
    int32_t type = 0;
    net::Buffer frame;  // with the header
    int64_t begin_ms = 0;
    ByteView body() const { return frame.view().substr(8); }
  };
  // What of a request is needed for its reply.
  struct Ticket {
    int32_t xid;
    int32_t type;
    int64_t begin_ms;
  };

  void count_frame();
  void count_outgoing();
  void drop_held();
  void count_latency(int64_t latency_ms, bool update);
  bool outgoing_full() const;
  void process_frames();
  void on_connect(const net::Buffer& frame);
  void on_session(Result<pipeline::Pipeline::SessionGrant> grant);
  void on_request(net::Buffer frame);
  bool try_start(Request& request);
  void submit_write(Request& request, zookeeper::OpCode op);
  void submit_close(const Request& request);
  void submit_sync(Request& request);
  void answer_now(const Request& request, std::optional<zookeeper::OpCode> op);
  void answer_about_identity(const Request& request, zookeeper::OpCode op);
  void end_with(const Ticket& ticket, Zxid zxid, const Answer& answer);
  void finish(const Ticket& ticket, Zxid zxid, const Answer& answer);
  void write_ended();
  void carry_on();
  void put_out(Bytes bytes);
  void close_when_flushed();
  void warn(const std::string& what);

  // client_auth.cc. Nothing: the connection is closed.
  bool may_ask() const;
  // False where it has as many as one may have.
  [[nodiscard]] bool add_identity(tree::Identity identity);
  std::optional<Answer> answer_auth(const Request& request);
  std::optional<Answer> answer_sasl(const Request& request);
  Answer refuse_sasl(const Error& error);

  Clients& clients_;
  pipeline::Pipeline& pipeline_;
  const std::string address_;
  const std::string peer_;
  const int64_t since_ms_;
  std::function<void()> on_closed_;
  State state_ = State::connecting;
  int64_t closing_since_ms_ = 0;
  bool has_read_only_ = false;
  SessionId session_;
  tree::AuthRef auth_;
  std::unique_ptr<security::DigestMd5Server> sasl_;  // once the client began
  net::FrameAssembler assembler_;
  std::deque<Request> held_;  // behind a read that waits
  size_t outstanding_ = 0;    // with the pipeline
  bool syncing_ = false;      // a sync is on the way: all behind it waits
  bool carrying_on_ = false;
  bool waits_for_room_ = false;
  bool waits_for_memory_ = false;
  int64_t last_byte_ms_ = 0;
  int64_t connect_ms_ = 0;       // when the ConnectRequest had arrived
  int64_t counted_frame_ = 0;    // of what Clients knows that this one holds
  int64_t counted_outgoing_ = 0;
  Bytes out_;
  size_t out_at_ = 0;  // what of out_ is sent
  Statistics statistics_;
};

}  // namespace odradek::coordinator::server
