// The end of the model: final norm, mean over a file's tokens, linear classifier.
#pragma once

#include <cstdint>
#include <vector>

#include "nn/linear.hpp"
#include "nn/packed_rows.hpp"
#include "nn/scratch.hpp"

namespace byteformer::nn {

/// The running sum of the open file's rows. Sums are taken in double, row by row in the order in which rows leave the
/// last layer, which depends on the file alone.
struct MeanState {
  std::vector<double> sums;  // [hidden]
  std::uint64_t count = 0;
};

/// What became of the files that ended, in their order.
struct FileVectors {
  std::vector<float> features;  // [files, hidden]
  std::vector<float> logits;    // [files, labels]
  std::size_t num_files = 0;

  void clear() {
    features.clear();
    logits.clear();
    num_files = 0;
  }
};

/// Final norm, mean and classifier. Immutable: any number of threads may use it.
class MeanHead {
 public:
  /// The classifier multiplies in float32, whatever `kernels` say.
  MeanHead(LinearKernels kernels, const LayerNormView& norm, const LinearView& classifier, std::size_t hidden_size,
           std::size_t num_labels, float eps);

  /// Adds the rows of `x` to the means; appends the features and logits of every file that ends to `out`.
  void operator()(const PackedRows& x, MeanState& state, Workers& workers, FileVectors& out) const;

 private:
  void finish_file(MeanState& state, Workers& workers, FileVectors& out) const;

  std::size_t hidden_size_;
  std::size_t num_labels_;
  LayerNorm norm_;
  Linear classifier_;
};

}  // namespace byteformer::nn
