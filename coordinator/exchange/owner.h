#pragma once
// What ZooKeeper derives instead of storing it: a session's password follows from its id, and what
// kind a znode is from its ephemeralOwner. Pure functions.

#include "common/ids.h"
#include "coordinator/tree/operation.h"
#include "coordinator/tree/types.h"

namespace odradek::coordinator::exchange {

// The password of a session that a ZooKeeper server gave out: its clients come back with it.
tree::Password zookeeper_password(SessionId session);

// Sets kind, session and TTL of the stat. `is_session` tells whether there is a session of this id:
// ids of a server number 255 look like TTLs.
void set_owner(int64_t ephemeral_owner, bool is_session, tree::Stat& stat);
int64_t ephemeral_owner(const tree::Stat& stat);
// Whether it could mean a TTL (all servers but number 255 mean one).
bool looks_like_ttl(int64_t ephemeral_owner);

}  // namespace odradek::coordinator::exchange
