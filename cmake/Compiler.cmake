# The compiler, its warnings and its build types. clang only: gcc 12 miscompiles coroutines.
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  message(FATAL_ERROR "Odradek needs clang 16: gcc 12 destroys some temporaries twice in an expression that suspends "
                      "a coroutine. Configure with --preset release, or -DCMAKE_CXX_COMPILER=clang++-16.")
endif()
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)

find_program(CCACHE ccache)
if(CCACHE)  # the sloppiness is what ccache wants to hear before it takes a file with a precompiled header; and the
            # compiler's own list of dependencies spares a run of the preprocessor for each file that is not known yet
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env CCACHE_SLOPPINESS=pch_defines,time_macros CCACHE_DEPEND=1 ${CCACHE})
endif()
set(CMAKE_PCH_INSTANTIATE_TEMPLATES ON)

set(CMAKE_CXX_FLAGS_RELEASE "-O2 -DNDEBUG -ffunction-sections -fdata-sections")
set(CMAKE_CXX_FLAGS_DEV "-O1 -gline-tables-only")
add_compile_options(-Wall -Wextra -Werror -Wno-unused-parameter -Wno-missing-field-initializers)
add_compile_options("SHELL:-Xclang -fno-pch-timestamp")  # the same header gives the same bytes
add_link_options(-fuse-ld=lld)
if(ODRADEK_SANITIZE)
  add_compile_options(-fsanitize=${ODRADEK_SANITIZE} -fno-omit-frame-pointer)
  add_link_options(-fsanitize=${ODRADEK_SANITIZE})
  if(ODRADEK_SANITIZE MATCHES "undefined")
    add_compile_options(-fno-sanitize-recover=undefined -fno-sanitize=vptr)
    add_link_options(-fno-sanitize=vptr)
  endif()
endif()
if(CMAKE_BUILD_TYPE STREQUAL "Release")
  add_link_options(-Wl,--gc-sections -Wl,-s -static-libstdc++ -static-libgcc)
endif()
add_compile_definitions(BOOST_ASIO_SEPARATE_COMPILATION BOOST_ASIO_NO_DEPRECATED BOOST_ALL_NO_LIB)
