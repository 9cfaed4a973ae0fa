// Runs files through a ByteFormer in tests.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "model/byteformer.hpp"

namespace byteformer::test {

/// Largest absolute difference over the largest absolute value of `expected`.
template <typename A, typename B>
double relative_error(const A& actual, const B& expected) {
  if (std::size(actual) != std::size(expected)) return 1e9;
  double largest = 1e-30;
  double difference = 0;
  for (std::size_t i = 0; i < std::size(expected); ++i) {
    largest = std::max(largest, std::abs(static_cast<double>(expected[i])));
    const double d = std::abs(static_cast<double>(actual[i]) - static_cast<double>(expected[i]));
    difference = d <= difference ? difference : d;  // a NaN is carried on
  }
  return difference / largest;
}

/// The logits of one file, alone.
inline std::vector<float> run_file(const model::ByteFormer& model, model::Workspace& ws,
                                   std::span<const std::uint8_t> file) {
  model.reset(ws);
  model.feed(file, ws);
  model.end_file(ws);
  model.flush(ws);
  return ws.results.logits;
}

}  // namespace byteformer::test
