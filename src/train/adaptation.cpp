// Implementation of adaptation.hpp.
#include "train/adaptation.hpp"

#include <algorithm>

#include "byteformer/error.hpp"
#include "format/model_folder.hpp"
#include "format/text.hpp"
#include "plan/settings.hpp"

namespace byteformer::train {
namespace {

/// Rows of a [rows, ...] tensor: `from[row]` goes to `to[wanted]` for pairs of equal names, or row by row.
void copy_rows(const std::vector<float>& from, std::size_t row_size, torch::Tensor to,
               const std::vector<std::pair<std::int64_t, std::int64_t>>& rows) {
  torch::Tensor flat = to.view({-1, static_cast<std::int64_t>(row_size)});
  for (const auto& [source, target] : rows)
    flat[target].copy_(torch::from_blob(const_cast<float*>(from.data()) + source * static_cast<std::int64_t>(row_size),
                                        {static_cast<std::int64_t>(row_size)}));
}

std::vector<std::pair<std::int64_t, std::int64_t>> same_rows(std::int64_t count) {
  std::vector<std::pair<std::int64_t, std::int64_t>> rows;
  for (std::int64_t i = 0; i < count; ++i) rows.emplace_back(i, i);
  return rows;
}

std::vector<std::pair<std::int64_t, std::int64_t>> same_labels(const std::vector<std::string>& from,
                                                               const std::vector<std::string>& to) {
  std::vector<std::pair<std::int64_t, std::int64_t>> rows;
  for (std::size_t i = 0; i < to.size(); ++i) {
    const auto found = std::ranges::find(from, to[i]);
    if (found != from.end()) rows.emplace_back(found - from.begin(), static_cast<std::int64_t>(i));
  }
  return rows;
}

}  // namespace

void adapt(Parameters& parameters, const format::ModelConfig& config, const std::string& init_from) {
  torch::NoGradGuard no_grad;
  const format::ModelFolder source = format::read_model_folder(init_from);
  for (const auto& [name, leaf] : parameters.all()) {
    const auto found = source.tensors.by_name.find(name);
    if (found == source.tensors.by_name.end()) {
      if (name.rfind("pos_embed", 0) == 0) continue;  // it has sinusoidal positions
      format::fail(ErrorCode::kInvalidModel, init_from, ": has no tensor ", name,
                   "; the models differ in their layers");
    }
    const std::vector<std::int64_t> shape = leaf.sizes().vec();
    const std::vector<float> numbers = format::to_float32(found->second, name);
    torch::Tensor target = leaf.detach();
    if (name.rfind("classifier.", 0) == 0) {
      const std::size_t row_size = name == "classifier.bias" ? 1 : static_cast<std::size_t>(config.hidden_size);
      if (found->second.shape.size() != shape.size() || (shape.size() == 2 && found->second.shape[1] != shape[1]))
        format::fail(ErrorCode::kInvalidModel, init_from, ": its hidden size differs");
      copy_rows(numbers, row_size, target, same_labels(source.config.labels, config.labels));
    } else if (name.rfind("pos_embed", 0) == 0 && found->second.shape.back() == config.hidden_size) {
      copy_rows(numbers, static_cast<std::size_t>(config.hidden_size), target,
                same_rows(std::min(config.max_position_embeddings, source.config.max_position_embeddings)));
    } else if (found->second.shape == shape) {
      target.copy_(torch::from_blob(const_cast<float*>(numbers.data()), shape));
    } else {
      format::fail(ErrorCode::kInvalidModel, init_from, ": tensor ", name, " has shape ",
                   format::shape_text(found->second.shape), ", this model needs ", format::shape_text(shape), "; ",
                   plan::option_name(&plan::Request::init_from), " takes models of the same sizes and kernel");
    }
  }
}

}  // namespace byteformer::train
