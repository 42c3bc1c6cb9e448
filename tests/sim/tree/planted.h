#pragma once
// Bugs that are put in on purpose, each around the product's code, never in it: the test is that
// the simulator finds them.

namespace odradek::sim {

enum class Planted {
  none,
  event_after_reply,           // watch events go out behind the replies of their step
  event_lost,                  // one in many
  event_twice,                 // one in many
  watch_lost_at_reconnect,     // setWatches forgets one
  ephemeral_before_expiry,     // a session ends with its connection
  ephemeral_left_after_close,  // the session goes, one of its ephemerals stays
  read_overtakes_write,        // a read does not wait for the writes before it
  expired_by_own_pause,        // the time of a pause counts as the clients' silence
  sequence_reused,             // a delete takes the parent's count of creates back
  reply_before_fsync,          // a crash loses what was told
  torn_commit,                 // half of a batch survives a crash
  swept_early,                 // containers and TTL znodes go before they are due
};

}  // namespace odradek::sim
