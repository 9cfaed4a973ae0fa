# Compiler settings shared by all targets, and the function that makes a floor of the house.
include(GNUInstallDirs)
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_CXX_VISIBILITY_PRESET hidden)
set(CMAKE_VISIBILITY_INLINES_HIDDEN ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/bin)
# Where a program looks for modules, which it loads when it needs them: from its own folder, built or installed.
file(RELATIVE_PATH BYTEFORMER_MODULES_FROM_PROGRAMS ${CMAKE_INSTALL_FULL_BINDIR} ${CMAKE_INSTALL_FULL_LIBDIR}/byteformer)
if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "Build type" FORCE)
endif()

find_package(Threads REQUIRED)
# Trees for development, which are built again and again, are quick to build: by ccache, where it is installed, and linked by LLD.
set(is_for_development OFF)
if(BYTEFORMER_SANITIZE OR CMAKE_BUILD_TYPE STREQUAL "RelWithDebInfo")
  set(is_for_development ON)
endif()

if(is_for_development)
  find_program(CCACHE_PROGRAM ccache)
endif()
if(is_for_development AND CCACHE_PROGRAM)
  # Without the former it compiles anew whatever reads precompiled headers; without the latter it preprocesses each file
  # before it compiles it, which makes a first build a twentieth longer.
  set(CMAKE_CXX_COMPILER_LAUNCHER env CCACHE_SLOPPINESS=pch_defines,time_macros CCACHE_DEPEND=1 ${CCACHE_PROGRAM})
endif()

if(CMAKE_CXX_COMPILER_ID STREQUAL Clang)  # so that ccache can compare precompiled headers by what they hold
  add_compile_options("SHELL:-Xclang -fno-pch-timestamp")
endif()

add_library(byteformer_options INTERFACE)
target_compile_options(byteformer_options INTERFACE -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wno-sign-conversion
  $<$<CXX_COMPILER_ID:GNU>:-Wno-restrict>  # false alarms of GCC 12 about std::string at -O3
  $<$<BOOL:${BYTEFORMER_WARNINGS_AS_ERRORS}>:-Werror>)
target_include_directories(byteformer_options INTERFACE ${PROJECT_SOURCE_DIR}/include ${PROJECT_SOURCE_DIR}/src)
target_link_libraries(byteformer_options INTERFACE Threads::Threads)
if(BYTEFORMER_DCHECKS)  # what code assumes is checked: ours by base/check.hpp, the containers' by the standard library
  add_compile_definitions(BYTEFORMER_DCHECKS _GLIBCXX_ASSERTIONS)
endif()
if(BYTEFORMER_SANITIZE)
  # Line tables only, and -O0 but where byteformer_optimize() says otherwise: checks cost compilers more than tests.
  add_compile_options(-fsanitize=${BYTEFORMER_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer -O0 -g1)
  set(BYTEFORMER_SANITIZER_FLAGS -fsanitize=${BYTEFORMER_SANITIZE})
  if(CMAKE_CXX_COMPILER_ID STREQUAL Clang)  # programs in C use libraries in C++
    list(APPEND BYTEFORMER_SANITIZER_FLAGS -fsanitize-link-c++-runtime -Wl,--push-state,--no-as-needed,-lstdc++,--pop-state
      -Wno-unused-command-line-argument)  # where nothing is linked
  endif()
  add_link_options(${BYTEFORMER_SANITIZER_FLAGS})
endif()

# Some sixty programs of tests, many of a hundred megabytes where they are sanitized: LLD takes a quarter of the time. What
# ships is linked by the linker of the system.
find_program(LLD_PROGRAM ld.lld)
function(byteformer_link_quickly target)
  if(LLD_PROGRAM)
    target_link_options(${target} PRIVATE -fuse-ld=lld)
  endif()
endfunction()
if(is_for_development AND LLD_PROGRAM)
  add_link_options(-fuse-ld=lld)
endif()

# byteformer_optimize(TARGET): TARGET computes, so it is optimized where tests run and all else is built quickly; but little
# for the thread sanitizer, whose few tests cost less than what the compiler needs for more.
function(byteformer_optimize target)
  if(BYTEFORMER_SANITIZE STREQUAL "thread")
    target_compile_options(${target} PRIVATE -O1)
  elseif(is_for_development)
    target_compile_options(${target} PRIVATE -O2)
  endif()
endfunction()

# byteformer_together(TARGET): compiles its files in groups, because the headers that they share cost more than the code.
# Groups are larger where nobody waits for one file that he has changed. Files still include what they use: the preset
# `tidy` compiles each alone.
option(BYTEFORMER_TOGETHER "Compile the files of a folder in groups" ON)
set(group_size 8)
if(BYTEFORMER_SANITIZE)
  set(group_size 24)
endif()
function(byteformer_together target)
  set_target_properties(${target} PROPERTIES UNITY_BUILD ${BYTEFORMER_TOGETHER} UNITY_BUILD_BATCH_SIZE ${group_size})
  # GCC takes the files of a group for headers, in which a class should not hold what is local to a file.
  target_compile_options(${target} PRIVATE $<$<CXX_COMPILER_ID:GNU>:-Wno-subobject-linkage>)
endfunction()

# byteformer_precompiled(TARGET [COMPUTES]): what most files of floors include is compiled once for code that is built quickly,
# and once for code that computes.
if(BYTEFORMER_TOGETHER)
  find_package(nlohmann_json REQUIRED)
  file(CONFIGURE OUTPUT ${PROJECT_BINARY_DIR}/headers.cpp CONTENT "")  # written once, not each time
  foreach(headers byteformer_headers byteformer_headers_computes)
    add_library(${headers} OBJECT EXCLUDE_FROM_ALL ${PROJECT_BINARY_DIR}/headers.cpp)
    target_link_libraries(${headers} PRIVATE byteformer_options nlohmann_json::nlohmann_json)
    target_precompile_headers(${headers} PRIVATE <nlohmann/json.hpp> <algorithm> <array> <charconv> <chrono> <cmath> <filesystem>
      <functional> <map> <memory> <numeric> <optional> <span> <sstream> <string> <string_view> <thread> <variant> <vector>)
  endforeach()
  byteformer_optimize(byteformer_headers_computes)
endif()
function(byteformer_precompiled target)
  if(NOT BYTEFORMER_TOGETHER)
    return()
  endif()
  # GCC 12's false alarms about std::string, which it does not know to be the system's when it comes out of such a header.
  target_compile_options(${target} PRIVATE
    $<$<CXX_COMPILER_ID:GNU>:-Wno-array-bounds -Wno-stringop-overflow -Wno-stringop-overread>)
  if(ARGN STREQUAL COMPUTES AND is_for_development)
    target_precompile_headers(${target} REUSE_FROM byteformer_headers_computes)
  else()  # where all is optimized alike, once is enough
    target_precompile_headers(${target} REUSE_FROM byteformer_headers)
  endif()
endfunction()

# byteformer_floor(NAME [COMPUTES] [ALONE] SOURCES ... LINKS ...): the folder src/NAME as objects (for the shipped library)
# and as the static library bf_NAME, linked to the floors and libraries below it. COMPUTES: see byteformer_optimize();
# ALONE: neither byteformer_together() nor byteformer_precompiled().
function(byteformer_floor name)
  cmake_parse_arguments(FLOOR "COMPUTES;ALONE" "" "SOURCES;LINKS" ${ARGN})
  add_library(bf_${name}_objects OBJECT ${FLOOR_SOURCES})
  target_link_libraries(bf_${name}_objects PRIVATE byteformer_options)
  set(computes)
  if(FLOOR_COMPUTES)
    set(computes COMPUTES)
    byteformer_optimize(bf_${name}_objects)
  endif()
  if(NOT FLOOR_ALONE)
    byteformer_together(bf_${name}_objects)
    byteformer_precompiled(bf_${name}_objects ${computes})
  endif()
  foreach(link ${FLOOR_LINKS})
    if(NOT link MATCHES "^bf_")
      target_link_libraries(bf_${name}_objects PRIVATE ${link})
    endif()
  endforeach()
  add_library(bf_${name} STATIC $<TARGET_OBJECTS:bf_${name}_objects>)
  target_link_libraries(bf_${name} PUBLIC byteformer_options ${FLOOR_LINKS})
  set_target_properties(bf_${name} PROPERTIES LINKER_LANGUAGE CXX)
endfunction()
