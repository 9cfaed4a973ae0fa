// `byteformer import`, `byteformer export` and `byteformer obfuscate rekey` without the command line.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/file_io.hpp"
#include "byteformer/masking.hpp"
#include "bytes/byte_permutation.hpp"
#include "format/config.hpp"
#include "format/model_folder.hpp"
#include "prepare/preprocess.hpp"

namespace byteformer::interop {

/// The labels in `text`, UTF-8, lines ended by LF or CRLF (the last one may lack it).
/// \throws Error kInvalidFormat naming `source` and the line that is empty or not UTF-8.
std::vector<std::string> parse_labels(std::string_view text, const std::string& source);

/// \throws Error as parse_labels, and the errors of opening a file.
std::vector<std::string> read_labels(const std::filesystem::path& path);

struct ImportOptions {
  std::filesystem::path weights;                ///< .pt or .safetensors
  std::filesystem::path config;                 ///< our config.json or a published YAML file
  std::optional<std::filesystem::path> labels;  ///< one label per line
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

/// Writes `model` to `output` atomically, as ONNX of operator set 17: input `files`, uint8 [batch, bytes], files of one
/// length and any; output `logits`, float32 [batch, classes]. The graph computes what the model's configuration says in
/// its meaning of masking, for every length of which its positions suffice. Weights keep names and shapes of the state
/// dict. Labels, temperature and preparation stand in the metadata, under the keys of config.json.
/// \throws Error kInvalidModel, kIo, kPermissionDenied; kUnsupported beyond 2 GB, the most that such a file holds.
void export_onnx(const format::ModelFolder& model, const std::filesystem::path& output,
                 const base::WriteOptions& options = {});

/// Reads CONFIG: YAML if its name ends in .yaml or .yml (or its text is not JSON), else our JSON.
format::PartialConfig read_any_config(const std::filesystem::path& path);

struct RekeyOptions {
  std::filesystem::path model;   ///< the model folder to read
  bytes::BytePermutation key;    ///< with its table
  std::filesystem::path output;  ///< the model folder to create
  bool adds_to_keys = false;     ///< whether `model` may read permuted bytes already
};

/// Makes a model for obfuscated bytes, with no retraining: it gives for bytes permuted by `key` bit for bit the logits
/// that `model` gives for the bytes before: row key[v] of its byte embedding is row v of the old one, the row of the
/// padding id and all other tensors stay. Its `preprocess` ends in the permutation, so that a secret key stands there
/// as its fingerprint only. \returns the new `preprocess`. \throws Error kInvalidArgument if `model` reads permuted
/// bytes and that was not said, or if the key's table is not
///         known; kInvalidFormat if its `preprocess` can take no more transforms; kInvalidModel, kAlreadyExists, kIo.
prepare::Preprocess rekey_model(const RekeyOptions& options);

}  // namespace byteformer::interop
