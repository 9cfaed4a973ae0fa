// A stem that starts as a filter bank over the numbers that bytes stand for. \see docs/training.md
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "format/config.hpp"

namespace byteformer::plan {

/// Numbers that stand one after another in a file.
struct ByteNumbers {
  enum class Kind { kUint8, kInt16, kInt32, kFloat32, kRgb, kPlanes };
  Kind kind = Kind::kUint8;
  std::int64_t first_byte = 0;  ///< of the first number; a header stands before it
  bool are_in_order = true;     ///< neighbours in the file are neighbours in the sound or picture

  bool operator==(const ByteNumbers&) const = default;
};

std::string_view to_string(ByteNumbers::Kind kind) noexcept;  ///< "int16 samples", "RGB pixels", ...

/// The numbers in the files of a model: of one kind, or a picture's and a sound's for a joint model. Empty where bytes
/// are no numbers (compressed files, files as they are), or the stem cannot tell which byte of a number is which, or is
/// too narrow: then it can only start as published. \throws Error as prepare::parse_preprocess().
std::vector<ByteNumbers> numbers_of(const format::ModelConfig& config);

/// Turns a stem that was initialised as published into a filter bank, in place. One direction of the embedding carries
/// the value of a byte, and each output channel reads it with a filter: windowed cosines and sines up to the Nyquist
/// frequency for sounds, a cosine transform along the row times luminance and two colour differences for pixels. What
/// was there stays as noise of half the size, in the other directions. Numbers that are not in order get the direction
/// alone. The same seed gives the same stem.
/// \param embeddings [257, hidden_size]; that of the padding stays
/// \param convolution [hidden_size, hidden_size, conv_kernel_size]
/// \throws Error kInvalidArgument if numbers_of(config) is empty.
void start_as_filter_bank(const format::ModelConfig& config, std::uint64_t seed, std::span<float> embeddings,
                          std::span<float> convolution);

}  // namespace byteformer::plan
