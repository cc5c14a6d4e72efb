# Turns the pages into one C file, so that the program needs no folder beside it. Called by
# CMakeLists.txt with OUTPUT (the C file), FOLDER (what names are relative to) and PAGES (a list).
#
# Every byte becomes a character constant: exact for any content, and, unlike a string literal,
# without the 4095 characters C17 promises at most (5.2.4.1).
cmake_minimum_required(VERSION 3.20)

foreach(needed OUTPUT FOLDER)
  if(NOT DEFINED ${needed})
    message(FATAL_ERROR "embed.cmake needs -D${needed}=…")
  endif()
endforeach()

set(arrays "")
set(rows "")
set(count 0)
foreach(page IN LISTS PAGES)
  file(RELATIVE_PATH name "${FOLDER}" "${page}")
  if(NOT name MATCHES "^[A-Za-z0-9_.-]+(/[A-Za-z0-9_.-]+)*$" OR name MATCHES "^\\.\\./")
    message(FATAL_ERROR "${page}: a page's name may hold letters, digits, '_', '-' and '.', "
      "and it must lie in ${FOLDER}")
  endif()
  file(READ "${page}" bytes HEX)
  string(LENGTH "${bytes}" digits)
  math(EXPR length "${digits} / 2")
  string(REGEX REPLACE "(..)" "'\\\\x\\1', " bytes "${bytes}")
  # Eleven constants of eight characters make a line.
  string(REPEAT "........" 11 line)
  string(REGEX REPLACE "(${line})" "\\1\n    " bytes "${bytes}")
  string(APPEND arrays "static const char file_${count}[] = {\n    ${bytes}'\\0'};\n\n")
  string(APPEND rows "    {\"${name}\", file_${count}, ${length}},\n")
  math(EXPR count "${count} + 1")
endforeach()

file(WRITE "${OUTPUT}" "/* Made by templates/embed.cmake from the files of templates/. */
#include \"server/server.h\"

${arrays}const struct embedded embedded_files[] = {
${rows}    {NULL, NULL, 0}, /* so that no pages at all still make an array */
};
const size_t embedded_count = ${count};
")
