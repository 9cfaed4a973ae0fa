// Loading the module of codecs.
#include "media/codecs.hpp"

#include <dlfcn.h>
#include <link.h>

#include <filesystem>

#include "base/file_io.hpp"
#include "byteformer/error.hpp"

namespace byteformer::media {
namespace {

[[noreturn]] void refuse(const std::string& reason) {
  base::fail(ErrorCode::kUnsupported, "cannot load what decodes and encodes pictures and sounds: ", reason,
             "; install byteformer anew, or build it again, with its folder lib/byteformer");
}

/// The shared library that holds this code; empty where the program itself does.
std::filesystem::path own_library() {
  Dl_info info{};
  link_map* map = nullptr;
  if (dladdr1(reinterpret_cast<const void*>(&own_library), &info, reinterpret_cast<void**>(&map), RTLD_DL_LINKMAP) == 0)
    return {};
  std::error_code error;
  return *map->l_name == '\0' ? std::filesystem::path() : std::filesystem::canonical(map->l_name, error);
}

/// Where modules lie, as they are built and installed.
std::filesystem::path modules_folder() {
  if (const std::filesystem::path library = own_library(); !library.empty())
    return library.parent_path() / "byteformer";
  const std::filesystem::path here = base::program_folder();
  if (here.empty()) refuse("the system does not tell where this program lies");
  return (here / BYTEFORMER_MODULES_FROM_PROGRAMS).lexically_normal();
}

const Codecs& load() {
  const auto path = modules_folder() / "byteformer-codecs.so";
  void* module = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (module == nullptr) refuse(dlerror());
  const auto door = reinterpret_cast<decltype(&byteformer_codecs)>(dlsym(module, "byteformer_codecs"));
  const Codecs* codecs = door == nullptr ? nullptr : door(BYTEFORMER_VERSION);
  if (codecs == nullptr) refuse(base::printable(path) + " is not that of byteformer " + BYTEFORMER_VERSION);
  return *codecs;
}

}  // namespace

const Codecs& codecs() {
  static const Codecs& codecs = load();
  return codecs;
}

}  // namespace byteformer::media
