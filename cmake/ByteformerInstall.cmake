# What ships: the libraries with their headers, CMake and pkg-config files, and the programs.
include(CMakePackageConfigHelpers)

# byteformer_shipped(TARGET SHARED|STATIC NAME FILE FLOORS ...): a library of floors, known to users as byteformer::NAME. Their
# own dependencies stay inside: users need the standard library and threads. Of floors a shared library keeps what it
# uses: libbyteformer judges what form a file has, and leaves decoding to others.
function(byteformer_shipped target type name file)
  cmake_parse_arguments(SHIPPED "" "" "FLOORS" ${ARGN})
  set(objects)
  set(libraries)
  foreach(floor ${SHIPPED_FLOORS})
    list(APPEND objects $<TARGET_OBJECTS:bf_${floor}_objects>)
    get_target_property(of_floor bf_${floor}_objects LINK_LIBRARIES)
    list(APPEND libraries ${of_floor})
  endforeach()
  list(REMOVE_ITEM libraries byteformer_options)
  list(REMOVE_DUPLICATES libraries)
  add_library(${target} ${type} ${objects})
  add_library(byteformer::${name} ALIAS ${target})
  # Modules lie beside the libraries, as they do where these are installed.
  set_target_properties(${target} PROPERTIES OUTPUT_NAME ${file} EXPORT_NAME ${name} LINKER_LANGUAGE CXX
    LIBRARY_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/${CMAKE_INSTALL_LIBDIR})
  target_include_directories(${target} INTERFACE
    $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include> $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
  if(type STREQUAL "SHARED")
    target_link_libraries(${target} PRIVATE ${libraries} Threads::Threads)
    if(NOT APPLE)
      target_link_options(${target} PRIVATE -Wl,--gc-sections)
    endif()
    if(NOT BYTEFORMER_SANITIZE AND NOT APPLE)
      target_link_options(${target} PRIVATE -Wl,--no-undefined)  # sanitizer runtimes come with the program
    endif()
  endif()
  install(TARGETS ${target} EXPORT byteformer_targets
    LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR} ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
endfunction()

foreach(floor modules media bytes prepare)
  target_compile_options(bf_${floor}_objects PRIVATE -ffunction-sections -fdata-sections)
endforeach()
set(engine_floors base modules kernels format media bytes nn model prepare api)

# C++: libbyteformer classifies, libbyteformer-prepare brings files into a model's form. Before 1.0 a minor version may
# break binaries, so it is part of the soname.
byteformer_shipped(byteformer_shared SHARED byteformer byteformer FLOORS ${engine_floors})
byteformer_shipped(byteformer_prepare_shared SHARED prepare byteformer-prepare FLOORS base modules format media bytes prepare preparer)
target_link_libraries(byteformer_prepare_shared PUBLIC byteformer_shared)
set_target_properties(byteformer_shared byteformer_prepare_shared PROPERTIES
  VERSION ${PROJECT_VERSION} SOVERSION ${PROJECT_VERSION_MAJOR}.${PROJECT_VERSION_MINOR})
byteformer_shipped(byteformer_static STATIC static byteformer FLOORS ${engine_floors})
target_link_libraries(byteformer_static INTERFACE Threads::Threads ${CMAKE_DL_LIBS})
byteformer_shipped(byteformer_prepare_static STATIC prepare_static byteformer-prepare FLOORS preparer)
target_link_libraries(byteformer_prepare_static INTERFACE byteformer_static)
foreach(target byteformer_shared byteformer_prepare_shared byteformer_static byteformer_prepare_static)
  target_compile_features(${target} INTERFACE cxx_std_20)
endforeach()

# C: all of it in one library that shows bf_* alone, so that it gets along with any other version in the process. Its
# soname is the version of the interface.
file(STRINGS include/byteformer.h abi_version REGEX "^#define BF_ABI_VERSION ")
string(REGEX REPLACE "[^0-9]" "" abi_version "${abi_version}")
byteformer_shipped(byteformer_c SHARED c byteformer-c FLOORS ${engine_floors} preparer capi)
set(symbols ${PROJECT_SOURCE_DIR}/src/capi/symbols.map)
target_link_options(byteformer_c PRIVATE -Wl,--version-script=${symbols})
set_target_properties(byteformer_c PROPERTIES VERSION ${abi_version}.${PROJECT_VERSION_MAJOR}.${PROJECT_VERSION_MINOR}
  SOVERSION ${abi_version} LINK_DEPENDS ${symbols})

install(TARGETS byteformer_cli RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
if(BYTEFORMER_HAS_TRAINER)
  install(TARGETS byteformer_train RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
endif()
install(TARGETS byteformer_codecs LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}/byteformer)
if(TARGET byteformer_tls)
  install(TARGETS byteformer_tls LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}/byteformer)
endif()
install(DIRECTORY include/byteformer DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} FILES_MATCHING PATTERN "*.hpp")
install(FILES include/byteformer.h DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(DIRECTORY models/file-types DESTINATION ${CMAKE_INSTALL_DATADIR}/byteformer/models OPTIONAL)
install(DIRECTORY recipes DESTINATION ${CMAKE_INSTALL_DATADIR}/byteformer FILES_MATCHING PATTERN "*.yaml")
install(FILES LICENSE NOTICE DESTINATION ${CMAKE_INSTALL_DOCDIR})
# The man page and the shells' completions; the program writes them while it is built.
install(DIRECTORY ${PROJECT_BINARY_DIR}/share/ DESTINATION ${CMAKE_INSTALL_DATAROOTDIR} OPTIONAL)

# find_package(byteformer [COMPONENTS prepare c ...]): the targets byteformer::byteformer, ::prepare, ::c (shared), ::static
# and ::prepare_static.
set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/byteformer)
install(EXPORT byteformer_targets NAMESPACE byteformer:: DESTINATION ${package_dir})
file(WRITE ${PROJECT_BINARY_DIR}/byteformer-config.cmake [[
include(CMakeFindDependencyMacro)
find_dependency(Threads)
include("${CMAKE_CURRENT_LIST_DIR}/byteformer_targets.cmake")
foreach(component ${byteformer_FIND_COMPONENTS})
  if(TARGET byteformer::${component})
    set(byteformer_${component}_FOUND TRUE)
  elseif(byteformer_FIND_REQUIRED_${component})
    set(byteformer_FOUND FALSE)
    set(byteformer_NOT_FOUND_MESSAGE "byteformer has no component ${component}")
  endif()
endforeach()
]])
write_basic_package_version_file(${PROJECT_BINARY_DIR}/byteformer-config-version.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/byteformer-config.cmake ${PROJECT_BINARY_DIR}/byteformer-config-version.cmake
  DESTINATION ${package_dir})

# pkg-config byteformer, byteformer-prepare, byteformer-c: paths relative to the file itself, so that the installed tree may be
# moved.
file(RELATIVE_PATH prefix_from_pc ${CMAKE_INSTALL_FULL_LIBDIR}/pkgconfig ${CMAKE_INSTALL_PREFIX})
string(REGEX REPLACE "/$" "" prefix_from_pc "${prefix_from_pc}")
function(byteformer_pkg_config library requires description)
  configure_file(cmake/byteformer.pc.in ${PROJECT_BINARY_DIR}/${library}.pc @ONLY)
  install(FILES ${PROJECT_BINARY_DIR}/${library}.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
endfunction()
byteformer_pkg_config(byteformer "" "${PROJECT_DESCRIPTION}")
byteformer_pkg_config(byteformer-prepare byteformer "Bring files into the form that a byteformer model reads")
byteformer_pkg_config(byteformer-c "" "${PROJECT_DESCRIPTION}: the C interface")
