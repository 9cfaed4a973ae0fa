// Keys of a YAML text that nobody knows.
#pragma once

#include <set>
#include <string>

#include "interop/yaml_file.hpp"

namespace byteformer::interop {

/// Dotted paths.
using Paths = std::set<std::string, std::less<>>;

/// "run.yaml: line 3: optim.nme is not known here; did you mean optim.name?": what to say of a key that is none of
/// `known`.
std::string unknown_key(const YamlFile& yaml, const std::string& path, int line, const Paths& known);

/// \throws Error kInvalidFormat, as unknown_key() says, for the first key that `yaml` was never asked for, even one
///         without a value. To be called when everything has been asked for.
void require_known_keys(const YamlFile& yaml);

}  // namespace byteformer::interop
