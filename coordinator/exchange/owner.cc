#include "coordinator/exchange/owner.h"

namespace odradek::coordinator::exchange {

namespace {

constexpr int64_t kContainer = INT64_MIN;
constexpr uint64_t kTtl = 0xff00'0000'0000'0000;
constexpr uint64_t kTtlValue = 0x0000'00ff'ffff'ffff;

// java.util.Random, as its documentation defines it: 48 bits, of which the upper 32 are a number.
class JavaRandom {
 public:
  explicit JavaRandom(int64_t seed) : state_((static_cast<uint64_t>(seed) ^ kFactor) & kMask) {}
  uint32_t next() {
    state_ = (state_ * kFactor + 0xb) & kMask;
    return static_cast<uint32_t>(state_ >> 16);
  }

 private:
  static constexpr uint64_t kFactor = 0x5deece66d;
  static constexpr uint64_t kMask = (uint64_t{1} << 48) - 1;
  uint64_t state_;
};

}  // namespace

tree::Password zookeeper_password(SessionId session) {
  JavaRandom random(session.value() ^ 0xb341'5c00);
  tree::Password password;
  for (size_t i = 0; i < password.size(); i += 4) {
    uint32_t bits = random.next();
    for (size_t j = 0; j < 4; ++j, bits >>= 8) password[i + j] = static_cast<uint8_t>(bits);
  }
  return password;
}

bool looks_like_ttl(int64_t owner) {
  return (static_cast<uint64_t>(owner) & ~kTtlValue) == kTtl;
}

void set_owner(int64_t owner, bool is_session, tree::Stat& stat) {
  stat.kind = tree::NodeKind::persistent;
  stat.ephemeral_owner = SessionId();
  stat.ttl_ms = 0;
  if (owner == kContainer) {
    stat.kind = tree::NodeKind::container;
  } else if (looks_like_ttl(owner) && !is_session) {
    stat.kind = tree::NodeKind::ttl;
    stat.ttl_ms = owner & static_cast<int64_t>(kTtlValue);
  } else if (owner != 0) {
    stat.kind = tree::NodeKind::ephemeral;
    stat.ephemeral_owner = SessionId(owner);
  }
}

int64_t ephemeral_owner(const tree::Stat& stat) {
  switch (stat.kind) {
    case tree::NodeKind::persistent:
      return 0;
    case tree::NodeKind::ephemeral:
      return stat.ephemeral_owner.value();
    case tree::NodeKind::container:
      return kContainer;
    case tree::NodeKind::ttl:
      return static_cast<int64_t>(kTtl | static_cast<uint64_t>(stat.ttl_ms));
  }
  return 0;
}

}  // namespace odradek::coordinator::exchange
