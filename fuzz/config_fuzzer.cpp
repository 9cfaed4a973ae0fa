// config.json: what is accepted must survive being written and read again.
#include "format/config.hpp"
#include "fuzzing.hpp"

using namespace byteformer;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  return fuzz::survive([&] {
    const auto config = format::parse_config(fuzz::as_text(data, size), "config.json");
    fuzz::require(format::parse_config(format::to_json(config), "again") == config);
  });
}
