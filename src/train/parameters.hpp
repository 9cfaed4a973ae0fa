// All parameters of a model in one flat tensor, with their gradients beside them: one loop serves optimizer and
// average.
#pragma once

#include <torch/types.h>

#include <cstdint>
#include <map>
#include <string>

#include "format/config.hpp"
#include "format/tensors.hpp"

namespace byteformer::train {

inline constexpr const char* kPositions = "pos_embed.pos_embed.pos_embed";

/// The trainable tensors of `model::tensor_specs`, as views into `values()`; those that decay come first.
///
/// Not thread-safe. The views' gradients are views into `gradients()`, into which every backward pass adds.
class Parameters {
 public:
  /// All zero.
  Parameters(const format::ModelConfig& config, torch::Device device);

  /// The leaf of that name, with its published shape. \throws Error kInternal if there is none.
  const torch::Tensor& operator[](const std::string& name) const;
  bool has(const std::string& name) const { return views_.count(name) > 0; }
  const std::map<std::string, torch::Tensor>& all() const noexcept { return views_; }

  torch::Tensor& values() noexcept { return values_; }        ///< [num_parameters]
  torch::Tensor& gradients() noexcept { return gradients_; }  ///< [num_parameters]
  const torch::Tensor& values() const noexcept { return values_; }
  /// The first so many decay: those of more than one dimension.
  std::int64_t num_decayed() const noexcept { return num_decayed_; }
  std::int64_t size() const noexcept { return values_.numel(); }

  /// Copies what a weights file holds into `values()`; names must be those of the model.
  /// \throws Error kInvalidModel naming the tensor.
  void load(const format::Tensors& tensors);

  /// A flat tensor of the same layout (values, or an average of them) as named tensors on the CPU, for writing.
  /// The result's views point into `flat_on_cpu`.
  format::NamedTensors named(const torch::Tensor& flat_on_cpu) const;

 private:
  std::map<std::string, torch::Tensor> views_;
  torch::Tensor values_, gradients_;
  std::int64_t num_decayed_ = 0;
};

/// How the weights start.
enum class Initialisation {
  kReleased,         ///< what the published code does: Xavier uniform linears, uniform convolution, normal embeddings
  kTruncatedNormal,  ///< what its configuration files ask for: normal 0.02 linears, Kaiming uniform convolution
  kFilterBank,       ///< as kReleased, but for the stem. \see start_as_filter_bank()
};

/// \param name "released", "normal" or "filter-bank"
Initialisation parse_initialisation(const std::string& name);

/// Fills `parameters` from `seed`, the same on every device.
/// \throws Error kInvalidArgument for a filter bank where the bytes of `config.preprocess` are no numbers.
void initialise(Parameters& parameters, const format::ModelConfig& config, Initialisation how, std::uint64_t seed);

/// Copies the weights of the model folder `init_from` into `parameters`. Its learned positions repeat where more are
/// wanted; a head of other classes keeps its start values, and classes of the same names keep their rows. \throws Error
/// kInvalidModel naming what does not fit: sizes, layers, kernel.
void adapt(Parameters& parameters, const format::ModelConfig& config, const std::string& init_from);

}  // namespace byteformer::train
