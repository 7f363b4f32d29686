# Turns the pages of the API's reference, src/api/reference/*, into one generated source that stele_api compiles.
file(GLOB reference_files CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/src/api/reference/*.html ${CMAKE_SOURCE_DIR}/src/api/reference/*.css ${CMAKE_SOURCE_DIR}/src/api/reference/*.js)
set(reference_source ${CMAKE_BINARY_DIR}/generated/reference_files.cpp)
add_custom_command(
  OUTPUT ${reference_source}
  COMMAND ${CMAKE_COMMAND} -DOUTPUT=${reference_source} "-DINPUTS=${reference_files}" -P ${CMAKE_SOURCE_DIR}/cmake/embed_reference.cmake
  DEPENDS ${reference_files} ${CMAKE_SOURCE_DIR}/cmake/embed_reference.cmake
  VERBATIM)
target_sources(stele_api PRIVATE ${reference_source})
