// Looking libarchive's functions up.
#include "data/libarchive.hpp"

#include <dlfcn.h>

#include "base/text.hpp"

namespace byteformer::data {
namespace {

constexpr const char* kName = "libarchive.so.13";

LibArchive load() {
  const auto refuse = [] {
    base::fail(ErrorCode::kUnsupported, "cannot load what reads and writes tar archives: ", dlerror(),
               "; install libarchive (Debian's libarchive13)");
  };
  void* module = dlopen(kName, RTLD_NOW | RTLD_LOCAL);
  if (module == nullptr) refuse();
  LibArchive library;
#define BYTEFORMER_LOOK_UP(name)                                                 \
  library.name = reinterpret_cast<decltype(library.name)>(dlsym(module, #name)); \
  if (library.name == nullptr) refuse();
  BYTEFORMER_LIBARCHIVE(BYTEFORMER_LOOK_UP)
#undef BYTEFORMER_LOOK_UP
  return library;
}

}  // namespace

const LibArchive& libarchive() {
  static const LibArchive library = load();
  return library;
}

Error archive_error(archive* failed, const std::filesystem::path& path) {
  const char* reason = libarchive().archive_error_string(failed);
  return {ErrorCode::kInvalidFormat, path.native(), reason == nullptr ? "is damaged" : reason};
}

}  // namespace byteformer::data
