// Implementation of linear.hpp.
#include "nn/linear.hpp"

#include <algorithm>

namespace byteformer::nn {

base::AlignedBuffer<float> padded_copy(std::span<const float> values) {
  base::AlignedBuffer<float> copy(kernels::padded(values.size()));
  std::copy(values.begin(), values.end(), copy.data());
  return copy;
}

Linear::Linear(const kernels::Kernels& kernels, const LinearView& view, std::size_t in_features,
               std::size_t out_features)
    : kernels_(&kernels),
      in_features_(in_features),
      out_features_(out_features),
      packed_(kernels::packed_size(in_features, out_features)) {
  kernels.pack(view.weight.data(), in_features, out_features, 1, in_features, packed_.data());
  if (!view.bias.empty()) bias_ = padded_copy(view.bias);
}

void Linear::run(kernels::MatmulArgs args) const noexcept {
  args.b = packed_.data();
  args.depth = in_features_;
  args.width = out_features_;
  args.bias = bias_.data();
  kernels_->matmul(args);
}

LayerNorm::LayerNorm(const kernels::Kernels& kernels, const LayerNormView& view, float eps)
    : kernels_(&kernels),
      features_(view.weight.size()),
      eps_(eps),
      weight_(padded_copy(view.weight)),
      bias_(padded_copy(view.bias)) {}

void LayerNorm::run(const float* x, const std::int32_t* x_rows, std::size_t rows, float* out) const noexcept {
  kernels_->layer_norm(x, x_rows, rows, features_, weight_.data(), bias_.data(), eps_, out);
}

}  // namespace byteformer::nn
