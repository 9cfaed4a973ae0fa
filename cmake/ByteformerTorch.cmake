# LibTorch, found once: Debian's package, or the one inside an installed PyTorch (CMAKE_PREFIX_PATH). Sets
# BYTEFORMER_HAS_TRAINER and the target byteformer_torch.
set(BYTEFORMER_BUILD_TRAINER AUTO CACHE STRING "Build byteformer-train: ON, OFF, or AUTO where LibTorch is found")
set(BYTEFORMER_HAS_TRAINER OFF)
if(BYTEFORMER_BUILD_TRAINER)
  find_package(Torch QUIET)
  find_path(BYTEFORMER_GLOO_INCLUDE_DIR gloo/config.h)  # c10d's headers name Gloo's
  if((Torch_FOUND OR TORCH_FOUND) AND NOT BYTEFORMER_GLOO_INCLUDE_DIR)
    message(WARNING "LibTorch was found, but not the headers of Gloo (Debian's libgloo-dev): byteformer-train is left out")
  endif()
  if((Torch_FOUND OR TORCH_FOUND) AND BYTEFORMER_GLOO_INCLUDE_DIR)
    set(BYTEFORMER_HAS_TRAINER ON)
    add_library(byteformer_torch INTERFACE)
    # Its headers are not ours to warn about.
    target_include_directories(byteformer_torch SYSTEM INTERFACE ${TORCH_INCLUDE_DIRS} ${BYTEFORMER_GLOO_INCLUDE_DIR})
    target_link_libraries(byteformer_torch INTERFACE ${TORCH_LIBRARIES})
  elseif(NOT BYTEFORMER_BUILD_TRAINER STREQUAL "AUTO")
    message(FATAL_ERROR "LibTorch was not found: install libtorch-dev and libgloo-dev, or point CMAKE_PREFIX_PATH at PyTorch's share/cmake")
  endif()
endif()
