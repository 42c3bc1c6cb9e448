# Headers that nearly every file begins with, parsed once a build: the standard library's, Asio's with coroutines, and
# GoogleTest's. odradek_precompiled(TARGET SET) gives a target one of the three sets; a source file still includes what
# it uses. Files of the system only, so that no edit of the project makes one of them new.
include_guard()

# A package brings headers with the date of its making, older than the precompiled ones: so the versions are among what
# is precompiled, and an upgrade makes it anew.
set(dpkg_status /var/lib/dpkg/status)
set(versions "")
if(EXISTS ${dpkg_status})
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${dpkg_status})
  execute_process(COMMAND dpkg-query -W -f "// \${Package} \${Version}\n" libc6-dev linux-libc-dev libstdc++-12-dev
                          libclang-common-16-dev libboost1.81-dev libgtest-dev libgmock-dev
                  OUTPUT_VARIABLE versions ERROR_QUIET)
endif()
set(versions_header ${PROJECT_BINARY_DIR}/generated/precompiled_versions.h)
file(CONFIGURE OUTPUT ${versions_header} CONTENT "#pragma once\n${versions}" @ONLY)

function(odradek_precompile name)
  add_library(precompiled_${name} STATIC ${PROJECT_SOURCE_DIR}/cmake/precompiled.cc)
  target_precompile_headers(precompiled_${name} PRIVATE ${ARGN} ${versions_header})
endfunction()

function(odradek_precompiled target set)
  target_precompile_headers(${target} REUSE_FROM precompiled_${set})
endfunction()

set(std_headers <algorithm> <array> <atomic> <chrono> <cstdint> <cstring> <deque> <functional> <list> <map> <memory>
    <mutex> <optional> <set> <span> <string> <string_view> <thread> <unordered_map> <unordered_set> <utility> <variant>
    <vector>)
set(asio_headers ${std_headers} <boost/asio/any_io_executor.hpp> <boost/asio/awaitable.hpp>
    <boost/asio/bind_cancellation_slot.hpp> <boost/asio/cancellation_signal.hpp> <boost/asio/co_spawn.hpp>
    <boost/asio/detached.hpp> <boost/asio/io_context.hpp> <boost/asio/ip/tcp.hpp> <boost/asio/post.hpp>
    <boost/asio/redirect_error.hpp> <boost/asio/steady_timer.hpp> <boost/asio/this_coro.hpp>
    <boost/asio/use_awaitable.hpp>)
odradek_precompile(std ${std_headers})
odradek_precompile(asio ${asio_headers})
if(ODRADEK_TESTS)
  find_package(GTest REQUIRED)
  odradek_precompile(test ${asio_headers} <gtest/gtest.h> <gmock/gmock.h>)
  target_link_libraries(precompiled_test PRIVATE GTest::gtest GTest::gmock)  # for what they define
endif()
