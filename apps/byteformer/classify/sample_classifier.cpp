// Implementation of sample_classifier.hpp.
#include "classify/sample_classifier.hpp"

#include <atomic>
#include <filesystem>
#include <numeric>
#include <optional>
#include <utility>

#include "base/file_io.hpp"
#include "data/loader.hpp"
#include "error_of.hpp"
#include "output/numbers.hpp"

namespace byteformer::cli {
namespace {

constexpr std::size_t kMostBytesAtOnce = std::size_t{1} << 28;

}  // namespace

/// A file on its way to the model; neither bytes nor an error: left for the next round.
struct SampleClassifier::Loaded {
  std::optional<data::PreparedFile> file;
  std::optional<Error> error;

  bool is_left() const { return !file && !error; }
};

SampleClassifier::SampleClassifier(const Classifier& classifier, data::Preprocess preprocess,
                                   std::optional<data::Corruption> corruption)
    : classifier_(classifier), preprocess_(std::move(preprocess)), corruption_(corruption) {
  if (!reads_files_as_they_are()) pool_ = std::make_unique<base::ThreadPool>(classifier.num_threads());
}

std::vector<FileAnswer> SampleClassifier::classify(std::span<const data::Sample> samples) const {
  std::vector<FileAnswer> answers =
      reads_files_as_they_are() ? classify_as_they_are(samples) : classify_prepared(samples);
  for (std::size_t i = 0; i < samples.size(); ++i)
    if (Error* error = std::get_if<Error>(&answers[i].result)) *error = with_path(samples[i].path.native(), *error);
  return answers;
}

FileAnswer SampleClassifier::classify(std::vector<std::uint8_t> file, const std::string& source) const {
  try {
    const data::PreparedFile prepared = data::prepare_if_needed(std::move(file), preprocess_, source);
    return {classifier_.classify(prepared.bytes), prepared.was_prepared};
  } catch (const Error& error) {
    return {error};
  }
}

std::string SampleClassifier::remark(std::size_t num_prepared) const {
  return "prepared " + counted(static_cast<std::int64_t>(num_prepared), "file") + " as " + data::describe(preprocess_) +
         "; --as-is reads bytes as they are";
}

std::vector<FileAnswer> SampleClassifier::classify_as_they_are(std::span<const data::Sample> samples) const {
  std::vector<FileAnswer> answers;
  if (samples.size() == 1) {  // one file gets all threads
    try {
      return {{classifier_.classify_file(samples.front().path)}};
    } catch (const Error& error) {
      return {{error}};
    }
  }
  std::vector<std::filesystem::path> paths;
  for (const data::Sample& sample : samples) paths.push_back(sample.path);
  for (FileResult& result : classifier_.classify_files(paths)) answers.push_back({std::move(result)});
  return answers;
}

std::vector<FileAnswer> SampleClassifier::classify_prepared(std::span<const data::Sample> samples) const {
  std::vector<FileAnswer> answers(samples.size());
  std::vector<std::size_t> waiting(samples.size());
  std::iota(waiting.begin(), waiting.end(), std::size_t{0});
  while (!waiting.empty()) {
    const std::vector<Loaded> loaded = load(samples, waiting);
    std::vector<FileResult> results = classify_loaded(loaded);
    std::vector<std::size_t> left;
    for (std::size_t i = 0; i < waiting.size(); ++i) {
      if (loaded[i].is_left()) {
        left.push_back(waiting[i]);
      } else {
        answers[waiting[i]] = {std::move(results[i]), loaded[i].file && loaded[i].file->was_prepared};
      }
    }
    waiting = std::move(left);
  }
  return answers;
}

std::vector<FileResult> SampleClassifier::classify_loaded(std::span<const Loaded> loaded) const {
  std::vector<FileResult> results(loaded.size());
  std::vector<Bytes> files;
  std::vector<std::size_t> places;
  for (std::size_t i = 0; i < loaded.size(); ++i) {
    if (loaded[i].error) results[i] = *loaded[i].error;
    if (!loaded[i].file) continue;
    files.emplace_back(loaded[i].file->bytes);
    places.push_back(i);
  }
  if (files.size() == 1) {  // one file gets all threads
    if (const auto error = error_of([&] { results[places[0]] = classifier_.classify(files[0]); }))
      results[places[0]] = *error;
    return results;
  }
  std::vector<FileResult> of_files = classifier_.classify_batch(files);
  for (std::size_t i = 0; i < places.size(); ++i) results[places[i]] = std::move(of_files[i]);
  return results;
}

std::vector<SampleClassifier::Loaded> SampleClassifier::load(std::span<const data::Sample> samples,
                                                             std::span<const std::size_t> wanted) const {
  std::vector<Loaded> loaded(wanted.size());
  std::atomic<std::size_t> num_bytes{0};
  pool_->parallel_for(wanted.size(), [&](std::size_t i, int) noexcept {
    if (num_bytes > kMostBytesAtOnce) return;
    loaded[i].error = error_of([&] {
      const data::Sample& sample = samples[wanted[i]];
      loaded[i].file = corruption_ ? data::load_corrupted(sample, preprocess_, *corruption_)
                                   : data::load_prepared(sample, preprocess_);
      num_bytes += loaded[i].file->bytes.size();
    });
  });
  return loaded;
}

Error with_path(const std::string& path, const Error& error) {
  const std::string prefix = base::printable(path) + ": ";
  const std::string message = error.what();
  return message.starts_with(prefix) ? error : Error(error.code(), prefix + message);
}

}  // namespace byteformer::cli
