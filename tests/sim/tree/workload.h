#pragma once
// Workload: what the clients of the simulation ask. All work on the same few znodes, so that they
// get in each other's way: creates of every kind, sets and deletes with right, wrong and no
// versions, multis that hold and multis that fail, ACLs that shut others out for a while, reads
// with and without watches, watches of every kind.

#include <map>
#include <string>
#include <vector>

#include "tests/sim/tree/request.h"
#include "tests/sim/tree/watch_model.h"
#include "tests/sim/world.h"

namespace odradek::sim {

class Workload {
 public:
  Workload(World& world, std::string name) : world_(world), name_(std::move(name)) {}

  // A request without its xid. `watched` are paths that the client has watches on.
  Request next(const std::vector<std::string>& watched);
  // Learns the names that a reply shows, so that sequential znodes are deleted again.
  void saw_child(const std::string& path);
  // Last known version of a znode.
  void saw_version(const std::string& path, int32_t version);

 private:
  Request write();
  Request read();
  Request watch_request(const std::vector<std::string>& watched);
  Request multi();
  coordinator::tree::CreateOp create();
  coordinator::tree::Operation change();
  std::string any_directory();
  std::string any_child();
  std::string any_path();
  std::string fresh_data();
  int32_t some_version(const std::string& path);

  World& world_;
  const std::string name_;
  std::vector<std::string> seen_;  // sequential znodes
  std::map<std::string, int32_t> versions_;
  int next_data_ = 0;
};

}  // namespace odradek::sim
