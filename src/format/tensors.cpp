// Element types and their conversion to float32.
#include "format/tensors.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>

#include "base/text.hpp"

namespace byteformer::format {
namespace {

using base::fail;

struct Type {
  std::string_view name;
  std::size_t num_bytes;
};
/// In the order of DType.
constexpr std::array<Type, 10> kTypes{{{"F32", 4},
                                       {"F16", 2},
                                       {"BF16", 2},
                                       {"F64", 8},
                                       {"I64", 8},
                                       {"I32", 4},
                                       {"I16", 2},
                                       {"I8", 1},
                                       {"U8", 1},
                                       {"BOOL", 1}}};
static_assert(kTypes.size() == static_cast<std::size_t>(DType::kBool) + 1);

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

std::size_t size_of(DType dtype) noexcept { return kTypes[static_cast<std::size_t>(dtype)].num_bytes; }
std::string_view to_string(DType dtype) noexcept { return kTypes[static_cast<std::size_t>(dtype)].name; }

std::optional<DType> parse_dtype(std::string_view name) noexcept {
  const auto known = std::ranges::find(kTypes, name, &Type::name);
  if (known == kTypes.end()) return std::nullopt;
  return static_cast<DType>(known - kTypes.begin());
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
      fail(ErrorCode::kUnsupported, "tensor ", base::excerpt(name), " has elements of type ", to_string(tensor.dtype),
           "; weights must be F32, F16 or BF16");
  }
}

}  // namespace byteformer::format
