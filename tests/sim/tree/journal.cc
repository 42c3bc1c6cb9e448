#include "tests/sim/tree/journal.h"

#include "common/format.h"

namespace odradek::sim {

using coordinator::pipeline::Pipeline;
using coordinator::pipeline::Write;
using coordinator::pipeline::WriteReply;
using coordinator::tree::NodeKind;
namespace tree = coordinator::tree;

// ---- the coordinator

void Journal::prepared(const Write& write, const WriteReply& reply) {
  int64_t zxid = reply.zxid.value();
  if (zxid != history_.last() + 1) {
    return world_.breach(odradek::format("zxid {} is given behind {}", zxid, history_.last()));
  }
  const History::Step& step = history_.append(write.session.value(), write.auth->internal,
                                              write.operations, world_.clock().wall_ms());
  world_.trace(odradek::format("zxid {} session {:x} {}{}", zxid, write.session.value(),
                               to_text(write.operations), step.failed() ? " (refused)" : ""));
  counts_.refused += step.failed();
  if (write.auth->internal) {
    check_internal(step);
  } else {
    check_sent(write, zxid);
  }
}

void Journal::check_sent(const Write& write, int64_t zxid) {
  auto& sent = sent_[write.auth->identities.front().id];
  std::string text = to_text(write.operations);
  if (sent.empty() || sent.front()->text != text) {
    return world_.breach(odradek::format("zxid {} is given to '{}', but the connection sent '{}'",
                                         zxid, text,
                                         sent.empty() ? "nothing" : sent.front()->text));
  }
  std::shared_ptr<SentWrite> request = sent.front();
  sent.pop_front();
  Life& life = lives_[request->session];
  if (request->order < life.last_order || request->order < life.replied_order) {
    return world_.breach(odradek::format(
        "zxid {}: request {} of session {:x} is done after request {}", zxid, request->order,
        request->session, std::max(life.last_order, life.replied_order)));
  }
  life.last_order = request->order;
  request->zxid = zxid;
  life.unseen.push_back(std::move(request));
}

void Journal::check_internal(const History::Step& step) {
  for (const auto& operation : step.operations) {
    if (const auto* open = std::get_if<tree::CreateSessionOp>(&operation)) {
      Life& life = lives_[open->session.value()];
      life.timeout_ms = open->timeout_ms;
      life.heard_ms = world_.now_ms();
    } else if (const auto* close = std::get_if<tree::CloseSessionOp>(&operation)) {
      if (!step.failed()) check_close(close->session.value());
    } else if (std::holds_alternative<tree::DeleteOp>(operation)) {
      if (!step.failed()) check_sweep(step);
    }
  }
}

void Journal::check_close(int64_t session) {
  const Life& life = lives_[session];
  if (life.asked_to_close) {
    ++counts_.closes;
    return;
  }
  if (!life.granted) return;  // its connection went before anybody knew of it
  int64_t silent_ms = world_.now_ms() - life.heard_ms;
  int64_t paused_ms = paused_since(life.heard_ms);
  // a pause of a tick and a half it cannot tell from a busy moment
  int64_t unnoticed_ms = std::min(paused_ms, 3 * tick_ms_ / 2);
  if (silent_ms < life.timeout_ms || silent_ms - paused_ms + unnoticed_ms < life.timeout_ms) {
    return world_.breach(odradek::format(
        "session {:x} ends after a silence of {} ms, {} ms of which the coordinator stood still; "
        "its time-out is {} ms",
        session, silent_ms, paused_ms, life.timeout_ms));
  }
  ++counts_.expiries;
}

void Journal::check_sweep(const History::Step& step) {
  for (const History::Change& change : step.changes) {
    const ModelNode* node = history_.node(change.path, step.zxid - 1);
    bool due = node && node->stat.num_children == 0 &&
               (node->kind == NodeKind::container ? node->creates > 0
                : node->kind == NodeKind::ttl     ? step.wall_ms - node->stat.mtime > node->ttl_ms
                                                  : false);
    if (!due) {
      world_.breach(odradek::format("the sweep took {}, which was not due{}", change.path,
                                    node ? " " + to_text(node->stat) : ""));
    }
    ++counts_.sweeps;
  }
}

void Journal::started(int64_t last_zxid) {
  if (last_zxid < let_out_) {
    return world_.breach(
        odradek::format("acknowledged writes are lost: a reply said zxid {}, the store has {}",
                        let_out_, last_zxid));
  }
  if (last_zxid > history_.last()) {
    return world_.breach(
        odradek::format("the store has zxid {}, the last was {}", last_zxid, history_.last()));
  }
  counts_.lost_to_crashes += static_cast<int>(history_.last() - last_zxid);
  history_.forget_after(last_zxid);
  for (auto& [session, life] : lives_) {
    life.heard_ms = world_.now_ms();
    while (!life.unseen.empty() && life.unseen.back()->zxid > last_zxid) {
      life.unseen.back()->zxid = 0;
      life.unseen.pop_back();
    }
  }
  pauses_.clear();
  trouble(world_.now_ms());
}

void Journal::pauses(int64_t until_ms) {
  pauses_.emplace_back(world_.now_ms(), until_ms);
  trouble(until_ms);
}

int64_t Journal::paused_since(int64_t since_ms) const {
  int64_t paused_ms = 0;
  for (auto [begin_ms, end_ms] : pauses_) {
    int64_t from_ms = std::max(begin_ms, since_ms);
    int64_t to_ms = std::min(end_ms, world_.now_ms());
    paused_ms += std::max<int64_t>(0, to_ms - from_ms);
  }
  return paused_ms;
}

void Journal::granted(int64_t session, int64_t timeout_ms, int64_t asked_ms) {
  Life& life = lives_[session];
  life.granted = true;
  if (life.timeout_ms != timeout_ms) {
    world_.breach(odradek::format("session {:x} is granted {} ms, it had {}", session, timeout_ms,
                                  life.timeout_ms));
  }
  life.heard_ms = std::max(life.heard_ms, asked_ms);
}

void Journal::heard(int64_t session) { lives_[session].heard_ms = world_.now_ms(); }

// ---- the clients

void Journal::sent_write(const std::string& address, std::shared_ptr<SentWrite> write) {
  sent_[address].push_back(std::move(write));
}

void Journal::replied(int64_t session, uint64_t order, int64_t zxid) {
  Life& life = lives_[session];
  life.replied_order = std::max(life.replied_order, order);
  while (!life.unseen.empty() && life.unseen.front()->zxid <= zxid) life.unseen.pop_front();
  if (!life.unseen.empty() && life.unseen.front()->order < order) {
    const SentWrite& write = *life.unseen.front();
    world_.breach(
        odradek::format("request {} of session {:x} was answered at zxid {}, ahead of the "
                        "session's earlier request "
                        "{} ('{}'), which has zxid {}",
                        order, session, zxid, write.order, write.text, write.zxid));
  }
}

// ---- audits

void Journal::audit(const Pipeline& pipeline) {
  ++counts_.audits;
  check_tree(pipeline);
  check_sessions(pipeline);
}

void Journal::check_tree(const Pipeline& pipeline) {
  int64_t zxid = pipeline.last_zxid().value();
  const auto& applied = pipeline.applied_store();
  std::vector<std::string> found{"/"};
  for (size_t i = 0; i < found.size(); ++i) {
    std::string path = found[i];
    auto node = applied.get(path);
    const ModelNode* expected = history_.node(path, zxid);
    if (!node || !expected) {
      return world_.breach(odradek::format("zxid {}: {} {}", zxid, path,
                                           node ? "is there and should not be" : "is not there"));
    }
    if (node->data != expected->data || *node->acl != expected->acl ||
        node->stat.cversion != expected->stat.cversion ||
        node->stat.pzxid.value() != expected->stat.pzxid ||
        node->stat.created_children != expected->creates) {
      return world_.breach(odradek::format("zxid {}: {} is not as it should be: {}", zxid, path,
                                           to_text(expected->stat)));
    }
    auto names = applied.children(path);
    std::vector<std::string> wanted = history_.children(path, zxid);
    if (!names || *names != wanted ||
        static_cast<int32_t>(names->size()) != node->stat.num_children) {
      return world_.breach(
          odradek::format("zxid {}: {} has {} children ({} by its stat), {} expected", zxid, path,
                          names ? names->size() : 0, node->stat.num_children, wanted.size()));
    }
    for (const std::string& name : *names)
      found.push_back(path == "/" ? "/" + name : path + "/" + name);
  }
}

void Journal::check_sessions(const Pipeline& pipeline) {
  int64_t zxid = pipeline.last_zxid().value();
  std::vector<int64_t> open = history_.open_sessions(zxid);
  if (open.size() != pipeline.sessions().size()) {
    return world_.breach(odradek::format("zxid {}: {} sessions, {} expected", zxid,
                                         pipeline.sessions().size(), open.size()));
  }
  for (int64_t session : open) {
    if (!pipeline.session_alive(SessionId(session))) {
      return world_.breach(odradek::format("zxid {}: session {:x} is not there", zxid, session));
    }
    if (pipeline.applied_store().ephemerals(SessionId(session)) !=
        history_.ephemerals(session, zxid)) {
      return world_.breach(odradek::format(
          "zxid {}: the list of ephemerals of session {:x} is wrong", zxid, session));
    }
    const Life& life = lives_[session];
    int64_t silent_ms = world_.now_ms() - std::max(life.heard_ms, calm_since_ms_);
    bool overdue = silent_ms > life.timeout_ms + 3 * tick_ms_ + 1500;
    if (overdue && pipeline.writes_in_flight() == 0) {
      return world_.breach(odradek::format("session {:x} is still there after {} ms of silence",
                                           session, silent_ms));
    }
  }
}

}  // namespace odradek::sim
