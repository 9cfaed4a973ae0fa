// Matches keys with the permutations that a model's files went through.
#include "obfuscation/model_keys.hpp"

#include <span>

#include "base/file_io.hpp"
#include "byteformer/error.hpp"
#include "bytes/byte_permutation.hpp"
#include "exit_status.hpp"

namespace byteformer::cli {
namespace {

void use_key(const std::string& path, const std::string& model_dir, bytes::Transforms& transforms) {
  const bytes::BytePermutation key = bytes::read_key(path);
  try {
    bytes::use_keys(transforms, std::span(&key, 1));
  } catch (const Error& error) {
    throw UsageError("--key " + base::printable(path) + " is no key of " + base::printable(model_dir) + ": " +
                     error.what());
  }
}

}  // namespace

DeclaredOption add_key_option(CommandLine& line, std::vector<std::string>& key_paths) {
  return add_texts(line, "--key", key_paths, "KEY",
                   "Obfuscate files with this secret key of the model; once for each that it has");
}

prepare::Preprocess read_preprocess(const std::string& model_dir, const std::vector<std::string>& key_paths,
                                    const std::string& otherwise) {
  prepare::Preprocess preprocess = prepare::read_preprocess(model_dir);
  for (const std::string& path : key_paths) use_key(path, model_dir, preprocess.transforms);
  if (const bytes::BytePermutation* missing = bytes::find_without_key(preprocess.transforms))
    throw UsageError(base::printable(model_dir) + " reads " + prepare::describe(preprocess) + ": the key " +
                     missing->fingerprint() + " is not given; --key KEY obfuscates plain files" + otherwise);
  return preprocess;
}

}  // namespace byteformer::cli
