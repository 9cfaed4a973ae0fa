// Position embeddings: learned rows, or sines and cosines that never end.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "base/aligned_buffer.hpp"

namespace byteformer::nn {

/// P[t] for every token t. Immutable: any number of threads may use it.
class Positions {
 public:
  /// Learned rows [max_tokens, hidden]. Where a row is as wide as the kernels want it the span is used as it is and
  /// must outlive this; otherwise it is copied. `is_mapped` says that the span lies in a base::MappedFile.
  static Positions learned(std::span<const float> rows, std::size_t hidden_size, bool is_mapped = false);

  /// Sinusoidal rows. The first `max_tokens` are those of the published buffer: `buffer` [max_tokens, hidden] if a
  /// checkpoint holds it, else the formula in float32: its angles to the bit, sine and cosine within an ulp or two of
  /// them. Beyond, the formula in double, by the sum of two angles: that of the last multiple of kBlock, and the rest.
  static Positions sinusoidal(std::span<const float> buffer, std::size_t max_tokens, std::size_t hidden_size);

  /// Tokens that have a position; none if there is no limit.
  std::optional<std::uint64_t> limit() const noexcept;

  /// Rows first ... first + count - 1, padded; computed into `scratch` [count, padded(hidden)] where they are not
  /// stored.
  const float* rows(std::uint64_t first, std::size_t count, float* scratch) const noexcept;

  /// Says that these rows have been used: where they are many and lie in a mapped file, their memory is given back
  /// until the next file reads them again.
  void release(std::uint64_t first, std::size_t count) const noexcept;

  /// [hidden / 2] by which a position is multiplied to give the angles; none for learned rows.
  std::span<const float> frequencies() const noexcept { return frequencies_; }

 private:
  Positions(std::size_t hidden_size, bool is_sinusoidal) : hidden_size_(hidden_size), is_sinusoidal_(is_sinusoidal) {}
  void store(std::span<const float> rows);
  void compute_float32(std::uint64_t position, float* out) const noexcept;
  void compute_double(std::uint64_t first, std::size_t count, float* out) const noexcept;

  static constexpr std::size_t kBlock = 64;
  struct Rotation {
    double sine, cosine;
  };

  std::size_t hidden_size_;
  bool is_sinusoidal_;
  bool is_mapped_ = false;           // stored_ lies in a mapped file
  std::uint64_t num_stored_ = 0;     // rows in memory
  const float* stored_ = nullptr;    // [num_stored_, padded(hidden)]
  base::AlignedBuffer<float> copy_;  // owns stored_ unless it is a view
  std::uint64_t num_float32_ = 0;    // positions whose angle is taken in float32
  std::vector<float> frequencies_;   // [hidden / 2]
  std::vector<Rotation> rotations_;  // [hidden / 2, kBlock]: of 0, 1, ... times the frequency
};

}  // namespace byteformer::nn
