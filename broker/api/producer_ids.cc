#include "broker/api/producer_ids.h"

#include "common/runtime/owner.h"
#include "common/runtime/scope_exit.h"

namespace odradek::broker::api {

boost::asio::awaitable<Result<ProducerId>> ProducerIds::next() {
  auto here = [this] { return next_here(); };
  co_return co_await runtime::await_on(home_, std::move(here));
}

boost::asio::awaitable<Result<ProducerId>> ProducerIds::next_here() {
  while (left_ == 0) {
    if (asking_) {  // one question at a time
      co_await answered_.wait_ms(60000);
      // its failure is everybody's: to ask again one after the other would take for ever
      if (left_ == 0 && !asking_ && failure_) co_return *failure_;
      continue;
    }
    asking_ = true;
    runtime::ScopeExit over([this] {
      asking_ = false;
      answered_.notify_all();
    });
    auto block = co_await allocate_();
    failure_.reset();
    if (!block) failure_ = block.error();
    if (block) {
      next_ = block->first.value();
      left_ = block->size;
    }
    if (!block) co_return block.error();
  }
  --left_;
  co_return ProducerId(next_++);
}

}  // namespace odradek::broker::api
