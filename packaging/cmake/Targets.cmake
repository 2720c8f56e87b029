# One shape for all our targets.
include(CMakeParseArguments)

function(meshdns_flags target)
  target_include_directories(${target} PUBLIC ${CMAKE_SOURCE_DIR})
  target_compile_options(${target} PRIVATE ${MESHDNS_WARNINGS})
endfunction()

# Compiles the sources of a target some together, each header once for all of them: with the preset of every day, where
# MESHDNS_UNITY is ON. Two sources that give a name of their own to different things cannot be together; the arguments
# behind the target (ALONE) name one of each such pair.
function(meshdns_together target)
  if(MESHDNS_UNITY)
    set_target_properties(${target} PROPERTIES UNITY_BUILD ON UNITY_BUILD_BATCH_SIZE ${MESHDNS_UNITY_BATCH})
    # what a .cc keeps in an inner class of its own types seems to come from a header
    target_compile_options(${target} PRIVATE $<$<CXX_COMPILER_ID:GNU>:-Wno-subobject-linkage>)
    set_source_files_properties(${ARGN} PROPERTIES SKIP_UNITY_BUILD_INCLUSION ON)
  endif()
endfunction()

# meshdns_library(common_net SOURCES a.cc b.cc DEPS common_base)   the target of the folder common/net
# ALONE: see meshdns_together
function(meshdns_library name)
  cmake_parse_arguments(ARG "" "" "SOURCES;DEPS;PRIVATE_DEPS;ALONE" ${ARGN})
  if(ARG_SOURCES)
    add_library(${name} STATIC ${ARG_SOURCES})
    meshdns_flags(${name})
    meshdns_together(${name} ${ARG_ALONE})
    target_link_libraries(${name} PUBLIC ${ARG_DEPS} PRIVATE ${ARG_PRIVATE_DEPS})
  else()
    add_library(${name} INTERFACE)
    target_include_directories(${name} INTERFACE ${CMAKE_SOURCE_DIR})
    target_link_libraries(${name} INTERFACE ${ARG_DEPS})
  endif()
endfunction()

# meshdns_binary(meshdnsd SOURCES main.cc DEPS dnsd_app)
function(meshdns_binary name)
  cmake_parse_arguments(ARG "" "" "SOURCES;DEPS" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  meshdns_flags(${name})
  target_link_libraries(${name} PRIVATE ${ARG_DEPS})
  install(TARGETS ${name})
endfunction()

# What a precompiled header and its users must agree on; -fpch-preprocess lets ccache see through it.
function(meshdns_pch_flags name)
  set_target_properties(${name} PROPERTIES POSITION_INDEPENDENT_CODE OFF)
  target_compile_options(${name} PRIVATE $<$<CXX_COMPILER_ID:GNU>:-fpch-preprocess>)
endfunction()

# meshdns_test(common_net_test SOURCES prefix_set_test.cc DEPS common_net)   a GoogleTest binary, one ctest entry
# SHARDS n: n entries that share its tests, for a binary that would take more than 20 s with sanitizers.
# SMALLEST: the same entries once more, at the smallest sizes (tests/support/sizes.h). ALONE: see meshdns_together
# The limit is there for tests that hang; it is more than ten times what an entry needs where nobody else is busy.
function(meshdns_test name)
  cmake_parse_arguments(ARG "SMALLEST" "SHARDS" "SOURCES;DEPS;ALONE" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  meshdns_flags(${name})
  meshdns_together(${name} ${ARG_ALONE})
  target_link_libraries(${name} PRIVATE ${ARG_DEPS} GTest::gmock GTest::gtest_main)
  target_precompile_headers(${name} REUSE_FROM tests_pch)
  meshdns_pch_flags(${name})
  meshdns_test_entries(${name} ${name} "" ${ARG_SHARDS})
  if(ARG_SMALLEST)
    meshdns_test_entries(${name} ${name}_smallest "MESHDNS_TEST_SIZES=smallest" ${ARG_SHARDS})
  endif()
endfunction()

# meshdns_test_entries(BINARY ENTRY ENVIRONMENT [SHARDS])
function(meshdns_test_entries binary entry environment)
  set(shards 1)
  if(ARGC GREATER 3)
    set(shards ${ARGV3})
  endif()
  math(EXPR last "${shards} - 1")
  foreach(shard RANGE ${last})
    set(one ${entry})
    if(shards GREATER 1)
      set(one ${entry}_${shard})
    endif()
    add_test(NAME ${one} COMMAND ${binary} WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})
    set_tests_properties(${one} PROPERTIES TIMEOUT 600 ENVIRONMENT
                         "GTEST_TOTAL_SHARDS=${shards};GTEST_SHARD_INDEX=${shard};${environment}")
  endforeach()
endfunction()

# meshdns_fuzz(message_fuzz SOURCES message_fuzz.cc DEPS dnsd_wire)   corpus in tests/fuzz/corpus/<name>
# With clang it is a libFuzzer binary; any other compiler makes one that reads the files and folders it is given, once.
function(meshdns_fuzz name)
  cmake_parse_arguments(ARG "" "" "SOURCES;DEPS" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  meshdns_flags(${name})
  target_link_libraries(${name} PRIVATE ${ARG_DEPS})
  if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
    target_link_options(${name} PRIVATE -fsanitize=fuzzer)
  else()
    target_sources(${name} PRIVATE ${CMAKE_SOURCE_DIR}/tests/fuzz/replay.cc)
  endif()
endfunction()
