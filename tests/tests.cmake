# The tests that are programs of ours. `tests/run` runs them by ctest, and the others after them.
enable_testing()

# The room a program is about is the word after its first "_": it is linked with that room only,
# so that a test, too, never takes a step to the right. Without a room's name it gets the house.
function(room_program source)
  get_filename_component(name ${source} NAME_WE)
  string(REGEX REPLACE "^[a-z]+_([a-z0-9]+).*" "\\1" its_room ${name})
  if(NOT TARGET ${its_room})
    set(its_room server)
  endif()
  add_executable(${name} ${source} ${ARGN})
  target_link_libraries(${name} PRIVATE ${its_room})
  target_compile_definitions(${name} PRIVATE TESTS_FOLDER="${CMAKE_SOURCE_DIR}/tests")
  # NAME.wrap beside NAME.c: functions, one a line, whose calls go to the program's __wrap_FUNCTION
  # instead, so that it can make them fail.
  string(REGEX REPLACE "\\.c$" ".wrap" wrapped ${source})
  if(EXISTS ${wrapped})
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${wrapped})
    file(STRINGS ${wrapped} functions)
    list(TRANSFORM functions PREPEND "-Wl,--wrap=")
    target_link_options(${name} PRIVATE ${functions})
  endif()
endfunction()

pkg_check_modules(CMOCKA IMPORTED_TARGET cmocka)
if(CMOCKA_FOUND AND NOT FUZZ)
  file(GLOB tests CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tests/unit/test_*.c)
  file(GLOB wraps CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tests/unit/test_*.wrap) # a new one is noticed
  foreach(source ${tests})
    room_program(${source})
    get_filename_component(name ${source} NAME_WE)
    target_link_libraries(${name} PRIVATE PkgConfig::CMOCKA)
    add_test(NAME ${name} COMMAND ${name})
  endforeach()
endif()

# A fuzzer is one function. With -DFUZZ=ON (clang) libFuzzer drives it; otherwise fuzz_main.c
# replays its corpus, so that whatever was found once is tested in every build.
if(FUZZ)
  target_compile_options(house INTERFACE -fsanitize=fuzzer-no-link,address,undefined
    -fno-sanitize-recover=all)
  target_link_options(house INTERFACE -fsanitize=address,undefined)
endif()
file(GLOB fuzzers CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tests/fuzz/fuzz_*.c)
list(REMOVE_ITEM fuzzers ${CMAKE_SOURCE_DIR}/tests/fuzz/fuzz_main.c)
add_custom_target(fuzzers)
foreach(source ${fuzzers})
  get_filename_component(name ${source} NAME_WE)
  if(FUZZ)
    room_program(${source})
    target_link_options(${name} PRIVATE -fsanitize=fuzzer)
    add_dependencies(fuzzers ${name})
  else()
    room_program(${source} ${CMAKE_SOURCE_DIR}/tests/fuzz/fuzz_main.c)
    add_test(NAME ${name} COMMAND ${name} ${CMAKE_SOURCE_DIR}/tests/fuzz/corpus/${name})
  endif()
endforeach()

# Benchmarks are built, so that they cannot rot, and run by tests/bench/run.
file(GLOB benches CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tests/bench/bench_*.c)
foreach(source ${benches})
  room_program(${source})
endforeach()

find_package(Python3 COMPONENTS Interpreter)
if(Python3_FOUND AND NOT FUZZ)
  add_test(NAME layers_refuses_broken_copies
    COMMAND ${Python3_EXECUTABLE} ${CMAKE_SOURCE_DIR}/tests/layers --self-test)
  if(SANITIZE) # sanitizers put variables of their own into every object
    add_test(NAME layers COMMAND ${Python3_EXECUTABLE} ${CMAKE_SOURCE_DIR}/tests/layers)
  else()
    add_test(NAME layers COMMAND ${Python3_EXECUTABLE} ${CMAKE_SOURCE_DIR}/tests/layers
      --objects ${CMAKE_BINARY_DIR})
  endif()
endif()
