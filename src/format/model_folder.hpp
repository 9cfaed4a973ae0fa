// A model on disk: a folder with config.json and model.safetensors.
#pragma once

#include <filesystem>
#include <map>
#include <string>

#include "format/config.hpp"
#include "format/tensors.hpp"

namespace byteformer::format {

struct ModelFolder {
  std::filesystem::path path;
  ModelConfig config;
  Tensors tensors;
};

/// \throws Error as parse_config and read_safetensors; kNotFound says which of the two files is missing.
ModelFolder read_model_folder(const std::filesystem::path& dir);

/// Only `dir`/config.json, or `dir` itself where it is a file.
ModelConfig read_config(const std::filesystem::path& dir_or_file);

/// The folder `models` of the source tree that this program was built in, or of what was installed with it; empty where
/// there is none.
std::filesystem::path shipped_models();

/// Creates `dir` with both files: written into a temporary folder beside it, then renamed, so that it appears whole or
/// not at all.
/// \throws Error kAlreadyExists if `dir` exists and is not an empty folder; kIo, kPermissionDenied.
void write_model_folder(const std::filesystem::path& dir, const ModelConfig& config, const NamedTensors& tensors);

}  // namespace byteformer::format
