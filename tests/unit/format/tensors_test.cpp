// Element types, sizes and conversions.
#include "format/tensors.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>

#include "support/errors.hpp"
#include "support/files.hpp"

namespace byteformer::format {
namespace {

using test::little_endian;

TensorView view(DType dtype, const std::string& bytes) {
  return {dtype, {static_cast<std::int64_t>(bytes.size() / size_of(dtype))}, test::as_bytes(bytes)};
}

TEST(TensorsTest, WidensEveryFiniteHalfExactly) {
  for (std::uint32_t bits = 0; bits < 0x10000; ++bits) {
    const int exponent = static_cast<int>(bits >> 10 & 0x1F);
    if (exponent == 0x1F) continue;
    const int mantissa = static_cast<int>(bits & 0x3FF);
    double expected = exponent == 0 ? std::ldexp(mantissa, -24) : std::ldexp(1024 + mantissa, exponent - 25);
    if ((bits & 0x8000) != 0) expected = -expected;
    const std::string bytes = little_endian(bits, 2);
    const float found = to_float32(view(DType::kF16, bytes), "x")[0];
    ASSERT_EQ(found, expected) << bits;
    ASSERT_EQ(std::signbit(found), (bits & 0x8000) != 0) << bits;
  }
}

TEST(TensorsTest, WidensInfinityAndNaN) {
  const std::string halves = little_endian(0x7C00, 2) + little_endian(0xFC00, 2) + little_endian(0x7E00, 2);
  const auto values = to_float32(view(DType::kF16, halves), "x");
  EXPECT_EQ(values[0], std::numeric_limits<float>::infinity());
  EXPECT_EQ(values[1], -std::numeric_limits<float>::infinity());
  EXPECT_TRUE(std::isnan(values[2]));
}

TEST(TensorsTest, WidensBfloat16) {
  const std::string bytes = little_endian(0x3F80, 2) + little_endian(0xC040, 2) + little_endian(0x0001, 2);
  EXPECT_EQ(to_float32(view(DType::kBF16, bytes), "x"), (std::vector<float>{1.0F, -3.0F, 0x1p-133F}));
}

TEST(TensorsTest, CopiesUnalignedFloats) {
  const std::string bytes = "?" + little_endian(0x3F800000, 4) + little_endian(0xC0000000, 4);
  const TensorView tensor{DType::kF32, {2}, test::as_bytes(bytes).subspan(1)};
  EXPECT_EQ(to_float32(tensor, "x"), (std::vector<float>{1.0F, -2.0F}));
}

TEST(TensorsTest, RefusesTypesThatAreNoWeights) {
  const std::string bytes(8, '\0');
  for (const DType dtype : {DType::kF64, DType::kI64, DType::kI32, DType::kI16, DType::kI8, DType::kU8, DType::kBool})
    test::expect_error(ErrorCode::kUnsupported, {"steps", to_string(dtype)},
                       [&] { to_float32(view(dtype, bytes), "steps"); });
}

TEST(TensorsTest, CountsBytesWithoutOverflow) {
  const auto count = [](std::vector<std::int64_t> shape, DType dtype) { return num_bytes_of(shape, dtype); };
  EXPECT_EQ(count({}, DType::kF32), 4U);
  EXPECT_EQ(count({3, 5}, DType::kBF16), 30U);
  EXPECT_EQ(count({INT64_MAX, INT64_MAX, 0}, DType::kF32), 0U);
  EXPECT_EQ(count({INT64_MAX, 3}, DType::kU8), std::nullopt);
  EXPECT_EQ(count({std::int64_t{1} << 62}, DType::kF32), std::nullopt);
  EXPECT_EQ(count({-1, 0}, DType::kF32), std::nullopt);
}

TEST(TensorsTest, PrintsShapes) {
  EXPECT_EQ(shape_text(std::vector<std::int64_t>{}), "[]");
  EXPECT_EQ(shape_text(std::vector<std::int64_t>{192, 384}), "[192, 384]");
}

}  // namespace
}  // namespace byteformer::format
