// Permutes the rows of a model's byte embedding, so that it reads obfuscated bytes.
#include "interop/rekey.hpp"

#include <algorithm>
#include <cstddef>
#include <vector>

#include "base/file_io.hpp"
#include "format/model_folder.hpp"
#include "format/text.hpp"
#include "model/weights.hpp"

namespace byteformer::interop {
namespace {

constexpr const char* kEmbedding = "embeddings.weight";  // [257, hidden_size]: 256 byte values and the padding id

/// \param rows  [257, any], rows of one size
std::vector<std::byte> permuted_rows(std::span<const std::byte> rows, std::size_t num_rows,
                                     const bytes::ByteTable& table) {
  const std::size_t row_bytes = rows.size() / num_rows;
  std::vector<std::byte> permuted(rows.begin(), rows.end());
  for (std::size_t value = 0; value < table.size(); ++value)
    std::ranges::copy(rows.subspan(value * row_bytes, row_bytes), permuted.begin() + table[value] * row_bytes);
  return permuted;
}

prepare::Preprocess rekeyed(prepare::Preprocess preprocess, const RekeyOptions& options) {
  std::vector<bytes::BytePermutation>& permutations = preprocess.transforms.permutations;
  if (!permutations.empty() && !options.adds_to_keys)
    format::fail(ErrorCode::kInvalidArgument, base::About{options.model.native()}, "is keyed already: it reads ",
                 prepare::describe(preprocess), "; --again puts the new key on top");
  permutations.push_back(options.key);
  prepare::parse_preprocess(prepare::to_json(preprocess),
                            base::printable(options.model) + ": preprocess with the new key");
  return preprocess;
}

}  // namespace

prepare::Preprocess rekey_model(const RekeyOptions& options) {
  auto [path, config, tensors] = format::read_model_folder(options.model);
  model::check_tensors(config, tensors);
  const prepare::Preprocess preprocess = rekeyed(prepare::read_preprocess(options.model), options);
  format::TensorView& embedding = tensors.by_name.at(kEmbedding);
  const std::vector<std::byte> rows =
      permuted_rows(embedding.bytes, static_cast<std::size_t>(config.vocab_size), options.key.table());
  embedding.bytes = rows;
  config.preprocess = prepare::to_json(preprocess);
  format::write_model_folder(options.output, config, tensors.by_name);
  return preprocess;
}

}  // namespace byteformer::interop
