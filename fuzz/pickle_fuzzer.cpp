// The pickle of a .pt file, in a valid zip beside a few storages.
#include <string>

#include "fuzzing.hpp"
#include "interop/checkpoint.hpp"
#include "interop/zip.hpp"

using namespace byteformer;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const std::string storages[] = {std::string(96, 'a'), std::string(24, 'b'), std::string(8, 'c')};
  std::string archive;
  interop::ZipWriter zip([&archive](std::span<const std::byte> bytes) {
    archive.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  });
  zip.add("x/data.pkl", fuzz::as_bytes(data, size));
  int key = 0;
  for (const std::string& storage : storages)
    zip.add("x/data/" + std::to_string(key++), std::as_bytes(std::span(storage)));
  zip.finish();
  return fuzz::survive([&] {
    const auto tensors = interop::parse_pt(std::as_bytes(std::span(archive)), "x.pt");
    for (const auto& [name, tensor] : tensors.by_name) format::to_float32(tensor, name);
  });
}
