// Manifests of data sets: CSV (first byte even) and JSON lines (odd).
#include <cmath>

#include "data/manifest_text.hpp"
#include "format/text.hpp"
#include "fuzzing.hpp"

using namespace byteformer;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const auto parse = data[0] % 2 == 0 ? data::parse_csv_manifest : data::parse_json_manifest;
  return fuzz::survive([&] {
    std::size_t line = 0;
    for (const auto& entry : parse(fuzz::as_text(data + 1, size - 1), "manifest")) {
      fuzz::require(entry.line > line && !entry.path.empty() && !entry.label.empty() && format::is_utf8(entry.label));
      fuzz::require(!entry.start_s || (std::isfinite(*entry.start_s) && *entry.start_s >= 0));
      line = entry.line;
    }
  });
}
