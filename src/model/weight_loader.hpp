// Turns the tensors of a checkpoint into layers, under the names of the published state dict.
#pragma once

#include <deque>
#include <initializer_list>
#include <span>
#include <string>
#include <vector>

#include "base/aligned_buffer.hpp"
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
/// Every function throws Error kInvalidModel where they are not. Of a file only one layer is in memory at a time,
/// beside what is packed.
class WeightLoader {
 public:
  WeightLoader(const format::ModelConfig& config, const format::Tensors& tensors, nn::LinearKernels kernels)
      : config_(config), tensors_(tensors), kernels_(kernels) {}

  /// What all layers' packed weights take of an arena.
  static std::size_t arena_bytes(const format::ModelConfig& config, nn::LinearKernels kernels) noexcept;

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
  void expect(std::initializer_list<std::string> prefixes);  // makes room for tensors whose names begin so
  void release();                                            // forgets what get() returned

  const format::ModelConfig& config_;
  const format::Tensors& tensors_;
  nn::LinearKernels kernels_;
  base::PageArena room_{0};                          // for one layer of a file
  std::deque<base::AlignedBuffer<std::byte>> read_;  // what was read into it, until release()
  std::deque<std::vector<float>> converted_;         // tensors that are not aligned float32, until release()
};

}  // namespace byteformer::model
