// Implementation of engine_answers.hpp.
#include "train/engine_answers.hpp"

#include <memory>

#include "kernels/kernels.hpp"
#include "model/byteformer.hpp"

namespace byteformer::train {

data::Answers engine_answers(const format::ModelConfig& config, const Parameters& parameters,
                             const torch::Tensor& weights, const std::vector<std::span<const std::uint8_t>>& files,
                             const std::vector<int>& labels, base::ThreadPool& pool) {
  auto tensors = std::make_shared<format::Tensors>();
  tensors->by_name = parameters.named(weights);
  tensors->source = "the weights in training";
  const model::ByteFormer engine(config, tensors, config.masking, kernels::default_kernels(), pool);
  model::Workspace workspace = engine.make_workspace(pool);
  for (const auto& file : files) {
    engine.feed(file, workspace);
    engine.end_file(workspace);
  }
  engine.flush(workspace);
  data::Answers answers;
  answers.num_classes = static_cast<std::size_t>(config.num_labels);
  answers.logits = workspace.results.logits;
  answers.labels = labels;
  return answers;
}

}  // namespace byteformer::train
