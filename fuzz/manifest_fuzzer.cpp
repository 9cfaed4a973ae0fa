// Manifests of data sets: by the first byte CSV, JSON, a list of labels, or Kaldi's tables (up to the first zero byte,
// and behind it).
#include <algorithm>
#include <cmath>
#include <string_view>

#include "base/text.hpp"
#include "data/manifest_text.hpp"
#include "fuzzing.hpp"

using namespace byteformer;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view text = fuzz::as_text(data + 1, size - 1);
  const auto parse = [&] {
    switch (data[0] % 4) {
      case 0: return data::parse_csv_manifest(text, "manifest");
      case 1: return data::parse_json_manifest(text, "manifest");
      case 2: return data::parse_list(text, "manifest");
      default: break;
    }
    const auto end = std::min(text.find('\0'), text.size());
    return data::parse_kaldi(text.substr(0, end), text.substr(end), "manifest");
  };
  return fuzz::survive([&] {
    std::size_t line = 0;
    const data::Manifest manifest = parse();
    for (const auto& entry : manifest.entries) {
      fuzz::require(entry.line > line && !entry.path.empty() && base::is_utf8(entry.label));
      fuzz::require(!entry.label.empty() || !manifest.has_labels);
      for (const auto& time : {entry.start_s, entry.duration_s})
        fuzz::require(!time || (std::isfinite(*time) && *time >= 0));
      line = entry.line;
    }
  });
}
