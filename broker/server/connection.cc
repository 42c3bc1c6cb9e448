#include "broker/server/connection.h"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>

#include "broker/metadata/coordinator_client.h"
#include "common/log/log.h"
#include "common/runtime/shards.h"
#include "common/runtime/thrown.h"

namespace odradek::broker::server {

namespace asio = boost::asio;
using api::Answer;

namespace {
// Others on the shard get their turn after so many requests of one connection.
constexpr int kRequestsPerTurn = 16;

// What a finished answer takes while it waits: its bytes in memory. Records stay in their files; a
// range keeps its file open, and counts for a page.
size_t cost_of(const Answer& answer) {
  constexpr size_t kRangeCost = 4096;
  size_t cost = 0;
  for (const api::Piece& piece : answer.pieces()) {
    const auto* bytes = std::get_if<Bytes>(&piece);
    cost += bytes != nullptr ? bytes->size() : kRangeCost;
  }
  return cost;
}

Bytes length_prefix(size_t size) {
  ByteWriter out;
  out.i32(static_cast<int32_t>(size));
  return out.take();
}
}  // namespace

Connection::Connection(runtime::Executor executor, net::Accepted accepted, std::string listener,
                       const ConnectionSettings& settings, api::Services& services,
                       net::MemoryBudget& frame_memory, const ApiRow* (*find_api)(int16_t api_key))
    : executor_(executor),
      socket_(executor, std::move(accepted), settings.max_request_bytes, *services.clock,
              services.background, &frame_memory),
      listener_(std::move(listener)),
      settings_(settings),
      services_(services),
      find_api_(find_api) {}

void Connection::refuse(const std::string& reason) {
  LOG_WARN("server", "Connection of {} is closed: {}", socket_.peer(), reason);
  close();
}

void Connection::fail(const std::exception_ptr& thrown) {
  // what was cancelled by the end of the connection leaves by an exception, too
  if (!broken_) {
    LOG_ERROR("server", "Connection of {} is closed: {}", socket_.peer(),
              runtime::error_of(thrown).what());
  }
  close();
}

void Connection::close() {
  broken_ = true;
  socket_.close();
  auto waiting = waiting_;
  for (auto& place : waiting) place->gone.emit(asio::cancellation_type::terminal);
  place_done_.notify_all();
  place_free_.notify_all();
}

runtime::awaitable<void> Connection::run() {
  auto self = shared_from_this();
  try {
    co_await serve_frames();
  } catch (...) {
    fail(std::current_exception());
  }
  close();
}

runtime::awaitable<void> Connection::serve_frames() {
  int served = 0;
  while (!broken_ && !socket_.closed()) {
    auto frame = co_await socket_.read_frame();
    if (!frame) {
      if (frame.error().code() == Errc::malformed) refuse(frame.error().what());
      break;
    }
    if (!frame->has_value()) break;
    bool goes_on = co_await serve((*frame)->view());
    net::FramedConnection::recycle(*std::move(*frame));
    if (!goes_on) break;
    if (++served % kRequestsPerTurn == 0) co_await asio::post(executor_, asio::use_awaitable);
  }
}

runtime::awaitable<bool> Connection::serve(ByteView frame) {
  ByteReader in(frame);
  auto header = kafka::decode_request_header(in);
  if (!header) {
    refuse("the header of its request cannot be read: " + header.error().what());
    co_return false;
  }
  api::RequestContext context;
  context.api_key = header->header.request_api_key;
  context.version = header->header.request_api_version;
  context.correlation_id = header->header.correlation_id;
  if (header->header.client_id) context.client_id = std::move(*header->header.client_id);
  context.peer = socket_.peer();
  context.peer_host = socket_.address();
  context.listener = listener_;
  context.received_ms = services_.clock->monotonic_ms();
  context.image = services_.coordinator->image();

  const ApiRow* row = find_api_(context.api_key);
  bool supported =
      row != nullptr && context.version >= row->min_version && context.version <= row->max_version;
  // An ApiVersions of any version is answered, so that newer clients learn what there is.
  if (!supported && !(row != nullptr && row->key == kafka::ApiKey::kApiVersions)) {
    std::string name = header->api ? std::string(kafka::name_of(*header->api)) : "API";
    refuse(row == nullptr
               ? "it asks for " + name + " (key " + std::to_string(context.api_key) +
                     "), which is not served here"
               : name + " of version " + std::to_string(context.version) + " is not supported");
    co_return false;
  }
  auto handler = row->handler;
  ByteView body = in.rest();
  handling_ = true;
  Answer answer = co_await handler(services_, std::move(context), body);
  handling_ = false;
  co_return co_await give(std::move(answer));
}

// The answer of a request whose turn has ended: sent at once where nothing waits before it.
runtime::awaitable<bool> Connection::give(Answer answer) {
  if (answer.kind() == Answer::Kind::close) {
    refuse(answer.reason());
    co_return false;
  }
  if (answer.kind() == Answer::Kind::nothing) co_return !broken_;
  if (answer.kind() != Answer::Kind::later && waiting_.empty())
    co_return co_await send(std::move(answer));

  auto place = std::make_shared<Place>();
  waiting_.push_back(place);
  if (answer.kind() == Answer::Kind::later) {
    if (answer.ends_with_connection()) {
      auto until_gone = asio::bind_cancellation_slot(place->gone.slot(), asio::detached);
      asio::co_spawn(executor_, finish_place(place, std::move(answer)), std::move(until_gone));
    } else {
      asio::co_spawn(executor_, finish_place(place, std::move(answer)), asio::detached);
    }
  } else {
    fill(*place, std::move(answer));
  }
  if (!writer_runs_) {
    writer_runs_ = true;
    asio::co_spawn(executor_, write_in_order(), asio::detached);
  }
  while (is_full() && !broken_) co_await place_free_.wait_ms(60000);
  co_return !broken_;
}

void Connection::fill(Place& place, Answer answer) {
  place.cost = cost_of(answer);
  waiting_bytes_ += place.cost;
  place.answer = std::move(answer);
  place.done = true;
}

runtime::awaitable<void> Connection::finish_place(std::shared_ptr<Place> place, Answer later) {
  auto self = shared_from_this();
  try {
    auto rest = later.take_rest();
    Answer answer = co_await std::move(rest);
    fill(*place, std::move(answer));
  } catch (...) {
    fail(std::current_exception());
  }
  place_done_.notify_all();
}

runtime::awaitable<void> Connection::write_in_order() {
  auto self = shared_from_this();
  try {
    co_await write_answers();
  } catch (...) {
    fail(std::current_exception());
  }
  writer_runs_ = false;
}

runtime::awaitable<void> Connection::write_answers() {
  while (!waiting_.empty() && !broken_) {
    auto place = waiting_.front();
    if (!place->done) {
      co_await place_done_.wait_ms(60000);
      continue;
    }
    if (place->answer.kind() == Answer::Kind::close) {
      refuse(place->answer.reason());
    } else if (place->answer.kind() == Answer::Kind::respond) {
      bool sent = co_await send(std::move(place->answer));
      if (!sent) close();
    }
    waiting_bytes_ -= place->cost;
    waiting_.pop_front();
    place_free_.notify_all();
  }
}

runtime::awaitable<bool> Connection::send(Answer answer) {
  std::vector<api::Piece> pieces;
  pieces.reserve(answer.pieces().size() + 1);
  pieces.emplace_back(length_prefix(answer.size()));
  for (auto& piece : answer.pieces()) pieces.push_back(std::move(piece));
  sending_ = true;
  send_began_ms_ = services_.clock->monotonic_ms();
  auto sent = co_await socket_.send(std::move(pieces));
  sending_ = false;
  if (!sent && sent.error().code() == Errc::io_error) refuse(sent.error().what());
  co_return sent.ok();
}

}  // namespace odradek::broker::server
