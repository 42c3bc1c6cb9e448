#include "broker/api/fetch_wait.h"

#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>

#include "broker/api/partition_access.h"
#include "common/runtime/timer.h"

namespace odradek::broker::api {

namespace asio = boost::asio;

namespace {
// Lives on the waiter's shard; partitions hold it until they have woken it or were told not to.
struct Waiter {
  bool woken = false;
  runtime::Signal signal;
};
}  // namespace

asio::awaitable<bool> wait_for_data(Services& services, const std::vector<TopicPartition>& ids,
                                    std::vector<Offset> ends, int64_t timeout_ms) {
  auto executor = co_await asio::this_coro::executor;
  auto waiter = std::make_shared<Waiter>();
  auto wake = [executor, waiter] {
    asio::post(executor, [waiter] {
      waiter->woken = true;
      waiter->signal.notify_all();
    });
  };
  std::vector<replica::Partition::WaitId> waits(ids.size(), 0);
  std::vector<std::weak_ptr<replica::Partition>> where(ids.size());
  auto id_of = [&ids](size_t i) -> const TopicPartition& { return ids[i]; };
  auto enter = [&](size_t i) {
    auto partition = services.partitions->find(ids[i]);
    if (!partition) return;  // its failure was told already, or will be seen by the next read
    where[i] = (*partition)->weak_from_this();
    waits[i] = (*partition)->wait_past(ends[i], wake);
  };
  co_await on_owners(services, ids.size(), 0, id_of, enter);
  if (!waiter->woken) co_await waiter->signal.wait_ms(timeout_ms);
  bool woken = waiter->woken;
  auto leave = [&](size_t i) {
    if (waits[i] == 0) return;
    if (auto partition = where[i].lock()) partition->cancel_wait(waits[i]);
  };
  co_await on_owners(services, ids.size(), 0, id_of, leave);
  co_return woken;
}

}  // namespace odradek::broker::api
