// Reads a file or standard input, and prepares it.
#include "explain/explained_file.hpp"

#include <limits>
#include <utility>

#include "base/file_io.hpp"
#include "byteformer/error.hpp"
#include "system/input_stream.hpp"

namespace byteformer::cli {
namespace {

bool moves_bytes(const bytes::Transforms& transforms) {
  return transforms.pieces || transforms.shuffle || transforms.mask;
}

ExplainedFile prepared(const std::string& path, media::FileBytes file, const prepare::Preprocess& preprocess) {
  const std::string source = base::printable(path);
  if (file.empty()) throw Error(ErrorCode::kEmptyFile, source, "is empty: there is nothing to explain");
  prepare::Preprocess form = preprocess;
  form.transforms = {};
  prepare::PreparedFile in_form = prepare::prepare_if_needed(std::move(file), form, source);
  ExplainedFile explained{path, preprocess, in_form.was_prepared, std::move(in_form.bytes), {}, {}};
  explained.read = prepare::transformed(explained.encoded, preprocess, source);
  if (moves_bytes(preprocess.transforms)) explained.origins = bytes::origins(preprocess.transforms, explained.encoded);
  return explained;
}

}  // namespace

std::vector<float> ExplainedFile::in_file_order(std::span<const float> values) const {
  if (origins.empty()) return {values.begin(), values.end()};
  std::vector<float> ordered(encoded.size(), std::numeric_limits<float>::quiet_NaN());
  for (std::size_t i = 0; i < origins.size(); ++i) ordered[origins[i]] = values[i];
  return ordered;
}

ExplainedFile open_explained_file(const std::string& path, const prepare::Preprocess& preprocess, std::istream* input) {
  return prepared(path, path == "-" ? read_all(*input, "-") : read_whole_input(path), preprocess);
}

}  // namespace byteformer::cli
