// Loading the module of codecs.
#include "media/codecs.hpp"

#include <dlfcn.h>

#include <filesystem>

#include "base/file_io.hpp"
#include "byteformer/error.hpp"

namespace byteformer::media {
namespace {

[[noreturn]] void refuse(const std::string& reason) {
  base::fail(ErrorCode::kUnsupported, "cannot load what decodes and encodes pictures and sounds: ", reason,
             "; install byteformer anew, or build it again, with its folder lib/byteformer");
}

const Codecs& load() {
  const std::filesystem::path here = base::program_folder();
  if (here.empty()) refuse("the system does not tell where this program lies");
  const auto path = (here / BYTEFORMER_MODULES_FROM_PROGRAMS / "byteformer-codecs.so").lexically_normal();
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
