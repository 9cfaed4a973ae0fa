# What ships: the library, shared and static, its headers, its CMake and pkg-config files, and the program.
include(CMakePackageConfigHelpers)

# The floors that make up libbyteformer. Their own dependencies stay inside: users need the standard library and threads.
set(shipped_objects)
set(shipped_libraries)
foreach(floor base kernels format nn model api)
  list(APPEND shipped_objects $<TARGET_OBJECTS:bf_${floor}_objects>)
  get_target_property(libraries bf_${floor}_objects LINK_LIBRARIES)
  list(APPEND shipped_libraries ${libraries})
endforeach()
list(REMOVE_ITEM shipped_libraries byteformer_options)
list(REMOVE_DUPLICATES shipped_libraries)

# byteformer_shipped(TARGET SHARED|STATIC NAME): one form of the library, known to users as byteformer::NAME.
function(byteformer_shipped target type name)
  add_library(${target} ${type} ${shipped_objects})
  add_library(byteformer::${name} ALIAS ${target})
  set_target_properties(${target} PROPERTIES OUTPUT_NAME byteformer EXPORT_NAME ${name} LINKER_LANGUAGE CXX)
  target_compile_features(${target} INTERFACE cxx_std_20)
  target_include_directories(${target} INTERFACE
    $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include> $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
endfunction()

byteformer_shipped(byteformer_shared SHARED byteformer)
# Before 1.0 a minor version may break binaries, so it is part of the soname.
set_target_properties(byteformer_shared PROPERTIES
  VERSION ${PROJECT_VERSION} SOVERSION ${PROJECT_VERSION_MAJOR}.${PROJECT_VERSION_MINOR})
target_link_libraries(byteformer_shared PRIVATE ${shipped_libraries} Threads::Threads)
if(NOT BYTEFORMER_SANITIZE AND NOT APPLE)
  target_link_options(byteformer_shared PRIVATE -Wl,--no-undefined)  # sanitizer runtimes come with the program
endif()

byteformer_shipped(byteformer_static STATIC static)
target_link_libraries(byteformer_static INTERFACE Threads::Threads)

install(TARGETS byteformer_shared byteformer_static EXPORT byteformer_targets
  LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR} ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(TARGETS byteformer_cli RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
if(BYTEFORMER_HAS_TRAINER)
  install(TARGETS byteformer_train RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
endif()
install(TARGETS byteformer_codecs LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}/byteformer)
install(DIRECTORY include/byteformer DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} FILES_MATCHING PATTERN "*.hpp")
install(DIRECTORY models/file-types DESTINATION ${CMAKE_INSTALL_DATADIR}/byteformer/models OPTIONAL)
install(DIRECTORY recipes DESTINATION ${CMAKE_INSTALL_DATADIR}/byteformer FILES_MATCHING PATTERN "*.yaml")
install(FILES LICENSE NOTICE DESTINATION ${CMAKE_INSTALL_DOCDIR})
# The man page and the shells' completions; the program writes them while it is built.
install(DIRECTORY ${PROJECT_BINARY_DIR}/share/ DESTINATION ${CMAKE_INSTALL_DATAROOTDIR} OPTIONAL)

# find_package(byteformer): the targets byteformer::byteformer (shared) and byteformer::static.
set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/byteformer)
install(EXPORT byteformer_targets NAMESPACE byteformer:: DESTINATION ${package_dir})
file(WRITE ${PROJECT_BINARY_DIR}/byteformer-config.cmake [[
include(CMakeFindDependencyMacro)
find_dependency(Threads)
include("${CMAKE_CURRENT_LIST_DIR}/byteformer_targets.cmake")
]])
write_basic_package_version_file(${PROJECT_BINARY_DIR}/byteformer-config-version.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/byteformer-config.cmake ${PROJECT_BINARY_DIR}/byteformer-config-version.cmake
  DESTINATION ${package_dir})

# pkg-config byteformer: paths relative to the file itself, so that the installed tree may be moved.
file(RELATIVE_PATH prefix_from_pc ${CMAKE_INSTALL_FULL_LIBDIR}/pkgconfig ${CMAKE_INSTALL_PREFIX})
string(REGEX REPLACE "/$" "" prefix_from_pc "${prefix_from_pc}")
configure_file(cmake/byteformer.pc.in ${PROJECT_BINARY_DIR}/byteformer.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/byteformer.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
