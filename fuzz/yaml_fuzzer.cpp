// The published YAML configurations.
#include "fuzzing.hpp"
#include "interop/published_yaml.hpp"

using namespace byteformer;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  return fuzz::survive([&] { interop::parse_published_yaml(fuzz::as_text(data, size), "run.yaml"); });
}
