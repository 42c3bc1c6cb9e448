#include "tests/sim/tree_client.h"

#include "common/format.h"

namespace odradek::sim {

using coordinator::pipeline::Pipeline;
using coordinator::pipeline::Write;
using coordinator::pipeline::WriteReply;
using coordinator::tree::AuthInfo;
using coordinator::tree::CreateOp;
using coordinator::tree::DeleteOp;
using coordinator::tree::Operation;
using coordinator::tree::SetDataOp;
using coordinator::tree::Znode;

namespace {
constexpr int32_t kSessionTimeoutMs = 8000;
constexpr int kMostZnodes = 12;
}  // namespace

TreeClient::TreeClient(World& world, SimCoordinator& coordinator, int number)
    : world_(world), coordinator_(coordinator), base_("/client" + std::to_string(number)) {}

void TreeClient::connect() {
  uint64_t life = ++life_;
  world_.after(world_.between(1, 300), [this, life] {
    if (life != life_) return;
    if (!coordinator_.up()) return connect();
    Pipeline::SessionRequest request;
    request.timeout_ms = kSessionTimeoutMs;
    if (session_) {
      auto attached = coordinator_.pipeline().attach_session(session_->session, session_->password, request);
      if (attached) {
        heard_ms_ = world_.now_ms();
        return settle();
      }
      // the coordinator's own restart expires nobody, so only our silence can have
      if (world_.now_ms() - heard_ms_ < kSessionTimeoutMs) {
        world_.breach(format("session of {} expired after {} ms", base_, world_.now_ms() - heard_ms_));
        return;
      }
      session_.reset();
    }
    coordinator_.pipeline().create_session(request, [this, life](Result<Pipeline::SessionGrant> grant) {
      if (life != life_ || !grant) return;
      session_ = *grant;
      heard_ms_ = world_.now_ms();
      settle();
    });
  });
}

void TreeClient::disconnected() { connect(); }

bool TreeClient::stands(const std::vector<Effect>& effects) {
  for (const Effect& effect : effects) {
    std::optional<Znode> znode = coordinator_.pipeline().applied().get(effect.path);
    bool as_after = effect.after ? znode && znode->bytes() == effect.after->data &&
                                       znode->stat.version == effect.after->version
                                 : !znode;
    if (!as_after) return false;
  }
  return true;
}

void TreeClient::settle() {
  if (!in_flight_.empty()) {
    if (stands(in_flight_)) {
      for (const Effect& effect : in_flight_) {
        if (effect.after) expected_[effect.path] = *effect.after;
        else expected_.erase(effect.path);
      }
    }
    in_flight_.clear();
  }
  check();  // all or nothing of a multi, too: what did not happen must not have happened in part
  next();
}

void TreeClient::check() {
  for (const auto& [path, expected] : expected_) {
    std::optional<Znode> znode = coordinator_.pipeline().applied().get(path);
    if (!znode) {
      world_.breach("acknowledged znode lost: " + path);
    } else if (znode->bytes() != expected.data || znode->stat.version != expected.version) {
      world_.breach(format("acknowledged write lost: {} is version {}, told was {}", path, znode->stat.version,
                           expected.version));
    }
  }
  auto children = coordinator_.pipeline().applied().children(base_);
  if (!children) return;
  for (const std::string& name : *children) {
    std::string path = base_ + "/" + name;
    if (!expected_.contains(path)) world_.breach("a znode that was deleted, or never made, is there: " + path);
  }
}

std::string TreeClient::fresh_path() { return base_ + "/n" + std::to_string(next_name_++); }

void TreeClient::next() {
  uint64_t life = life_;
  world_.after(world_.between(0, 40), [this, life] {
    if (life != life_ || !coordinator_.up()) return;
    if (!coordinator_.pipeline().touch(session_->session)) return connect();
    heard_ms_ = world_.now_ms();
    std::string data = std::to_string(world_.below(1'000'000));
    if (!expected_.contains(base_)) return send({CreateOp(base_, data)}, {{base_, Expected{data, 0}}});

    std::vector<std::string> paths;
    for (const auto& [path, expected] : expected_) {
      if (path != base_) paths.push_back(path);
    }
    uint64_t choice = world_.below(100);
    if (paths.empty() || (choice < 40 && paths.size() < kMostZnodes)) {
      std::string path = fresh_path();
      return send({CreateOp(path, data)}, {{path, Expected{data, 0}}});
    }
    const std::string& path = paths[world_.below(paths.size())];
    const Expected& now = expected_.at(path);
    if (choice < 75) {
      Expected after{data, now.version + 1};
      return send({SetDataOp(path, data, now.version)}, {{path, after}});
    }
    if (choice < 88) return send({DeleteOp(path, now.version)}, {{path, std::nullopt}});
    std::string made = fresh_path();
    send({DeleteOp(path, now.version), CreateOp(made, data), SetDataOp(made, data + "+", 0)},
         {{path, std::nullopt}, {made, Expected{data + "+", 1}}});
  });
}

void TreeClient::send(std::vector<Operation> operations, std::vector<Effect> effects) {
  in_flight_ = std::move(effects);
  bool multi = operations.size() > 1;
  uint64_t life = life_;
  coordinator_.pipeline().write(
      Write(session_->session, AuthInfo(), std::move(operations), multi), [this, life](WriteReply reply) {
        // the reply travels; where the coordinator crashes meanwhile it is still on its way
        world_.after(world_.between(0, 5), [this, life, reply = std::move(reply)] {
          if (life == life_) replied(reply);
        });
      });
}

void TreeClient::replied(const WriteReply& reply) {
  heard_ms_ = world_.now_ms();
  if (!reply.ok()) {
    world_.breach(format("{}: refused: {}", base_, reply.failure->error.what()));
    return;
  }
  if (reply.zxid <= last_zxid_) {
    world_.breach(format("{}: zxid {} after {}", base_, reply.zxid.value(), last_zxid_.value()));
    return;
  }
  last_zxid_ = reply.zxid;
  for (const Effect& effect : in_flight_) {
    if (effect.after) expected_[effect.path] = *effect.after;
    else expected_.erase(effect.path);
  }
  in_flight_.clear();
  ++acknowledged_;
  world_.trace(format("{} told {}", base_, reply.zxid.value()));
  next();
}

}  // namespace odradek::sim
