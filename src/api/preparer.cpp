// The public API of preparing files, over the room that does it.
#include "byteformer/preparer.hpp"

#include <utility>

#include "api/prepared_files.hpp"
#include "base/file_io.hpp"
#include "byteformer/error.hpp"
#include "prepare/preprocess.hpp"

namespace byteformer {

namespace {

Prepared to_classify(prepare::PreparedFile file) {
  if (file.bytes.empty()) throw Error(ErrorCode::kEmptyFile, "is empty: there is nothing to classify");
  return {std::move(file.bytes), file.was_prepared};
}

}  // namespace

Preparer::Preparer(std::shared_ptr<const prepare::Preprocess> preprocess) : preprocess_(std::move(preprocess)) {}

Preparer Preparer::load(const std::filesystem::path& model_dir, const std::vector<std::filesystem::path>& key_paths) {
  return Preparer(std::make_shared<const prepare::Preprocess>(api::read_preprocess(model_dir, key_paths)));
}

Prepared Preparer::prepare(Bytes file) const {
  return to_classify(api::prepared_bytes({file.begin(), file.end()}, *preprocess_));
}

Prepared Preparer::prepare(const std::filesystem::path& path) const {
  try {
    return to_classify(api::prepared_file(path, *preprocess_));
  } catch (const Error& error) {
    throw base::about(path, error);
  }
}

std::string Preparer::form() const { return prepare::describe(*preprocess_); }

}  // namespace byteformer
