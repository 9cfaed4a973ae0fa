// `byteformer import` and `byteformer export` without the command line.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/file_io.hpp"
#include "byteformer/masking.hpp"
#include "format/config.hpp"

namespace byteformer::interop {

/// The labels in `text`, UTF-8, lines ended by LF or CRLF (the last one may lack it).
/// \throws Error kInvalidFormat naming `source` and the line that is empty or not UTF-8.
std::vector<std::string> parse_labels(std::string_view text, const std::string& source);

/// \throws Error as parse_labels, and the errors of opening a file.
std::vector<std::string> read_labels(const std::filesystem::path& path);

struct ImportOptions {
  std::filesystem::path weights;                ///< .pt or .safetensors
  std::filesystem::path config;                 ///< our config.json or a published YAML file
  std::optional<std::filesystem::path> labels;  ///< one label a line
  std::optional<Masking> masking;               ///< wins over the configuration
  std::filesystem::path output;                 ///< the model folder to create
};

/// Makes a model folder of weights and configuration. What the configuration does not say is taken from the shapes of
/// the tensors, then from the published defaults; a contradiction is an error that names both sides.
/// \returns the configuration that was written.
/// \throws Error kInvalidFormat, kInvalidModel, kAlreadyExists, kIo ...
format::ModelConfig import_model(const ImportOptions& options);

enum class ExportFormat { kPt, kSafetensors, kOnnx };

/// Writes the weights of the model folder `model`, or with kOnnx all that it computes, to the file `output`.
void export_model(const std::filesystem::path& model, ExportFormat format, const std::filesystem::path& output,
                  const base::WriteOptions& options = {});

/// Reads CONFIG: YAML if its name ends in .yaml or .yml (or its text is not JSON), else our JSON.
format::PartialConfig read_any_config(const std::filesystem::path& path);

}  // namespace byteformer::interop
