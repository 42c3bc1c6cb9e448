#pragma once
// Names for Asio's types that our code speaks of.

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace odradek::runtime {

namespace asio = boost::asio;

// An owner's event loop: a shard of the broker, the tree thread of the coordinator.
using Executor = asio::io_context::executor_type;

template <typename T>
using awaitable = asio::awaitable<T>;

// Socket errors as values: co_await socket.async_wait(wait_read, kAsTuple) gives a tuple that
// starts with error_code.
inline constexpr asio::as_tuple_t<asio::use_awaitable_t<>> kAsTuple{};

}  // namespace odradek::runtime
