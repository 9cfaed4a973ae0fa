// Loading the module of codecs.
#include "media/codecs.hpp"

#include "base/module.hpp"

namespace byteformer::media {
namespace {

const Codecs& load() {
  constexpr const char* kFile = "byteformer-codecs.so";
  constexpr const char* kPurpose = "what decodes and encodes pictures and sounds";
  const auto door =
      reinterpret_cast<decltype(&byteformer_codecs)>(base::open_module(kFile, "byteformer_codecs", kPurpose));
  const Codecs* codecs = door(BYTEFORMER_VERSION);
  if (codecs == nullptr) base::refuse_module_of_other_version(kFile, kPurpose);
  return *codecs;
}

}  // namespace

const Codecs& codecs() {
  static const Codecs& codecs = load();
  return codecs;
}

}  // namespace byteformer::media
