// Label files.
#include "base/text.hpp"
#include "fuzzing.hpp"
#include "interop/import_export.hpp"

using namespace byteformer;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  return fuzz::survive([&] {
    for (const auto& label : interop::parse_labels(fuzz::as_text(data, size), "labels.txt"))
      fuzz::require(!label.empty() && base::is_utf8(label));
  });
}
