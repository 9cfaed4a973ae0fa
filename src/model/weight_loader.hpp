// Turns the tensors of a checkpoint into layers, under the names of the published state dict.
#pragma once

#include <deque>
#include <span>
#include <string>
#include <vector>

#include "base/thread_pool.hpp"
#include "format/config.hpp"
#include "format/tensors.hpp"
#include "kernels/kernels.hpp"
#include "nn/byte_stem.hpp"
#include "nn/encoder_block.hpp"
#include "nn/mean_head.hpp"
#include "nn/token_merge.hpp"

namespace byteformer::model {

/// Reads tensors that check_layout() has accepted, and checks that their numbers are finite. One thread at a time.
///
/// Every function throws Error kInvalidModel where they are not. Mapped pages are released as soon as a layer is
/// packed, so that a model is in memory once.
class WeightLoader {
 public:
  WeightLoader(const format::ModelConfig& config, const format::Tensors& tensors, nn::LinearKernels kernels)
      : config_(config), tensors_(tensors), kernels_(kernels) {}

  /// `positions` receives the rows where they cannot be used as they lie in the file; it must outlive the stem.
  nn::ByteStem stem(Masking masking, base::ThreadPool& pool, std::vector<float>& positions);
  nn::EncoderBlock block(std::size_t layer);
  nn::TokenMerge merge(std::size_t layer);
  nn::MeanHead head();

 private:
  std::span<const float> get(const std::string& name);
  nn::LayerNormView norm(const std::string& name);
  nn::LinearView linear(const std::string& name);
  nn::Positions positions(std::vector<float>& storage);
  void read_and_check(const std::string& name, const format::TensorView& tensor);
  void release();  // forgets what get() returned

  const format::ModelConfig& config_;
  const format::Tensors& tensors_;
  nn::LinearKernels kernels_;
  std::deque<std::vector<float>> converted_;      // tensors that are not aligned float32, until release()
  std::vector<std::span<const std::byte>> used_;  // mapped ranges, until release()
};

}  // namespace byteformer::model
