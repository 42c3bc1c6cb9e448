#pragma once
// Wire: one TCP connection of the simulation. Each direction delivers its bytes in order, late, and
// in pieces that know nothing of frames; it can be finished by its sender, or cut, so that what is
// on the way is lost and the ends learn of it at different times or never.

#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "tests/sim/world.h"

namespace odradek::sim {

// What all wires share: how slow the network is now.
struct Network {
  int64_t most_delay_ms = 4;
  int last_wire = 0;
};

// One direction.
class Stream : public std::enable_shared_from_this<Stream> {
 public:
  Stream(World& world, const Network& network) : world_(world), network_(network) {}

  // Where the bytes arrive: `frames` is how many whole frames end in this piece.
  std::function<void(std::string bytes, int frames)> on_bytes;
  // The sender finished, or the connection broke. Once; nothing comes behind it.
  std::function<void()> on_end;

  // One whole frame.
  void write(std::string_view frame);
  // Whatever has been written arrives, then the end.
  void finish();
  // What is on the way is lost; the end is heard of after so long, or never (-1).
  void cut(int64_t heard_after_ms);
  bool ended() const { return ended_; }

 private:
  void move();
  void arrive();
  void end();

  World& world_;
  const Network& network_;
  std::string on_the_way_;
  std::deque<uint64_t> frame_ends_;  // positions in the stream
  uint64_t written_ = 0;
  uint64_t arrived_ = 0;
  bool moving_ = false;
  bool finished_ = false;
  bool cut_ = false;
  bool ended_ = false;
};

struct Wire {
  Wire(World& world, Network& network)
      : number(++network.last_wire),
        to_server(std::make_shared<Stream>(world, network)),
        to_client(std::make_shared<Stream>(world, network)) {}
  // Also in the client's address, by which the coordinator's writes are told apart.
  std::string address() const;

  const int number;
  const std::shared_ptr<Stream> to_server;
  const std::shared_ptr<Stream> to_client;
};

}  // namespace odradek::sim
