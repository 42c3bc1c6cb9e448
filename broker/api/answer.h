#pragma once
// An answer is a list of pieces in the order in which they leave (common/net/piece.h): bytes in
// memory, or a range of a file that is kept open until it is sent. What encrypts or converts
// replaces only the last step, which sends pieces.

#include <boost/asio/awaitable.hpp>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "common/net/piece.h"

namespace odradek::broker::api {

using net::FileRange;
using net::Piece;

// The whole response frame behind its length: response header and body. The connection writes the
// length in front.
class Answer {
 public:
  enum class Kind {
    respond,
    nothing,  // the request has no response (Produce with acks=0)
    close,    // the connection ends (acks=0 and an error; a body that does not decode)
    later,  // the request has its effect; its answer comes from a coroutine, while the next request
            // starts
  };

  Answer() = default;
  explicit Answer(Bytes frame) { add(std::move(frame)); }
  static Answer nothing() { return Answer(Kind::nothing, {}); }
  static Answer close(std::string reason) { return Answer(Kind::close, std::move(reason)); }
  // `rest` runs on the connection's shard; it must not use the request's body. Answers leave in
  // request order.
  static Answer later(boost::asio::awaitable<Answer> rest) {
    Answer answer(Kind::later, {});
    answer.rest_ = std::make_shared<boost::asio::awaitable<Answer>>(std::move(rest));
    return answer;
  }

  // The same for what may wait for others for minutes: where the connection goes meanwhile, `rest`
  // is cancelled (a co_await in it throws), so that whoever is waited for learns of it.
  static Answer later_unless_gone(boost::asio::awaitable<Answer> rest) {
    Answer answer = later(std::move(rest));
    answer.ends_with_connection_ = true;
    return answer;
  }

  void add(Bytes bytes) {
    size_ += bytes.size();
    pieces_.emplace_back(std::move(bytes));
  }
  void add(FileRange range) {
    size_ += range.size;
    pieces_.emplace_back(std::move(range));
  }

  boost::asio::awaitable<Answer> take_rest() { return std::move(*rest_); }
  Kind kind() const { return kind_; }
  bool ends_with_connection() const { return ends_with_connection_; }
  const std::string& reason() const { return reason_; }  // of a close, for the log line
  size_t size() const { return size_; }                  // of all pieces
  const std::vector<Piece>& pieces() const { return pieces_; }
  std::vector<Piece>& pieces() { return pieces_; }

 private:
  Answer(Kind kind, std::string reason) : kind_(kind), reason_(std::move(reason)) {}

  Kind kind_ = Kind::respond;
  std::string reason_;
  std::shared_ptr<boost::asio::awaitable<Answer>> rest_;
  bool ends_with_connection_ = false;
  std::vector<Piece> pieces_;
  size_t size_ = 0;
};

}  // namespace odradek::broker::api
