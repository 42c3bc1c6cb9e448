#pragma once
// History: the tree as ZooKeeper's documentation describes it, written as plainly as possible and
// apart from the product: one write after another, each whole or not at all. It is fed with every
// write in the order of zxids, in which the coordinator says that it did them, and knows what each
// had to answer, what it changed, and the tree as it stood at any zxid since the beginning. The
// simulator compares all that clients are told with it.

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "coordinator/tree/operation.h"
#include "proto/zookeeper/opcodes.h"
#include "proto/zookeeper/records.h"

namespace odradek::sim {

struct ModelNode {
  std::optional<std::string> data;
  zookeeper::Stat stat;
  coordinator::tree::NodeKind kind = coordinator::tree::NodeKind::persistent;
  int64_t ttl_ms = 0;
  int32_t creates = 0;  // of children, ever: the next sequence number
  coordinator::tree::Acl acl;
};

class History {
 public:
  struct Change {
    zookeeper::EventType type;  // created, deleted or data changed
    std::string path;
    // Whether the ACLs of that moment let clients read the znode and its parent: who may not read
    // is not told, and its one-shot watch is spent all the same.
    bool heard = true;
    bool parent_heard = true;
  };
  // What one operation has to answer.
  struct Answer {
    zookeeper::ErrorCode error = zookeeper::ErrorCode::kOk;
    std::string path;  // of a create
    zookeeper::Stat stat;
  };
  struct Step {
    int64_t zxid = 0;
    int64_t session = 0;
    int64_t wall_ms = 0;
    bool internal = false;
    std::vector<coordinator::tree::Operation> operations;
    // One an operation up to the first that fails; nothing was done where the last one is an error.
    std::vector<Answer> answers;
    std::vector<Change> changes;
    std::optional<int64_t> closed;  // the session that it ended
    bool failed() const { return answers.back().error != zookeeper::ErrorCode::kOk; }
  };

  History();

  // The next write: its zxid is last() + 1.
  const Step& append(int64_t session, bool internal,
                     std::vector<coordinator::tree::Operation> operations, int64_t wall_ms);
  // A crash took everything behind this zxid.
  void forget_after(int64_t zxid);

  int64_t last() const { return static_cast<int64_t>(steps_.size()); }
  // 1..last()
  const Step& step(int64_t zxid) const { return steps_.at(static_cast<size_t>(zxid - 1)); }
  // Null where nothing stood at the path when the zxid was done.
  const ModelNode* node(std::string_view path, int64_t zxid) const;
  // Names in byte order.
  std::vector<std::string> children(std::string_view path, int64_t zxid) const;
  std::vector<std::string> all_paths(int64_t zxid) const;
  // Paths in byte order.
  std::vector<std::string> ephemerals(int64_t session, int64_t zxid) const;
  bool session_open(int64_t session, int64_t zxid) const;
  std::vector<int64_t> open_sessions(int64_t zxid) const;

 private:
  struct Version {
    int64_t zxid;
    std::optional<ModelNode> node;
  };
  struct Life {
    int64_t opened = 0;
    int64_t closed = 0;  // 0: not yet
  };
  class Attempt;

  std::map<std::string, std::vector<Version>, std::less<>> paths_;
  std::map<int64_t, Life> sessions_;
  std::vector<Step> steps_;
};

// "/a/b" → "/a", "/a" → "/".
std::string model_parent(std::string_view path);

}  // namespace odradek::sim
