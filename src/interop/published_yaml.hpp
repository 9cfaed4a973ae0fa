// The published configurations (CoreNet YAML), as far as they describe a model.
#pragma once

#include <string>
#include <string_view>

#include "format/config.hpp"

namespace byteformer::interop {

class YamlFile;

/// Parses `model.classification.n_classes` and `model.classification.byteformer.*` of a published YAML file; keys that
/// change nothing here (dropout, paths, statistics) are ignored knowingly. Nested and dotted keys are both understood.
/// \throws Error kInvalidFormat naming `source`, the key, what was expected and what was found.
format::PartialConfig parse_published_yaml(std::string_view yaml, const std::string& source);

/// The same of a file that is open already.
format::PartialConfig read_published_model(const YamlFile& yaml);

}  // namespace byteformer::interop
