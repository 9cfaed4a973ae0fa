// The number formats in which a model's linear layers can compute.
#pragma once

#include <string_view>

namespace byteformer {

/// In what the rows and weights of the blocks' and merges' linear layers are multiplied. Everything else (sums, norms,
/// attention, the byte table, the head) is float32 always.
/// \see docs/performance.md, "Lower precision"
enum class Precision {
  kFloat32,   ///< As the model was trained.
  kBfloat16,  ///< Both rounded to 8 bits of mantissa, added up in float32.
  kInt8,      ///< Weights in 8 bits with a scale a column, rows in 7 or 8 bits with a range a row, added up exactly.
};

/// "float32", "bfloat16" or "int8".
constexpr std::string_view to_string(Precision precision) noexcept {
  switch (precision) {
    case Precision::kBfloat16: return "bfloat16";
    case Precision::kInt8: return "int8";
    default: return "float32";
  }
}

}  // namespace byteformer
