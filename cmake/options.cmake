# Compiler settings shared by every target (STYLE: warnings are errors, release is hardened).
add_library(stele_options INTERFACE)
target_include_directories(stele_options INTERFACE ${CMAKE_SOURCE_DIR}/src)
target_compile_options(stele_options INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wnon-virtual-dtor -Werror)
target_compile_definitions(stele_options INTERFACE
  BOOST_ASIO_NO_DEPRECATED BOOST_ASIO_DISABLE_VISIBILITY BOOST_BEAST_USE_STD_STRING_VIEW)

if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # False positives of g++ 12 in coroutine frames and inlined std::string.
  target_compile_options(stele_options INTERFACE
    -Wno-mismatched-new-delete -Wno-maybe-uninitialized -Wno-restrict -Wno-stringop-overflow -Wno-stringop-overread -Wno-array-bounds
    -Wno-dangling-pointer -Wno-subobject-linkage -fcoroutines -fpch-preprocess)
endif()
if(CMAKE_BUILD_TYPE STREQUAL "Release")
  target_compile_definitions(stele_options INTERFACE _FORTIFY_SOURCE=2 _GLIBCXX_ASSERTIONS)
  target_compile_options(stele_options INTERFACE -fstack-protector-strong)
  target_link_options(stele_options INTERFACE -Wl,-z,relro,-z,now -pie)
endif()
if(STELE_SANITIZE STREQUAL "thread" AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  target_compile_options(stele_options INTERFACE -Wno-tsan)   # Asio's fences: TSan knows its mutexes and atomics
endif()
if(STELE_SANITIZE STREQUAL "address,undefined" AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # What AddressSanitizer sees anyway, or what g++ 12 spends a third of its time on for code that is mostly templates.
  set(unchecked -fno-sanitize=null,alignment,vptr,object-size,nonnull-attribute,returns-nonnull-attribute)
endif()
if(STELE_SANITIZE)
  target_compile_options(stele_options INTERFACE -fsanitize=${STELE_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer ${unchecked})
  target_link_options(stele_options INTERFACE -fsanitize=${STELE_SANITIZE})
endif()
# Where there is debug information mold saves minutes. A release is linked by GNU ld, which puts what runs once or never
# apart (a fifth less of the program is resident); mold 1.10's option for that breaks the catching of exceptions.
find_program(MOLD mold)
if(MOLD AND NOT CMAKE_BUILD_TYPE STREQUAL "Release")
  target_link_options(stele_options INTERFACE -fuse-ld=mold)
endif()
