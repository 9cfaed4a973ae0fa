// Safetensors: every accepted tensor must be readable to its last byte.
#include "format/safetensors.hpp"
#include "fuzzing.hpp"

using namespace byteformer;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  return fuzz::survive([&] {
    const auto tensors = format::parse_safetensors(fuzz::as_bytes(data, size), "w");
    for (const auto& [name, tensor] : tensors.by_name) format::to_float32(tensor, name);
  });
}
