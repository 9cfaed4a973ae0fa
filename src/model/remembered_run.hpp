// A file's run through the model that is remembered, so that runs of the same file without some bytes compute only what
// differs.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "base/thread_pool.hpp"
#include "byteformer/byte_range.hpp"
#include "model/byteformer.hpp"
#include "nn/geometry.hpp"

namespace byteformer::model {

/// The rows at the input of every layer, every merge and the head, in the order of the file. Immutable: any number of
/// threads may use it, each with a Rerun of its own.
/// \see docs/architecture.md, "Explaining"
class RememberedRun {
 public:
  /// Runs `file` on all threads of `pool`. `model` must outlive this.
  /// \throws Error kEmptyFile or kTooManyTokens; kUnsupported where num_bytes() would exceed kMostBytes.
  RememberedRun(const ByteFormer& model, std::span<const std::uint8_t> file, base::ThreadPool& pool);

  /// Bytes of memory beyond which no file is remembered.
  static constexpr std::uint64_t kMostBytes = std::uint64_t{4} << 30;

  const nn::FileVectors& result() const noexcept { return result_; }
  std::uint64_t num_rows() const noexcept { return num_rows_; }  ///< that the layers computed, all layers together

 private:
  friend class Rerun;
  /// A layer or a merge and what came to it; one of the two is not null.
  struct Step {
    const nn::EncoderBlock* block;
    const nn::TokenMerge* merge;
    nn::WindowGeometry windows;
    std::size_t num_rows;
    nn::RowBuffer rows;
  };

  void add_steps();
  void run(std::span<const std::uint8_t> file, base::ThreadPool& pool);

  const ByteFormer& model_;
  std::uint64_t num_file_bytes_;
  std::vector<std::uint16_t> ids_;  // of the bytes, then padding
  std::vector<Step> steps_;
  nn::PackedRows last_;       // what came to the head, in the order in which it came
  std::size_t num_late_ = 0;  // of these rows: the file's first, and there the last
  nn::FileVectors result_;
  std::uint64_t num_rows_ = 0;
};

/// Runs a remembered file with other bytes in places. One thread at a time; it computes on that thread alone.
///
/// Logits and features are the same bits as those of a whole run. Holds a copy of the head's input and of the file's
/// ids, and the largest set of rows that a run so far had to compute.
class Rerun {
 public:
  explicit Rerun(const RememberedRun& remembered);

  /// Runs the file with `id` (a byte value, or nn::ByteStem::kPadding for no byte) in place of all bytes of `replaced`,
  /// ranges in the file that may overlap.
  void run(std::span<const ByteRange> replaced, std::uint16_t id);

  const nn::FileVectors& result() const noexcept { return result_; }  ///< of the last run
  std::uint64_t num_rows() const noexcept { return num_rows_; }       ///< that the layers computed in the last run

 private:
  using Step = RememberedRun::Step;

  void sum_tokens(std::span<const ByteRange> replaced, std::uint16_t id);
  void gather(const Step& step);
  void compute(const Step& step);
  void finish();

  const RememberedRun& remembered_;
  base::ThreadPool pool_;
  nn::Workers workers_;
  std::vector<std::uint16_t> ids_;
  nn::PackedRows last_;
  nn::FileVectors result_;
  std::uint64_t num_rows_ = 0;

  // The rows that differ at the input of the next step: row rows_[i] of the file is row i of values_.
  std::vector<std::int32_t> rows_;
  nn::RowBuffer values_;

  // Room for the step that is computed.
  std::vector<std::size_t> touched_;    // windows, ascending
  std::vector<nn::Window> windows_;     // the same, as runs of gathered_
  std::vector<std::int32_t> gathered_;  // rows of the file
  std::vector<std::int32_t> order_;     // 0, 1, ...
  std::vector<std::int32_t> place_;     // of each row of the file in values_; -1 if it does not differ
  nn::RowBuffer gathered_values_;
};

}  // namespace byteformer::model
