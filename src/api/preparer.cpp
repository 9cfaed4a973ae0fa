// The public API of preparing files, over the room that does it.
#include "byteformer/preparer.hpp"

#include <utility>

#include "api/prepared_files.hpp"
#include "base/file_io.hpp"
#include "prepare/preprocess.hpp"

namespace byteformer {

Preparer::Preparer(std::shared_ptr<const prepare::Preprocess> preprocess) : preprocess_(std::move(preprocess)) {}

Preparer Preparer::load(const std::filesystem::path& model_dir, const std::vector<std::filesystem::path>& key_paths) {
  return Preparer(std::make_shared<const prepare::Preprocess>(api::read_preprocess(model_dir, key_paths)));
}

Prepared Preparer::prepare(Bytes file) const {
  prepare::PreparedFile prepared = api::prepared_bytes({file.begin(), file.end()}, *preprocess_);
  return {std::move(prepared.bytes), prepared.was_prepared};
}

Prepared Preparer::prepare(const std::filesystem::path& path) const {
  prepare::PreparedFile prepared = api::prepared_file(path, *preprocess_);
  return {std::move(prepared.bytes), prepared.was_prepared};
}

std::string Preparer::form() const { return prepare::describe(*preprocess_); }

}  // namespace byteformer
