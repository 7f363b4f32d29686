# Turns src/storage/migrations/*.sql into one generated source that stele_storage compiles.
file(GLOB migrations CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/src/storage/migrations/*.sql)
set(migrations_source ${CMAKE_BINARY_DIR}/generated/storage_migrations.cpp)
add_custom_command(
  OUTPUT ${migrations_source}
  COMMAND ${CMAKE_COMMAND} -DOUTPUT=${migrations_source} "-DINPUTS=${migrations}" -P ${CMAKE_SOURCE_DIR}/cmake/embed_migrations.cmake
  DEPENDS ${migrations} ${CMAKE_SOURCE_DIR}/cmake/embed_migrations.cmake
  VERBATIM)
target_sources(stele_storage PRIVATE ${migrations_source})
