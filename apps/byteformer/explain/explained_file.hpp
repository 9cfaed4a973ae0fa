// One file as a model reads it, and the way back from the bytes that it reads to those of the file.
#pragma once

#include <cstdint>
#include <istream>
#include <span>
#include <string>
#include <vector>

#include "media/image.hpp"
#include "prepare/preprocess.hpp"

namespace byteformer::cli {

struct ExplainedFile {
  std::string path;  ///< as it was given; "-" for standard input
  prepare::Preprocess preprocess;
  bool was_prepared = false;           ///< whether `encoded` are not the bytes that came in
  media::FileBytes encoded;            ///< in the form that the model expects, before its transforms
  media::FileBytes read;               ///< as the model reads it
  std::vector<std::uint32_t> origins;  ///< [read]: where in `encoded` the byte was; empty if all are where they were

  /// What belongs to each byte of `read` put to that of `encoded`; NaN for bytes that the model does not read.
  std::vector<float> in_file_order(std::span<const float> values) const;
};

/// Reads and prepares the file at `path`, or standard input for "-", as classify does.
/// \throws Error naming the path.
ExplainedFile open_explained_file(const std::string& path, const prepare::Preprocess& preprocess, std::istream* input);

}  // namespace byteformer::cli
