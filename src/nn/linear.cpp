// Packs weights, and multiplies in float32 or in lower precision.
#include "nn/linear.hpp"

#include <algorithm>

#include "base/check.hpp"

namespace byteformer::nn {

base::AlignedBuffer<float> padded_copy(std::span<const float> values) {
  base::AlignedBuffer<float> copy(kernels::padded(values.size()));
  std::copy(values.begin(), values.end(), copy.data());
  return copy;
}

Linear::Linear(LinearKernels kernels, const LinearView& view, std::size_t in_features, std::size_t out_features)
    : kernels_(kernels), in_features_(in_features), out_features_(out_features) {
  BF_DCHECK_EQ(view.weight.size(), in_features * out_features);
  BF_DCHECK(view.bias.empty() || view.bias.size() == out_features);
  const std::size_t width = kernels::padded(out_features);
  if (!view.bias.empty()) bias_ = padded_copy(view.bias);
  if (kernels.reduced == nullptr) {
    packed_ = base::AlignedBuffer<float>(kernels::packed_size(in_features, out_features), kernels.arena);
    kernels.full->pack(view.weight.data(), in_features, out_features, 1, in_features, packed_.data());
    return;
  }
  if (view.bias.empty()) bias_ = base::AlignedBuffer<float>(width);
  groups_ = base::AlignedBuffer<std::uint32_t>(kernels.reduced->groups(in_features) * width, kernels.arena);
  column_scales_ = base::AlignedBuffer<float>(width);
  column_sums_ = base::AlignedBuffer<float>(width);
  kernels.reduced->pack(view.weight.data(), in_features, out_features, groups_.data(), column_scales_.data(),
                        column_sums_.data());
}

std::size_t Linear::arena_bytes(LinearKernels kernels, std::size_t in_features, std::size_t out_features) noexcept {
  if (kernels.reduced == nullptr)
    return base::PageArena::rounded(kernels::packed_size(in_features, out_features) * sizeof(float));
  return base::PageArena::rounded(kernels.reduced->groups(in_features) * kernels::padded(out_features) *
                                  sizeof(std::uint32_t));
}

void Linear::reserve(std::size_t num_rows, Workers& workers) const {
  if (kernels_.reduced == nullptr) return;
  for (WorkerScratch& scratch : workers.scratch) {
    scratch.groups.get(num_rows * kernels_.reduced->groups(in_features_));
    scratch.ranges.get(num_rows);
  }
}

void Linear::run(const kernels::MatmulArgs& args, WorkerScratch& scratch) const {
  BF_DCHECK(args.rows <= 1 || in_features_ <= args.a_stride);
  BF_DCHECK((args.rows <= 1 && args.c_rows == nullptr) || kernels::padded(out_features_) <= args.c_stride);
  if (kernels_.reduced == nullptr) {
    run_full(args);
  } else {
    run_reduced(args, scratch);
  }
}

void Linear::run_full(kernels::MatmulArgs args) const noexcept {
  args.b = packed_.data();
  args.depth = in_features_;
  args.width = out_features_;
  args.bias = bias_.data();
  kernels_.full->matmul(args);
}

void Linear::run_reduced(const kernels::MatmulArgs& args, WorkerScratch& scratch) const {
  const kernels::ReducedKernels& reduced = *kernels_.reduced;
  const std::size_t groups = reduced.groups(in_features_);
  std::uint32_t* rows = scratch.groups.get(args.rows * groups);
  kernels::RowRange* ranges = scratch.ranges.get(args.rows);
  reduced.reduce_rows(args.a, args.a_stride, args.rows, in_features_, rows, ranges);
  reduced.matmul({.a = rows,
                  .ranges = ranges,
                  .rows = args.rows,
                  .b = groups_.data(),
                  .column_scales = column_scales_.data(),
                  .column_sums = column_sums_.data(),
                  .groups = groups,
                  .width = out_features_,
                  .bias = bias_.data(),
                  .c = args.c,
                  .c_stride = args.c_stride,
                  .c_rows = args.c_rows,
                  .epilogue = args.epilogue});
}

LayerNorm::LayerNorm(const kernels::Kernels& kernels, const LayerNormView& view, float eps)
    : kernels_(&kernels),
      features_(view.weight.size()),
      eps_(eps),
      weight_(padded_copy(view.weight)),
      bias_(padded_copy(view.bias)) {
  BF_DCHECK_EQ(view.weight.size(), view.bias.size());
}

void LayerNorm::run(const float* x, const std::int32_t* x_rows, std::size_t rows, float* out) const noexcept {
  BF_DCHECK(rows == 0 || (x != nullptr && out != nullptr));
  kernels_->layer_norm(x, x_rows, rows, features_, weight_.data(), bias_.data(), eps_, out);
}

}  // namespace byteformer::nn
