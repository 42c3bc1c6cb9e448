#pragma once
// Socket: one blocking TCP connection of a command line tool, every call with a deadline.
// Deadlines are monotonic milliseconds (now_ms).

#include <cstdint>
#include <string>

#include "common/bytes/byte_writer.h"
#include "common/result.h"

namespace odradek::cli {

int64_t now_ms();
void sleep_ms(int64_t ms);

class Socket {
 public:
  // Tries every address of the name, IPv4 first as a JVM does. The error says why the last one
  // failed.
  static Result<Socket> connect(const std::string& host, int port, int64_t deadline_ms);
  Socket(Socket&& other) noexcept;
  Socket& operator=(Socket&& other) noexcept;
  ~Socket();

  int fd() const { return fd_; }
  Result<void> send(ByteView bytes, int64_t deadline_ms);
  Result<Bytes> receive(size_t size, int64_t deadline_ms);  // just so many
  // A frame behind an int32 length; `max` bounds what is believed.
  Result<Bytes> receive_frame(size_t max, int64_t deadline_ms);
  bool readable() const;  // without waiting; also true at the end of the stream

 private:
  explicit Socket(int fd) : fd_(fd) {}
  int fd_;
};

}  // namespace odradek::cli
