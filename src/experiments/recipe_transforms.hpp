// Transforms of bytes in a recipe: a list of mappings as `transforms` in a model's `preprocess`.
#pragma once

#include <optional>
#include <string>

#include "interop/yaml_file.hpp"

namespace byteformer::experiments {

/// The list at `path` as JSON, the form of prepare::parse_transforms(); nothing where it is absent.
/// \throws Error kInvalidFormat naming source, line, key, what was expected and what was found.
std::optional<std::string> read_transforms(const interop::YamlFile& yaml, const std::string& path);

}  // namespace byteformer::experiments
