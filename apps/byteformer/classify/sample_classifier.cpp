// Which files stream through the engine, and which are prepared first.
#include "classify/sample_classifier.hpp"

#include <algorithm>
#include <filesystem>
#include <utility>

#include "base/file_io.hpp"
#include "cli.hpp"
#include "common/interrupt.hpp"
#include "data/loader.hpp"
#include "output/text.hpp"

namespace byteformer::cli {

Output classify_stream(const Classifier& classifier, const bytes::Transforms& transforms,
                       std::optional<std::uint64_t> num_bytes, const ReadPiece& read) {
  return api::classify_stream(classifier, transforms, num_bytes, [&](std::span<std::uint8_t> piece) {
    if (interrupted()) throw Interrupted{};
    return read(piece);
  });
}

SampleClassifier::SampleClassifier(const Classifier& classifier, prepare::Preprocess preprocess,
                                   std::optional<data::Corruption> corruption)
    : classifier_(classifier), preprocess_(std::move(preprocess)), corruption_(corruption) {}

std::vector<FileAnswer> SampleClassifier::classify(std::span<const data::Sample> samples) const {
  std::vector<FileAnswer> answers;
  const bool are_files = std::ranges::none_of(samples, [](const data::Sample& s) { return s.place.has_value(); });
  if (reads_files_as_they_are() && are_files) {
    std::vector<std::filesystem::path> paths;
    for (const data::Sample& sample : samples) paths.push_back(sample.path);
    for (FileResult& result : classifier_.classify_files(paths)) answers.push_back({std::move(result)});
  } else {
    answers = classify_prepared(samples);
  }
  for (std::size_t i = 0; i < samples.size(); ++i)
    if (Error* error = std::get_if<Error>(&answers[i].result)) *error = base::about(samples[i].path, *error);
  return answers;
}

FileAnswer SampleClassifier::classify(const ReadPiece& read, const std::string& source) const {
  try {
    if (streams() && !preprocess_.transforms.needs_length())
      return {classify_stream(classifier_, preprocess_.transforms, std::nullopt, read), !reads_files_as_they_are()};
    const std::string reason =
        ", and the model reads " + prepare::describe(preprocess_) + ", which needs the whole file at once";
    const prepare::PreparedFile prepared =
        prepare::prepare_if_needed(read_all(read, source, reason), preprocess_, source);
    return {classifier_.classify(prepared.bytes), prepared.was_prepared};
  } catch (const Error& error) {
    return {error};
  }
}

std::string SampleClassifier::remark(std::size_t num_prepared) const {
  return base::joined("prepared ", counted(num_prepared, "file"), " as ", prepare::describe(preprocess_), "; ",
                      kAsIsOption, " reads bytes as they are");
}

/// Whether bytes can go on to the model before the file has ended.
bool SampleClassifier::streams() const noexcept { return api::streams(preprocess_) && !corruption_; }

/// The answer for a file that is transformed while it flows; nothing if it is small, or cannot even be opened.
std::optional<FileAnswer> SampleClassifier::classify_if_large(const data::Sample& sample) const {
  if (!streams() || data::num_bytes_of(sample).value_or(0) < kLargeBytes) return std::nullopt;
  try {
    base::InputFile file = data::open_file(sample);
    return FileAnswer{classify_stream(classifier_, preprocess_.transforms, file.size(), pieces_of(file)),
                      !reads_files_as_they_are()};
  } catch (const Error& failure) {
    return FileAnswer{failure};
  }
}

std::vector<FileAnswer> SampleClassifier::classify_prepared(std::span<const data::Sample> samples) const {
  std::vector<FileAnswer> answers(samples.size());
  std::vector<std::size_t> waiting;
  for (std::size_t i = 0; i < samples.size(); ++i) {
    if (std::optional<FileAnswer> answer = classify_if_large(samples[i]))
      answers[i] = std::move(*answer);
    else
      waiting.push_back(i);
  }
  if (!pool_) pool_ = std::make_unique<base::ThreadPool>(classifier_.num_threads());
  std::vector<FileAnswer> of_waiting =
      api::classify_loaded(classifier_, *pool_, waiting.size(), [&](std::size_t i) -> api::LoadedFile {
        const data::Sample& sample = samples[waiting[i]];
        return {corruption_ ? data::load_corrupted(sample, preprocess_, *corruption_)
                            : data::load_prepared(sample, preprocess_)};
      });
  for (std::size_t i = 0; i < waiting.size(); ++i) answers[waiting[i]] = std::move(of_waiting[i]);
  return answers;
}

}  // namespace byteformer::cli
