// The `preprocess` object of a model (up to the first zero byte), and a file (after it) that may be in its form and is
// transformed.
#include <algorithm>

#include "fuzzing.hpp"
#include "prepare/preprocess.hpp"

using namespace byteformer;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::uint8_t* end = std::find(data, data + size, 0);
  const std::span file(std::min(end + 1, data + size), data + size);
  return fuzz::survive([&] {
    const auto preprocess = prepare::parse_preprocess(fuzz::as_text(data, static_cast<std::size_t>(end - data)), "p");
    fuzz::require(prepare::parse_preprocess(prepare::to_json(preprocess), "p") == preprocess);
    fuzz::require(!prepare::describe(preprocess).empty());
    prepare::is_in_form(file, preprocess);
    fuzz::require(bytes::transformed(preprocess.transforms, {file.begin(), file.end()}).size() <= file.size());
  });
}
