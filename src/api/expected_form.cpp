// Judges whether files are what a model reads, and says what to do where they are not.
#include "api/expected_form.hpp"

#include <vector>

#include "base/file_io.hpp"
#include "base/text.hpp"

namespace byteformer::api {
namespace {

constexpr std::size_t kReadBytes = 1 << 16;

}  // namespace

ExpectedForm::ExpectedForm(const format::ModelConfig& config, const std::filesystem::path& model_dir) {
  prepare::Preprocess preprocess =
      prepare::parse_preprocess(config.preprocess, base::printable(model_dir / "config.json") + ": preprocess");
  if (!preprocess.takes_files_as_they_are()) preprocess_ = std::move(preprocess);
}

void ExpectedForm::check(Bytes file) const {
  if (preprocess_ && !prepare::is_as_read(file, *preprocess_)) refuse();
}

void ExpectedForm::check(Bytes file, const std::filesystem::path& path) const {
  try {
    check(file);
  } catch (const Error& error) {
    throw base::about(path, error);
  }
}

void ExpectedForm::check(const std::filesystem::path& path) const {
  if (!preprocess_) return;
  base::InputFile file(path);
  Watch watch(*this);
  std::vector<std::uint8_t> piece(kReadBytes);
  for (std::size_t size = piece.size(); size == piece.size();) {
    size = file.read(piece);
    watch.push(Bytes(piece).first(size));
  }
  watch.check();
}

void ExpectedForm::refuse() const {
  const std::string what =
      base::joined("the bytes are not in the form that the model reads, ", prepare::describe(*preprocess_), ": ");
  constexpr const char* kHow =
      "prepare the file (`byteformer encode FILE -o DIR --like MODEL`, or byteformer::Preparer)";
  if (preprocess_->transforms.leaves_bytes())
    base::fail(ErrorCode::kNotPrepared, what, kHow, ", or load the model with as_is if they are right as they are");
  base::fail(ErrorCode::kNotPrepared, "the model reads ", prepare::describe(*preprocess_),
             ", and nobody sees whether that was done to these bytes: ", kHow, " and load the model with as_is");
}

}  // namespace byteformer::api
