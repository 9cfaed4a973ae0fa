// A multipart body after a line with its media type; the same bytes as an address, as base64 and as a proxy's word.
#include <algorithm>

#include "fuzzing.hpp"
#include "serve/forms.hpp"

using namespace byteformer;

namespace {

template <typename Parse>
void survive_refusal(Parse parse) {
  try {
    parse();
  } catch (const serve::Refusal& refusal) {
    fuzz::require(refusal.status == 400);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::uint8_t* end = std::find(data, data + size, '\n');
  const std::string_view line = fuzz::as_text(data, static_cast<std::size_t>(end - data));
  const std::span body(std::min(end + 1, data + size), data + size);
  survive_refusal([&] {
    const auto boundary = serve::media_type_parameter(line, "boundary");
    std::size_t num_bytes = 0;
    for (const serve::Part& part : serve::parse_multipart(body, boundary.value_or("b"), 16)) {
      fuzz::require(part.bytes.empty() || (part.bytes.data() >= body.data() &&
                                           part.bytes.data() + part.bytes.size() <= body.data() + body.size()));
      num_bytes += part.bytes.size();
    }
    fuzz::require(num_bytes <= body.size());
  });
  survive_refusal([&] { serve::parse_target(fuzz::as_text(data, size)); });
  survive_refusal([&] { serve::decode_base64(fuzz::as_text(data, size)); });
  for (const char* field : {"x-forwarded-for", "forwarded"}) {
    constexpr std::size_t kLongestAddress = 45;
    const auto address = serve::forwarded_address(field, fuzz::as_text(data, size));
    fuzz::require(!address || (address->size() <= kLongestAddress && address->find('\0') == std::string::npos));
  }
  return 0;
}
