# The tests that are programs of ours. `tests/run` runs them by ctest, and the others after them.
enable_testing()
pkg_check_modules(CMOCKA IMPORTED_TARGET cmocka)
if(CMOCKA_FOUND)
  file(GLOB tests CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tests/unit/test_*.c)
  foreach(source ${tests})
    get_filename_component(name ${source} NAME_WE)
    # The room a test is about is the word after "test_": it is linked with that room only, so
    # that a test, too, never takes a step to the right.
    string(REGEX REPLACE "^test_([a-z]+).*" "\\1" its_room ${name})
    add_executable(${name} ${source})
    target_link_libraries(${name} PRIVATE ${its_room} PkgConfig::CMOCKA)
    target_compile_definitions(${name} PRIVATE TESTS_FOLDER="${CMAKE_SOURCE_DIR}/tests")
    add_test(NAME ${name} COMMAND ${name})
  endforeach()
endif()
