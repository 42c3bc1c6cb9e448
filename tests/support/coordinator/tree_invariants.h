#pragma once
// What must hold of every store, whatever was asked of it and wherever it crashed. Written against
// LAYOUT.md, not against the code that keeps it.

#include <string>
#include <vector>

#include "coordinator/store/store.h"

namespace odradek::coordinator {

// One sentence for each thing that is wrong; empty where the tree is whole: every znode has its
// parent, counters are what they count, ephemerals have their session and the side keys say the
// same, ACL numbers resolve, no zxid is above the last one.
std::vector<std::string> tree_problems(const store::Snapshot& snapshot);

// All of it as lines, for a comparison of two states: "KEY = VALUE" in hexadecimal.
std::vector<std::string> tree_dump(const store::Snapshot& snapshot);

}  // namespace odradek::coordinator
