# What the sandbox takes with it, as bytes in stele_tools: the Python files, and the library of its walls.
enable_language(C)
add_library(stele_walls MODULE ${CMAKE_SOURCE_DIR}/src/tools/sandbox/native/walls.c)
set_target_properties(stele_walls PROPERTIES PREFIX "" C_STANDARD 11 C_EXTENSIONS ON LIBRARY_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/generated)
target_compile_options(stele_walls PRIVATE -O2 -Wall -Wextra -Werror)
target_link_options(stele_walls PRIVATE -s)
target_link_libraries(stele_walls PRIVATE ${CMAKE_DL_LIBS})

file(GLOB sandbox_python CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/src/tools/sandbox/python/*.py ${CMAKE_SOURCE_DIR}/src/tools/sandbox/node/*.mjs)
set(sandbox_source ${CMAKE_BINARY_DIR}/generated/sandbox_files.cpp)
set(sandbox_inputs ${sandbox_python} ${CMAKE_BINARY_DIR}/generated/stele_walls.so)
add_custom_command(
  OUTPUT ${sandbox_source}
  COMMAND ${CMAKE_COMMAND} -DOUTPUT=${sandbox_source} "-DINPUTS=${sandbox_inputs}" -P ${CMAKE_SOURCE_DIR}/cmake/embed_sandbox.cmake
  DEPENDS ${sandbox_python} stele_walls ${CMAKE_SOURCE_DIR}/cmake/embed_sandbox.cmake
  VERBATIM)
target_sources(stele_tools PRIVATE ${sandbox_source})
set_source_files_properties(${sandbox_source} PROPERTIES OBJECT_DEPENDS "${sandbox_inputs}" SKIP_PRECOMPILE_HEADERS ON)
