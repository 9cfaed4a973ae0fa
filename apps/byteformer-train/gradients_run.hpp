// Integrated gradients for `byteformer explain`.
#pragma once

#include <filesystem>
#include <string>

namespace byteformer::train_app {

/// Reads the file from standard input and writes the answer to standard output.
/// \param request a GradientRequest as JSON
/// \return the exit status. \throws Error
int integrate_gradients(const std::string& request, const std::filesystem::path& model_dir);

}  // namespace byteformer::train_app
