// Loading the module that encrypts.
#include "serve/tls.hpp"

#include "base/module.hpp"

namespace byteformer::serve {

std::shared_ptr<const Tls> load_tls(const std::string& certificate, const std::string& key) {
  static const TlsLibrary& library = []() -> const TlsLibrary& {
    constexpr const char* kFile = "byteformer-tls.so";
    constexpr const char* kPurpose = "what encrypts connections";
    const auto door = reinterpret_cast<decltype(&byteformer_tls)>(base::open_module(kFile, "byteformer_tls", kPurpose));
    const TlsLibrary* found = door(BYTEFORMER_VERSION);
    if (found == nullptr) base::refuse_module_of_other_version(kFile, kPurpose);
    return *found;
  }();
  return library.load(certificate, key);
}

}  // namespace byteformer::serve
