// Finds modules beside the shared library or the program that holds this code.
#include "base/module.hpp"

#include <dlfcn.h>
#include <fcntl.h>
#include <link.h>

#include <cerrno>
#include <filesystem>

#include "base/file_io.hpp"
#include "byteformer/error.hpp"

namespace byteformer::base {
namespace {

/// Whether process or system have no file descriptor left, which passes.
bool lacks_descriptors() {
  const Descriptor probe(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  return probe.get() < 0 && (errno == EMFILE || errno == ENFILE);
}

[[noreturn]] void refuse(std::string_view purpose, const std::string& reason) {
  fail(ErrorCode::kUnsupported, "cannot load ", purpose, ": ", reason,
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
std::filesystem::path modules_folder(std::string_view purpose) {
  if (const std::filesystem::path library = own_library(); !library.empty())
    return library.parent_path() / "byteformer";
  const std::filesystem::path here = program_folder();
  if (here.empty()) refuse(purpose, "the system does not tell where this program lies");
  return (here / BYTEFORMER_MODULES_FROM_PROGRAMS).lexically_normal();
}

}  // namespace

void* open_module(const std::string& file, const char* door, std::string_view purpose) {
  const std::filesystem::path path = modules_folder(purpose) / file;
  void* module = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (module == nullptr) {
    const std::string reason = dlerror();
    if (lacks_descriptors()) fail(ErrorCode::kIo, "cannot load ", purpose, ": ", reason);
    refuse(purpose, reason);
  }
  void* address = dlsym(module, door);
  if (address == nullptr) refuse_module_of_other_version(file, purpose);
  return address;
}

void refuse_module_of_other_version(const std::string& file, std::string_view purpose) {
  refuse(purpose, joined(printable(modules_folder(purpose) / file), " is not that of byteformer " BYTEFORMER_VERSION));
}

}  // namespace byteformer::base
