#pragma once
// KafkaConnection: one TCP connection to a broker, one request at a time, each call with a
// deadline. Lives on the tool's only thread.

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "common/bytes/byte_writer.h"
#include "common/cli/socket.h"
#include "common/result.h"

namespace odradek::broker::cli {

struct VersionRange {
  int16_t min = 0;
  int16_t max = 0;
};

class KafkaConnection {
 public:
  // Deadlines are those of Socket.
  static Result<KafkaConnection> open(const std::string& host, int port, std::string client_id,
                                      int64_t deadline_ms);

  // Asks the broker what it serves; other requests need that first.
  Result<void> negotiate(int64_t deadline_ms);
  const std::map<int16_t, VersionRange>& versions() const { return versions_; }

  // Sends a request whose body was encoded for this version; the answer is the body behind the
  // response header.
  Result<Bytes> exchange(int16_t api_key, int16_t version, const Bytes& body, int64_t deadline_ms);

 private:
  KafkaConnection(odradek::cli::Socket socket, std::string client_id)
      : socket_(std::move(socket)), client_id_(std::move(client_id)) {}

  odradek::cli::Socket socket_;
  std::string client_id_;
  int32_t correlation_id_ = 0;
  std::map<int16_t, VersionRange> versions_;
};

}  // namespace odradek::broker::cli
