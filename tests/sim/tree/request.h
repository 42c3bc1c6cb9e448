#pragma once
// Request: what a client of the simulation asks, as bytes and in a form that can be read; and the
// two sides of every check of an answer: what the reply says, and what it would have to say by the
// history. Both as text, so that they can be compared and printed.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "coordinator/tree/operation.h"
#include "proto/zookeeper/opcodes.h"
#include "proto/zookeeper/records.h"
#include "tests/sim/tree/history.h"
#include "tests/sim/tree/watch_model.h"

namespace odradek::sim {

// A write as the client sent it, and what became of it. Shared by the client and the journal.
struct SentWrite {
  uint64_t order = 0;  // among all requests of its client
  std::string text;
  int64_t session = 0;
  // Once the coordinator gave it one; 0 where it did not, or a crash took it back.
  int64_t zxid = 0;
};

struct Request {
  int32_t xid = 0;
  zookeeper::OpCode op = zookeeper::OpCode::kPing;
  uint64_t order = 0;
  int64_t session = 0;
  // of a write: one operation unless it is a multi
  std::vector<coordinator::tree::Operation> writes;
  std::vector<zookeeper::OpCode> parts;  // op codes of a multi's or multiRead's operations
  std::shared_ptr<SentWrite> sent;
  // of a read
  std::vector<std::string> paths;  // one unless it is a multiRead
  bool watch = false;
  WatchKind kind = WatchKind::data;  // of addWatch
  zookeeper::WatcherType removes =
      zookeeper::WatcherType::kAny;  // of removeWatches and checkWatches
  zookeeper::SetWatches2 watches;
  // What anybody had been told when it was sent: its reply must not show an earlier state.
  int64_t floor = 0;

  bool is_write() const { return !writes.empty(); }
  // The frame with its length.
  std::string encode() const;
  std::string text() const;
};

std::string to_text(const coordinator::tree::Operation& operation);
std::string to_text(const std::vector<coordinator::tree::Operation>& operations);
std::string to_text(const zookeeper::Stat& stat);

// What the reply of a request says; nothing where its bytes are none of the answer's record.
std::optional<std::string> answer_text(const Request& request, zookeeper::ErrorCode error,
                                       std::string_view body);
// What it has to say against the tree at this zxid (of a write: the zxid of its own step). Watches
// are asked of `table`, which is as the connection's watches stood before the request.
std::string expected_text(const Request& request, const History& history, int64_t zxid,
                          const WatchModel& table);

}  // namespace odradek::sim
