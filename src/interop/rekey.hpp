// `byteformer obfuscate rekey` without the command line: a model for obfuscated bytes, with no retraining.
#pragma once

#include <filesystem>

#include "bytes/byte_permutation.hpp"
#include "prepare/preprocess.hpp"

namespace byteformer::interop {

struct RekeyOptions {
  std::filesystem::path model;   ///< the model folder to read
  bytes::BytePermutation key;    ///< with its table
  std::filesystem::path output;  ///< the model folder to create
  bool adds_to_keys = false;     ///< whether `model` may read permuted bytes already
};

/// Makes a model that gives for bytes permuted by `key` bit for bit the logits that `model` gives for the bytes before:
/// row key[v] of its byte embedding is row v of the old one, the row of the padding id and all other tensors stay. Its
/// `preprocess` ends in the permutation, so that a secret key stands there as its fingerprint only.
/// \returns the new `preprocess`.
/// \throws Error kInvalidArgument if `model` reads permuted bytes and that was not said, or if the key's table is not
///         known; kInvalidFormat if its `preprocess` can take no more transforms; kInvalidModel, kAlreadyExists, kIo
///         ...
prepare::Preprocess rekey_model(const RekeyOptions& options);

}  // namespace byteformer::interop
