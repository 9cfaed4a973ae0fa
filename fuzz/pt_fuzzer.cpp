// A whole .pt file. Its checksums stop most mutations; pickle_fuzzer.cpp goes deeper.
#include "fuzzing.hpp"
#include "interop/checkpoint.hpp"

using namespace byteformer;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  return fuzz::survive([&] {
    const auto tensors = interop::parse_pt(fuzz::as_bytes(data, size), "x.pt");
    for (const auto& [name, tensor] : tensors.by_name) format::to_float32(tensor, name);
  });
}
