// Implementation of random_model.hpp.
#include "support/random_model.hpp"

#include <cmath>

#include "model/weights.hpp"

namespace byteformer::test {

std::int64_t pick(Random& random, std::int64_t low, std::int64_t high) {
  return std::uniform_int_distribution<std::int64_t>(low, high)(random);
}

format::ModelConfig random_config(Random& random) {
  static constexpr std::int64_t kHeads[] = {1, 2, 3};
  static constexpr std::int64_t kHeadDims[] = {4, 6, 10, 16, 20};
  static constexpr std::int64_t kKernels[] = {0, 2, 4, 6, 8, 16, 32};
  static constexpr std::int64_t kWindows[] = {1, 2, 5, 8, 16, 32, 64};
  format::ModelConfig config;
  config.num_attention_heads = kHeads[pick(random, 0, 2)];
  config.hidden_size = config.num_attention_heads * kHeadDims[pick(random, 0, 4)];
  config.intermediate_size = config.hidden_size * pick(random, 1, 3) + pick(random, 0, 5);
  config.num_hidden_layers = pick(random, 1, 4);
  config.conv_kernel_size = kKernels[pick(random, 0, 6)];
  config.max_position_embeddings = 1200;
  config.position_embedding =
      pick(random, 0, 1) != 0 ? format::PositionEmbedding::kSinusoidal : format::PositionEmbedding::kLearned;
  for (std::int64_t layer = 0; layer < config.num_hidden_layers; ++layer) {
    config.window_sizes.push_back(kWindows[pick(random, 0, 6)]);
    config.window_shifts.push_back(pick(random, 0, 2) == 0 ? 0 : pick(random, 0, 100));
    config.downsample.push_back(pick(random, 0, 1) != 0);
  }
  config.num_labels = pick(random, 1, 20);
  for (std::int64_t i = 0; i < config.num_labels; ++i) config.labels.push_back(std::to_string(i));
  return config;
}

std::shared_ptr<const format::Tensors> random_tensors(const format::ModelConfig& config, Random& random) {
  auto storage = std::make_shared<std::vector<std::vector<float>>>();
  auto tensors = std::make_shared<format::Tensors>();
  tensors->source = "random";
  std::normal_distribution<float> normal;
  for (const model::TensorSpec& spec : model::tensor_specs(config)) {
    if (spec.optional) continue;
    std::size_t count = 1;
    for (const std::int64_t dim : spec.shape) count *= static_cast<std::size_t>(dim);
    float deviation = 0.3f;
    if (spec.shape.size() > 1)
      deviation = 1.0f / std::sqrt(static_cast<float>(count) / static_cast<float>(spec.shape.front()));
    if (spec.name.starts_with("embeddings") || spec.name.starts_with("pos_embed")) deviation = 0.7f;
    const float mean = spec.shape.size() == 1 && spec.name.ends_with("weight") ? 1.0f : 0.0f;
    std::vector<float> values(count);
    for (float& value : values) value = mean + deviation * normal(random);
    if (spec.name == "embeddings.weight")
      std::fill(values.end() - config.hidden_size, values.end(), 0.0f);  // the padding row
    storage->push_back(std::move(values));
    tensors->by_name[spec.name] = {format::DType::kF32, spec.shape, std::as_bytes(std::span(storage->back()))};
  }
  tensors->storage = storage;
  return tensors;
}

std::vector<std::uint8_t> random_file(Random& random, std::size_t num_bytes) {
  std::vector<std::uint8_t> bytes(num_bytes);
  for (auto& byte : bytes) byte = static_cast<std::uint8_t>(random());
  return bytes;
}

}  // namespace byteformer::test
