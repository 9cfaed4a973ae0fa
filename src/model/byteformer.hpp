// The model: stem, encoder blocks, token merges and head, through which files flow in windows.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "base/thread_pool.hpp"
#include "byteformer/masking.hpp"
#include "format/config.hpp"
#include "format/tensors.hpp"
#include "kernels/kernels.hpp"
#include "nn/byte_stem.hpp"
#include "nn/encoder_block.hpp"
#include "nn/mean_head.hpp"
#include "nn/token_merge.hpp"
#include "nn/window_cutter.hpp"

namespace byteformer::model {

/// Sees the rows that leave a stage: "stem", "block_0", "merge_0", ... in the order in which they flow (late rows
/// last).
using StageObserver = std::function<void(std::string_view stage, const nn::PackedRows& rows)>;

class ByteFormer;

/// Everything that one forward pass changes; made for one model by ByteFormer::make_workspace. One thread at a time.
///
/// Its size depends on the model and the number of threads, not on the files. After warm-up nothing is allocated.
class Workspace {
 public:
  nn::FileVectors results;  ///< one entry for every file that ended; the caller takes them and calls clear()
  StageObserver observer;   ///< may be empty

  /// Bytes held now.
  std::size_t num_bytes() const noexcept;

 private:
  friend class ByteFormer;
  /// The rows that wait in front of a block and of the merge that follows it.
  struct StageState {
    nn::WindowCutter windows;
    std::optional<nn::WindowCutter> pairs;
  };

  Workspace(base::ThreadPool& pool, std::size_t hidden_size) : workers_(pool), x_(hidden_size) {}

  nn::Workers workers_;
  nn::ByteStemState stem_;
  nn::PackedRows x_;
  std::vector<StageState> stages_;
  nn::MeanState mean_;
};

/// A ByteFormer ready to run. Immutable: any number of threads may use it, each with its own Workspace.
///
/// Usage, for any number of files: feed(), feed(), ..., end_file(), feed(), ..., end_file(), flush(); the results
/// appear in Workspace::results in the order of the files. A file's results are the same bits however it was cut into
/// pieces and whatever other files flow beside it.
class ByteFormer {
 public:
  /// Tokens per thread that flow through the layers at once: enough for every thread to have a few windows, few enough
  /// to stay near the cores.
  static constexpr std::size_t kRoundTokens = 1024;

  /// Checks and packs the weights, on all threads of `pool`. Keeps `tensors`, whose positions are used where they lie.
  /// \throws Error kInvalidModel
  ByteFormer(const format::ModelConfig& config, std::shared_ptr<const format::Tensors> tensors, Masking masking,
             nn::LinearKernels kernels, base::ThreadPool& pool);

  Workspace make_workspace(base::ThreadPool& pool) const;

  /// Appends bytes to the open file.
  /// \throws Error kTooManyTokens; the open file must then be abandoned with reset().
  void feed(std::span<const std::uint8_t> bytes, Workspace& ws) const;

  /// Ends the open file.
  /// \throws Error kEmptyFile or kTooManyTokens; the open file must then be abandoned with reset().
  void end_file(Workspace& ws) const;

  /// Computes what is left of all files that ended.
  void flush(Workspace& ws) const;

  /// Forgets all files, also those whose results are not there yet.
  void reset(Workspace& ws) const;

  /// The most bytes that a workspace for `num_threads` threads comes to hold, whatever the files.
  std::size_t max_workspace_bytes(int num_threads) const noexcept;

  struct Stage {
    nn::EncoderBlock block;
    std::optional<nn::TokenMerge> merge;
  };

  const format::ModelConfig& config() const noexcept { return config_; }
  Masking masking() const noexcept { return masking_; }
  nn::WindowGeometry windows(std::size_t layer) const noexcept {
    return {config_.window_sizes[layer], config_.window_shifts[layer], masking_};
  }
  const nn::ByteStem& stem() const noexcept { return stem_; }
  std::span<const Stage> stages() const noexcept { return stages_; }
  const nn::MeanHead& head() const noexcept { return head_; }

 private:
  void forward(Workspace& ws, bool flush) const;

  format::ModelConfig config_;
  Masking masking_;
  std::shared_ptr<const format::Tensors> tensors_;
  std::vector<float> positions_;  // where they are not float32 in the file
  base::PageArena weights_;       // packed
  nn::ByteStem stem_;
  std::vector<Stage> stages_;
  nn::MeanHead head_;
};

}  // namespace byteformer::model
