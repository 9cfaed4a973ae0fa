// The stem: bytes become tokens by sums of table rows, which is exactly the embedding and the convolution.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/aligned_buffer.hpp"
#include "nn/byte_table.hpp"
#include "nn/geometry.hpp"
#include "nn/packed_rows.hpp"
#include "nn/positions.hpp"
#include "nn/scratch.hpp"

namespace byteformer::nn {

struct ByteStemView {
  std::span<const float> embedding;    ///< [257, hidden]
  std::span<const float> convolution;  ///< [hidden, hidden, kernel_size]; empty for kernel size 0
};

/// The open file's bytes that no token has used up.
struct ByteStemState {
  std::vector<std::uint16_t> ids;  // byte values and padding ids
  std::size_t num_ids = 0;
  std::uint64_t num_bytes = 0;   // read of this file so far
  std::uint64_t num_tokens = 0;  // made of this file so far
};

/// Token t = sum_j T[j][b[t s + j]] + P[t] with T[j][v] = W[:, :, j] E[v]. Immutable: any number of threads may use it.
/// \see docs/architecture.md, "The byte table"
class ByteStem {
 public:
  static constexpr std::size_t kVocabulary = kByteVocabulary;
  static constexpr std::uint16_t kPadding = 256;

  /// Builds the table: 257 k hidden^2 multiply-adds, on all threads of `pool`. \see LinearKernels for `arena`
  ByteStem(const kernels::Kernels& kernels, const ByteStemView& view, std::size_t hidden_size,
           const TokenGeometry& tokens, Positions positions, base::ThreadPool& pool, base::PageArena* arena);

  /// What the table takes of an arena.
  static std::size_t arena_bytes(std::size_t hidden_size, const TokenGeometry& tokens) noexcept;

  const TokenGeometry& tokens() const noexcept { return tokens_; }

  /// Tokens that have a position; none if there is no limit.
  std::optional<std::uint64_t> max_tokens() const noexcept { return positions_.limit(); }

  /// Appends tokens to `out` until it holds `max_rows` rows or `bytes` are used up; removes what was used from `bytes`.
  /// \throws Error kTooManyTokens
  void take(std::span<const std::uint8_t>& bytes, std::size_t max_rows, ByteStemState& state, Workers& workers,
            PackedRows& out) const;

  /// Ends the file: appends its last tokens (at most two) and its end to `out`.
  /// \throws Error kEmptyFile or kTooManyTokens
  void finish(ByteStemState& state, Workers& workers, PackedRows& out) const;

  /// Writes the rows of tokens first ... first + count - 1 of a file to `out`, on the calling thread.
  /// \param ids  of the file, from its first byte: all that its tokens read
  void sum_rows(const std::uint16_t* ids, std::uint64_t first, std::size_t count, WorkerScratch& scratch,
                float* out) const;

  /// \throws Error kTooManyTokens, naming both numbers and what to do, if `num_tokens` has no positions.
  void check_tokens(std::uint64_t num_tokens) const;

 private:
  void sum_tokens(std::size_t count, ByteStemState& state, Workers& workers, PackedRows& out) const;
  /// At most kTaskTokens tokens, of which `ids` begins with the first.
  void sum_task(const std::uint16_t* ids, std::uint64_t first, std::size_t tokens, WorkerScratch& scratch,
                float* out) const;

  const kernels::Kernels* kernels_;
  std::size_t hidden_size_;
  TokenGeometry tokens_;
  Positions positions_;
  base::AlignedBuffer<float> table_;  // [taps, 257, padded(hidden)]
};

}  // namespace byteformer::nn
