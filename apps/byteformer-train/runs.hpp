// What byteformer-train does: trains, or integrates gradients.
#pragma once

#include <filesystem>
#include <string>

#include "plan/settings.hpp"

namespace byteformer::train_app {

/// From a request to a model folder: looks at the data, plans, trains, reports.
/// \return the exit status: 0 done, 130 interrupted and saved. \throws Error
int train(const plan::Request& request);

/// For `byteformer explain`: reads the file from standard input and writes the answer to standard output.
/// \param request a GradientRequest as JSON
/// \return the exit status. \throws Error
int integrate_gradients(const std::string& request, const std::filesystem::path& model_dir);

}  // namespace byteformer::train_app
