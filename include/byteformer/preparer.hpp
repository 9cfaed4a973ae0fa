// Bring files into the form that a model reads. In libbyteformer-prepare, beside which the module of decoders lies.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "byteformer/classifier.hpp"
#include "byteformer/error.hpp"
#include "byteformer/export.hpp"

namespace byteformer {

namespace prepare {
struct Preprocess;
}

/// A file as the model reads it.
struct Prepared {
  std::vector<std::uint8_t> bytes;
  bool was_prepared = false;  ///< Whether they are not those that came in.
};

/// What becomes of files before a model reads them: one that is not in the model's form, but a picture or sound that
/// can be decoded, is decoded, resized or resampled, and encoded as the model expects; then every one is transformed as
/// the model expects (its bytes cut, shuffled, permuted, ...). So does `byteformer classify`.
///
/// Give the bytes to a Classifier that was loaded with LoadOptions::as_is: the judgement is made here. Cheap to copy;
/// every member may be called from many threads at once.
class BYTEFORMER_EXPORT Preparer {
 public:
  /// Reads `model_dir`/config.json.
  /// \param key_paths  the secret keys of a model that reads obfuscated files
  /// \throws Error kNotFound, kPermissionDenied, kInvalidFormat; kInvalidArgument where a key is missing or is none of
  ///         the model's.
  static Preparer load(const std::filesystem::path& model_dir,
                       const std::vector<std::filesystem::path>& key_paths = {});

  /// The bytes that the model reads of a file given as its bytes. Files that were transformed already must not come
  /// here. \throws Error kEmptyFile; kUnsupported where it is no picture or sound that can be prepared, or the decoders
  /// are
  ///         not installed; kInvalidFormat where it is damaged.
  Prepared prepare(Bytes file) const;

  /// The same of a regular file of up to 1 GiB.
  /// \throws Error also kNotFound, kPermissionDenied, kNotARegularFile, kFileChanged or kIo.
  Prepared prepare(const std::filesystem::path& path) const;

  /// What files are prepared as, for people: "TIFF of 32x32 pixels", "files as they are".
  std::string form() const;

 private:
  explicit Preparer(std::shared_ptr<const prepare::Preprocess> preprocess);
  std::shared_ptr<const prepare::Preprocess> preprocess_;
};

}  // namespace byteformer
