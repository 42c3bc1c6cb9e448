#include "common/runtime/thrown.h"

#include <boost/asio/error.hpp>
#include <boost/system/system_error.hpp>
#include <new>

namespace odradek::runtime {

Error error_of(const std::exception_ptr& thrown) {
  try {
    std::rethrow_exception(thrown);
  } catch (const boost::system::system_error& failure) {
    bool cancelled = failure.code() == boost::asio::error::operation_aborted;
    return Error(cancelled ? Errc::cancelled : Errc::internal, failure.what());
  } catch (const std::bad_alloc&) {
    return Error(Errc::internal, "memory is short");
  } catch (const std::exception& failure) {
    return Error(Errc::internal, failure.what());
  } catch (...) {
    return Error(Errc::internal, "an exception of no known type");
  }
}

}  // namespace odradek::runtime
