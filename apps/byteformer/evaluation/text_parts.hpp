// What the texts about evaluations share.
#pragma once

#include <fmt/format.h>

#include <cstddef>
#include <string>

#include "evaluation/evaluation.hpp"

namespace byteformer::cli {

inline constexpr std::size_t kBarColumns = 20;

/// 0.123 as "12.3 %".
inline std::string percent(double fraction) { return fmt::format("{:.1f} %", 100 * fraction); }

/// The figures over all files, one a line.
std::string evaluation_heading(const Evaluation& evaluation);

}  // namespace byteformer::cli
