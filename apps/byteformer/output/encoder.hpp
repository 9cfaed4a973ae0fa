// What a picture or a sound becomes: its bytes in one form, and the ending of its name.
#pragma once

#include <filesystem>

#include "bytes/transforms.hpp"
#include "classify/inputs.hpp"
#include "media/image.hpp"
#include "prepare/preprocess.hpp"

namespace byteformer::cli {

/// Makes files in one form of pictures and sounds. Thread-safe.
class Encoder {
 public:
  /// \param form  each file goes by what it is; without a part it keeps its ending
  /// \param keeps_form  what is in form already is copied, as a model reads it; else encoded anew
  Encoder(prepare::Preprocess form, bool keeps_form) : form_(std::move(form)), keeps_form_(keeps_form) {}

  /// `place` with the ending of what `input` becomes. \throws Error where `input` cannot be read.
  std::filesystem::path renamed(const std::filesystem::path& place, const Input& input) const;

  /// \throws Error where `input` cannot be read or is neither a picture nor a sound.
  media::FileBytes encoded(const Input& input) const;

  /// Whether a large file can be transformed while it is read.
  bool flows(const Input& input) const;

  const bytes::Transforms& transforms() const noexcept { return form_.transforms; }

 private:
  std::filesystem::path extension_of(const Input& input) const;

  prepare::Preprocess form_;
  bool keeps_form_;
};

}  // namespace byteformer::cli
