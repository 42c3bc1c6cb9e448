# odradek_folder(TARGET [ASIO] [DEPS...]): one static library from every .cc of this folder but main.cc and *_main.cc.
# A folder with headers only becomes an interface target. Sources are found by pattern, so that a new file needs no line.
# ASIO: most of its files include Boost.Asio.
include(Precompiled)

function(odradek_folder target)
  set(headers std)
  if("ASIO" IN_LIST ARGN)
    set(headers asio)
    list(REMOVE_ITEM ARGN ASIO)
  endif()
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.cc)
  list(FILTER sources EXCLUDE REGEX "main\\.cc$")
  if(sources)
    add_library(${target} STATIC ${sources})
    target_include_directories(${target} PUBLIC ${PROJECT_SOURCE_DIR} ${PROJECT_BINARY_DIR}/generated)
    target_link_libraries(${target} PUBLIC ${ARGN})
    odradek_precompiled(${target} ${headers})
  else()
    add_library(${target} INTERFACE)
    target_include_directories(${target} INTERFACE ${PROJECT_SOURCE_DIR} ${PROJECT_BINARY_DIR}/generated)
    target_link_libraries(${target} INTERFACE ${ARGN})
  endif()
endfunction()
