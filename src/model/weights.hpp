// The list of a ByteFormer's tensors: every name and shape, in one place.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "format/config.hpp"
#include "format/tensors.hpp"

namespace byteformer::model {

/// One tensor of the state dict.
struct TensorSpec {
  std::string name;
  std::vector<std::int64_t> shape;
  bool optional = false;  ///< the sinusoidal buffer may be absent; it is then computed
};

/// All tensors of `config`, in the order of the published state dict. \see docs/architecture.md, "Tensors"
std::vector<TensorSpec> tensor_specs(const format::ModelConfig& config);

/// Checks that `tensors` are those of `config`: none missing, none too many, shapes and dtypes right.
/// \throws Error kInvalidModel naming the tensor, expected and found.
void check_layout(const format::ModelConfig& config, const format::Tensors& tensors);

/// Checks that every number of a tensor is finite, which needs to read all of it.
/// \throws Error kInvalidModel naming `source` and the tensor.
void check_finite(const std::string& name, const format::TensorView& tensor, const std::string& source);

/// Both checks, for all tensors.
void check_tensors(const format::ModelConfig& config, const format::Tensors& tensors);

/// Whether the tensor is computed, not learned: sinusoidal positions.
bool is_buffer(const format::ModelConfig& config, const TensorSpec& spec) noexcept;

/// Trainable parameters, without buffers.
std::int64_t num_parameters(const format::ModelConfig& config);

}  // namespace byteformer::model
