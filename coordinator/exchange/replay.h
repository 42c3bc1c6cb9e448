#pragma once
// replay: a transaction of the log on a tree that may have seen it already.
//
// ZooKeeper takes a snapshot while transactions go on, so what is read shows some of those behind the
// snapshot's zxid and not others. Doing all of them once more leads to the tree that was: a create of
// what is there changes nothing but the ACL and, upwards only, the parent's counters; a delete of what
// is not there changes the parent's pzxid alone; setData and setACL say the version that comes after
// them. What stood below a znode when it was deleted came back later and is deleted with it: its own
// creates come behind.

#include "coordinator/exchange/import_tree.h"
#include "coordinator/exchange/logged_txn.h"

namespace odradek::coordinator::exchange {

// The tree's status says whether it could be stored.
void replay(const LoggedTxn& txn, ImportTree& tree);

// Deletes a znode with all that is below it, as transaction `zxid`; its parent follows.
void delete_as_of(const std::string& path, Zxid zxid, ImportTree& tree);

}  // namespace odradek::coordinator::exchange
