#include "tests/sim/tree/client_view.h"

#include <algorithm>
#include <tuple>

#include "common/format.h"

namespace odradek::sim {

using zookeeper::ErrorCode;
using zookeeper::OpCode;

namespace {

std::string list_text(const std::vector<WatchEvent>& events) {
  std::string text;
  for (const WatchEvent& event : events) text += (text.empty() ? "" : ", ") + event.text();
  return text.empty() ? "none" : text;
}

}  // namespace

void ClientView::breach(const std::string& what) { world_.breach(name_ + ": " + what); }

void ClientView::connected(int64_t session) {
  if (session == session_) {
    ++counts_.resumed;
  } else {
    last_zxid_ = 0;
  }
  session_ = session;
  watches_.clear();
}

// Events without a reply behind them: they may be fewer than there were changes, never others.
void ClientView::disconnected() {
  waiting_.clear();
  if (!told_.empty() && told_.front().zxid > 0) {
    int64_t up_to = std::min(told_.back().zxid, journal_.history().last());
    std::vector<WatchEvent> expected = events_up_to(up_to);
    // of the last change some may not have come any more
    auto last_change = [up_to](const WatchEvent& event) { return event.zxid >= up_to; };
    std::erase_if(expected, last_change);
    std::vector<WatchEvent> told = told_;
    std::erase_if(told, last_change);
    sort_closes(expected);
    sort_closes(told);
    if (told != expected) {
      breach(odradek::format("before the connection broke it was told of: {}; expected: {}",
                             list_text(told), list_text(expected)));
    }
  }
  told_.clear();
  watches_.clear();
}

void ClientView::sent(Request request) { waiting_.push_back(std::move(request)); }

void ClientView::event(WatchEvent event) {
  ++(event.zxid > 0 ? counts_.events : counts_.missed_events);
  world_.trace(name_ + " is told: " + event.text());
  told_.push_back(std::move(event));
}

std::optional<Request> ClientView::reply(int32_t xid, int64_t zxid, ErrorCode error,
                                         std::string_view body) {
  if (waiting_.empty() || waiting_.front().xid != xid) {
    breach(odradek::format("a reply with xid {}, expected {}", xid,
                           waiting_.empty() ? "none" : std::to_string(waiting_.front().xid)));
    return std::nullopt;
  }
  Request request = std::move(waiting_.front());
  waiting_.pop_front();
  check_order(request, zxid);
  if (!world_.breaches().empty()) return request;
  // the session is over, and with it the events
  if (error != ErrorCode::kSessionExpired) check_events(request, zxid);
  check_answer(request, zxid, error, body);
  register_watches(request, error);
  last_zxid_ = zxid;
  journal_.told(zxid);
  journal_.replied(session_, request.order, zxid);
  return request;
}

void ClientView::check_order(const Request& request, int64_t zxid) {
  if (zxid > journal_.history().last()) {
    return breach(
        odradek::format("'{}' is answered with zxid {}, which nothing has", request.text(), zxid));
  }
  if (zxid < last_zxid_) {
    return breach(odradek::format("'{}' is answered with zxid {} after {}", request.text(), zxid,
                                  last_zxid_));
  }
  if (zxid < request.floor) {
    return breach(odradek::format("'{}' is answered with zxid {}; when it was sent {} was known",
                                  request.text(), zxid, request.floor));
  }
  if (request.is_write() && zxid != request.sent->zxid) {
    return breach(odradek::format("'{}' is answered with zxid {}, it has {}", request.text(), zxid,
                                  request.sent->zxid));
  }
}

std::vector<WatchEvent> ClientView::events_up_to(int64_t zxid) {
  std::vector<WatchEvent> events;
  if (!watches_.empty()) {
    for (int64_t at = watched_zxid_ + 1; at <= zxid; ++at) {
      watches_.fire(journal_.history().step(at), events);
    }
  }
  watched_zxid_ = std::max(watched_zxid_, zxid);
  return events;
}

void ClientView::sort_closes(std::vector<WatchEvent>& events) const {
  // in which order the ephemerals of one session go is not laid down
  for (size_t begin = 0; begin < events.size();) {
    size_t end = begin;
    int64_t zxid = events[begin].zxid;
    while (end < events.size() && events[end].zxid == zxid) ++end;
    if (zxid > 0 && zxid <= journal_.history().last() && journal_.history().step(zxid).closed) {
      std::sort(events.begin() + static_cast<ptrdiff_t>(begin),
                events.begin() + static_cast<ptrdiff_t>(end),
                [](const WatchEvent& a, const WatchEvent& b) {
                  return std::tie(a.path, a.type) < std::tie(b.path, b.type);
                });
    }
    begin = end;
  }
}

void ClientView::check_events(const Request& request, int64_t zxid) {
  std::vector<WatchEvent> expected = events_up_to(zxid);
  if (request.op == OpCode::kSetWatches2) {
    watches_.set(request.watches, journal_.history(), zxid, expected);
  }
  std::vector<WatchEvent> told = std::exchange(told_, {});
  sort_closes(expected);
  sort_closes(told);
  if (told != expected) {
    breach(odradek::format("before the reply to '{}' at zxid {} it was told of: {}; expected: {}",
                           request.text(), zxid, list_text(told), list_text(expected)));
  }
}

void ClientView::check_answer(const Request& request, int64_t zxid, ErrorCode error,
                              std::string_view body) {
  std::string expected = expected_text(request, journal_.history(), zxid, watches_);
  auto given = answer_text(request, error, body);
  if (!given || *given != expected) {
    breach(odradek::format("'{}' at zxid {} is answered: {}; expected: {}", request.text(), zxid,
                           given ? *given : "bytes that do not decode", expected));
  }
  ++(request.is_write() ? counts_.writes : counts_.reads);
  if (error != ErrorCode::kOk) ++counts_.refused;
  if (request.op == OpCode::kMulti && journal_.history().step(zxid).failed())
    ++counts_.failed_multis;
  world_.trace(
      odradek::format("{} is answered at {}: {} -> {}", name_, zxid, request.text(), expected));
}

void ClientView::register_watches(const Request& request, ErrorCode error) {
  bool ok = error == ErrorCode::kOk;
  if (request.watch) {
    bool children = request.op == OpCode::kGetChildren || request.op == OpCode::kGetChildren2;
    if (ok || (request.op == OpCode::kExists && error == ErrorCode::kNoNode)) {
      watches_.add(children ? WatchKind::child : WatchKind::data, request.paths.front());
    }
  }
  if (request.op == OpCode::kAddWatch && ok) watches_.add(request.kind, request.paths.front());
  if (request.op == OpCode::kRemoveWatches && ok) {
    using zookeeper::WatcherType;
    const std::string& path = request.paths.front();
    if (request.removes != WatcherType::kData) watches_.remove(WatchKind::child, path);
    if (request.removes != WatcherType::kChildren) watches_.remove(WatchKind::data, path);
    if (request.removes == WatcherType::kAny) {
      watches_.remove(WatchKind::persistent, path);
      watches_.remove(WatchKind::recursive, path);
    }
  }
}

}  // namespace odradek::sim
