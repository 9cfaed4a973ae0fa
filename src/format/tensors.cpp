// Element types and their conversion to float32.
#include "format/tensors.hpp"

#include <algorithm>
#include <bit>
#include <cstring>

#include "format/text.hpp"

namespace byteformer::format {
namespace {

float from_bf16(std::uint16_t bits) { return std::bit_cast<float>(static_cast<std::uint32_t>(bits) << 16); }

float from_f16(std::uint16_t bits) {
  const std::uint32_t sign = (bits & 0x8000u) << 16;
  const std::uint32_t exponent = (bits >> 10) & 0x1F;
  const std::uint32_t mantissa = bits & 0x3FFu;
  if (exponent == 0) {  // zero and subnormal: mantissa * 2^-24, exact in float32
    const float magnitude = static_cast<float>(mantissa) * 0x1p-24F;
    return std::bit_cast<float>(std::bit_cast<std::uint32_t>(magnitude) | sign);
  }
  const std::uint32_t wide_exponent = exponent == 0x1F ? 0xFF : exponent + (127 - 15);
  return std::bit_cast<float>(sign | wide_exponent << 23 | mantissa << 13);
}

template <typename Widen>
void widen_all(std::span<const std::byte> bytes, std::span<float> out, Widen widen) {
  for (std::size_t i = 0; i < out.size(); ++i) {
    std::uint16_t bits;
    std::memcpy(&bits, bytes.data() + i * sizeof(bits), sizeof(bits));  // may be unaligned
    out[i] = widen(bits);
  }
}

}  // namespace

std::size_t size_of(DType dtype) noexcept {
  switch (dtype) {
    case DType::kF64:
    case DType::kI64: return 8;
    case DType::kF32:
    case DType::kI32: return 4;
    case DType::kF16:
    case DType::kBF16:
    case DType::kI16: return 2;
    case DType::kI8:
    case DType::kU8:
    case DType::kBool: return 1;
  }
  return 1;
}

std::string_view to_string(DType dtype) noexcept {
  switch (dtype) {
    case DType::kF32: return "F32";
    case DType::kF16: return "F16";
    case DType::kBF16: return "BF16";
    case DType::kF64: return "F64";
    case DType::kI64: return "I64";
    case DType::kI32: return "I32";
    case DType::kI16: return "I16";
    case DType::kI8: return "I8";
    case DType::kU8: return "U8";
    case DType::kBool: return "BOOL";
  }
  return "?";
}

std::int64_t TensorView::num_elements() const noexcept {
  return static_cast<std::int64_t>(bytes.size() / size_of(dtype));
}

std::optional<std::uint64_t> num_bytes_of(std::span<const std::int64_t> shape, DType dtype) noexcept {
  if (std::ranges::any_of(shape, [](std::int64_t dim) { return dim < 0; })) return std::nullopt;
  if (std::ranges::find(shape, 0) != shape.end()) return 0;
  std::uint64_t num_bytes = size_of(dtype);
  for (const std::int64_t dim : shape)
    if (__builtin_mul_overflow(num_bytes, static_cast<std::uint64_t>(dim), &num_bytes)) return std::nullopt;
  return num_bytes;
}

std::string shape_text(std::span<const std::int64_t> shape) {
  std::string text = "[";
  for (const std::int64_t dim : shape) text += (text.size() > 1 ? ", " : "") + std::to_string(dim);
  return text + "]";
}

std::vector<float> to_float32(const TensorView& tensor, const std::string& name) {
  std::vector<float> out(static_cast<std::size_t>(tensor.num_elements()));
  copy_as_float32(tensor, name, out);
  return out;
}

void copy_as_float32(const TensorView& tensor, const std::string& name, std::span<float> out) {
  if (out.size() * size_of(tensor.dtype) != tensor.bytes.size())
    fail(ErrorCode::kInternal, "tensor ", name, " has ", tensor.num_elements(), " elements, room for ", out.size());
  switch (tensor.dtype) {
    case DType::kF32:
      if (!out.empty()) std::memcpy(out.data(), tensor.bytes.data(), tensor.bytes.size());
      return;
    case DType::kF16: return widen_all(tensor.bytes, out, from_f16);
    case DType::kBF16: return widen_all(tensor.bytes, out, from_bf16);
    default:
      fail(ErrorCode::kUnsupported, "tensor ", excerpt(name), " has elements of type ", to_string(tensor.dtype),
           "; weights must be F32, F16 or BF16");
  }
}

}  // namespace byteformer::format
