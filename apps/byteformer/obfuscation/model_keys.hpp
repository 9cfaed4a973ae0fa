// `--key`: the secret keys that a model for obfuscated bytes needs to read plain files.
#pragma once

#include <string>
#include <vector>

#include "cli.hpp"
#include "prepare/preprocess.hpp"

namespace byteformer::cli {

/// What else to do than to give a key, where --as-is exists.
inline constexpr const char* kAsIsHint = ", --as-is reads files that are obfuscated already";

/// `--key KEY`, as often as the model has keys.
DeclaredOption add_key_option(CommandLine& line, std::vector<std::string>& key_paths);

/// How the model in `model_dir` reads files, with its secret keys in place.
/// \param otherwise  what else can be done where a key is missing; follows ", " or is empty
/// \throws UsageError where a key is missing, or is none of the model's; Error as read_key() and read_preprocess().
prepare::Preprocess read_preprocess(const std::string& model_dir, const std::vector<std::string>& key_paths,
                                    const std::string& otherwise = "");

}  // namespace byteformer::cli
