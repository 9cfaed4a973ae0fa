// The settings of a training in a recipe: options of `byteformer train`, with underscores.
#pragma once

#include <string>

#include "interop/yaml_file.hpp"
#include "plan/settings.hpp"

namespace byteformer::experiments {

/// Reads what stands below `prefix` ("small.train."): those options that decide what is computed. Data, output, seed
/// and machine are not a recipe's to say.
/// \throws Error kInvalidFormat naming source, line, key, what was expected and what was found.
plan::Request read_train_settings(const interop::YamlFile& yaml, const std::string& prefix);

}  // namespace byteformer::experiments
