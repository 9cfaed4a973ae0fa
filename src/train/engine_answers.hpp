// Answers of weights in training, by the engine that will run them later: in constant memory, and faster than a forward
// pass that remembers.
#pragma once

#include <cstdint>
#include <vector>

#include "base/thread_pool.hpp"
#include "data/metrics.hpp"
#include "format/config.hpp"
#include "train/parameters.hpp"

namespace byteformer::train {

/// Logits of `files`, in their order; `labels` are what they should be.
/// \param weights flat, on the CPU, in the layout of `parameters`
data::Answers engine_answers(const format::ModelConfig& config, const Parameters& parameters,
                             const torch::Tensor& weights, const std::vector<std::span<const std::uint8_t>>& files,
                             const std::vector<int>& labels, base::ThreadPool& pool);

}  // namespace byteformer::train
