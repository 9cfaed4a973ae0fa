// What byteformer asks of byteformer-train for integrated gradients, and what it answers: JSON in both directions.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace byteformer::cli {

/// The program's first argument where it is to integrate gradients. The request is the second one, the model's folder
/// (a path may be any bytes, JSON may not) the third, and the bytes that the model reads come on standard input.
inline constexpr const char* kIntegratedGradients = "--integrated-gradients";

struct GradientRequest {
  std::string masking = {};  ///< instead of the model's; empty: the model's
  int label = 0;
  bool of_logit = false;  ///< else of the log-odds
  std::int64_t steps = 0;
  std::int64_t threads = 0;     ///< 0: one per processor
  bool shows_progress = false;  ///< on standard error
};

struct GradientAnswer {
  double value = 0;          ///< of the whole file
  double value_without = 0;  ///< with no byte anywhere
  std::vector<float> heat;   ///< [bytes]
};

std::string to_json(const GradientRequest& request);
std::string to_json(const GradientAnswer& answer);

/// \throws Error kInvalidFormat
GradientRequest parse_gradient_request(const std::string& json);
GradientAnswer parse_gradient_answer(const std::string& json);

}  // namespace byteformer::cli
