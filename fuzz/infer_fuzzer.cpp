// A request for inference: its first byte says how much of the rest is JSON, tensors follow; 255: no header says so.
#include <string>

#include "fuzzing.hpp"
#include "serve/forms.hpp"
#include "serve/protocol.hpp"

using namespace byteformer;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  constexpr std::uint8_t kNoHeader = 255;
  constexpr std::size_t kMaxFiles = 16;
  const std::span body(data + 1, size - 1);
  const std::string length = std::to_string(data[0] * body.size() / kNoHeader);
  try {
    const serve::InferRequest request =
        serve::parse_infer_request(body, data[0] == kNoHeader ? nullptr : &length, kMaxFiles);
    fuzz::require(!request.files.empty() && request.files.size() <= kMaxFiles && !request.outputs.empty());
    std::size_t num_bytes = 0;
    for (const auto& file : request.files) num_bytes += file.size();
    fuzz::require(num_bytes <= body.size());
  } catch (const serve::Refusal& refusal) {
    fuzz::require(refusal.status == 400 && !serve::error_body(refusal.message).empty());
  }
  return 0;
}
