# Wire formats and tables of settings are data: a generator turns them into C++ in the build folder. The list of files
# is made when CMake runs, their text when the build does.
include_guard()
find_package(Python3 3.9 REQUIRED COMPONENTS Interpreter)

# odradek_generate(VARIABLE KIND OUT INPUT...): VARIABLE gets the files that proto/gen makes from the inputs below
# ${PROJECT_BINARY_DIR}/generated/OUT.
function(odradek_generate variable kind out)
  set(generator ${PROJECT_SOURCE_DIR}/proto/gen/generate.py)
  set(folder ${PROJECT_BINARY_DIR}/generated/${out})
  file(GLOB sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/proto/gen/*.py)
  execute_process(COMMAND ${Python3_EXECUTABLE} ${generator} --list ${kind} ${folder} ${ARGN}
                  OUTPUT_VARIABLE outputs COMMAND_ERROR_IS_FATAL ANY)
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${ARGN} ${sources})
  add_custom_command(OUTPUT ${outputs}
                     COMMAND ${Python3_EXECUTABLE} ${generator} ${kind} ${folder} ${ARGN}
                     DEPENDS ${ARGN} ${sources} COMMENT "Generating ${out}" VERBATIM)
  set(${variable} ${outputs} PARENT_SCOPE)
endfunction()

# odradek_generated(TARGET KIND OUT INPUT...): a library of these files.
function(odradek_generated target kind out)
  odradek_generate(outputs ${kind} ${out} ${ARGN})
  add_library(${target} STATIC ${outputs})
  target_include_directories(${target} PUBLIC ${PROJECT_SOURCE_DIR} ${PROJECT_BINARY_DIR}/generated)
  target_link_libraries(${target} PUBLIC common common_bytes)
  target_compile_options(${target} PRIVATE -Os)  # straight code: small is fast to compile, and fast enough
endfunction()
