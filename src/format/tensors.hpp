// Named tensors of a weights file, whatever its format: views into memory that stays alive with them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace byteformer::base {
class MappedFile;
}

namespace byteformer::format {

/// Element types of weights files. Only F32, F16 and BF16 can become weights.
enum class DType { kF32, kF16, kBF16, kF64, kI64, kI32, kI16, kI8, kU8, kBool };

std::size_t size_of(DType dtype) noexcept;         ///< bytes of one element
std::string_view to_string(DType dtype) noexcept;  ///< "F32", "BF16", ... as safetensors spells them
std::optional<DType> parse_dtype(std::string_view name) noexcept;

/// A contiguous, row-major, little-endian tensor. The bytes need not be aligned.
struct TensorView {
  DType dtype = DType::kF32;
  std::vector<std::int64_t> shape;
  std::span<const std::byte> bytes;  ///< as many as shape and dtype say

  std::int64_t num_elements() const noexcept;
};

/// Bytes of a tensor of `shape`; empty if a dimension is negative or the product overflows.
std::optional<std::uint64_t> num_bytes_of(std::span<const std::int64_t> shape, DType dtype) noexcept;

/// "[192, 384]"
std::string shape_text(std::span<const std::int64_t> shape);

/// The elements as float32 (F16 and BF16 are widened exactly).
/// \throws Error kUnsupported for other types, naming `name`.
std::vector<float> to_float32(const TensorView& tensor, const std::string& name);
void copy_as_float32(const TensorView& tensor, const std::string& name, std::span<float> out);

using NamedTensors = std::map<std::string, TensorView, std::less<>>;

/// All tensors of one file.
struct Tensors {
  NamedTensors by_name;
  std::map<std::string, std::string> metadata;   ///< `__metadata__` of safetensors
  std::shared_ptr<const void> storage;           ///< keeps the bytes alive
  std::shared_ptr<const base::MappedFile> file;  ///< where the bytes lie; null if they are elsewhere
  std::string source;                            ///< the path that they come from, as it was given
};

}  // namespace byteformer::format
