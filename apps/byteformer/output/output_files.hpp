// Where the outputs of a command go, and what they may overwrite.
#pragma once

#include <filesystem>

#include "classify/inputs.hpp"

namespace byteformer::cli {

/// \throws Error kIo or kPermissionDenied.
void create_folders(const std::filesystem::path& folder);

/// \param input  of which `output` is made; empty for standard input
/// \throws Error kAlreadyExists where `output` exists and is not to be overwritten; kInvalidArgument where it is
/// `input`.
void check_overwriting(const std::filesystem::path& input, const std::filesystem::path& output, bool overwrites);

/// A folder that takes an output for each input.
class OutputFolder {
 public:
  /// Makes the folder if it is missing.
  /// \throws Error as create_folders().
  explicit OutputFolder(const std::filesystem::path& path);

  /// Where an output goes that is named as `input` is; below a folder that is walked the folders stay.
  std::filesystem::path place_of(const Input& input) const;

  /// Whether `input` is an output of this or an earlier run: a walk came into this folder, which lies below the folder
  /// that is walked.
  bool holds(const Input& input) const;

 private:
  std::filesystem::path path_;
  std::filesystem::path identity_;  ///< canonical path
};

}  // namespace byteformer::cli
