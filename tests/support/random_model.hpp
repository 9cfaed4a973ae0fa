// Small models with random weights, and random files, all from a seed.
#pragma once

#include <cstdint>
#include <memory>
#include <random>
#include <vector>

#include "format/config.hpp"
#include "format/tensors.hpp"

namespace byteformer::test {

using Random = std::mt19937_64;

/// Uniform in [low, high].
std::int64_t pick(Random& random, std::int64_t low, std::int64_t high);

/// A configuration of up to four layers with any kernel, windows, shifts, merges, heads and positions.
format::ModelConfig random_config(Random& random);

/// Weights for `config` of a size that keeps activations near 1, with every parameter made to matter.
std::shared_ptr<const format::Tensors> random_tensors(const format::ModelConfig& config, Random& random);

std::vector<std::uint8_t> random_file(Random& random, std::size_t num_bytes);

}  // namespace byteformer::test
