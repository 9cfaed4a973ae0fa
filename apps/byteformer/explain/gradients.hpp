// Integrated gradients, which byteformer-train computes.
#pragma once

#include <filesystem>
#include <span>

#include "common/gradient_messages.hpp"

namespace byteformer::cli {

/// \param file as the model in `model_dir` reads it
/// \throws Error kUnsupported saying how to get byteformer-train where it is not installed; as run_filter().
GradientAnswer integrated_gradients(const std::filesystem::path& model_dir, std::span<const std::uint8_t> file,
                                    const GradientRequest& request);

}  // namespace byteformer::cli
