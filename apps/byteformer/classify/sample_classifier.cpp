// Files as they are and large ones stream through the engine; others are prepared, a bounded number at a time.
#include "classify/sample_classifier.hpp"

#include <atomic>
#include <filesystem>
#include <utility>

#include "base/file_io.hpp"
#include "cli.hpp"
#include "common/interrupt.hpp"
#include "data/loader.hpp"
#include "exit_status.hpp"
#include "output/text.hpp"

namespace byteformer::cli {

namespace {

constexpr std::size_t kReadBytes = 1 << 20;
constexpr std::size_t kMostBytesAtOnce = std::size_t{1} << 28;

}  // namespace

Output classify_stream(const Classifier& classifier, const bytes::Transforms& transforms,
                       std::optional<std::uint64_t> num_bytes, const ReadPiece& read) {
  bytes::TransformStream transform(transforms, num_bytes);
  Stream stream = classifier.stream();
  std::vector<std::uint8_t> buffer(kReadBytes);
  for (std::size_t size = buffer.size(); size == buffer.size();) {
    if (interrupted()) throw Interrupted{};
    size = read(buffer);
    stream.feed(transform.push(Bytes(buffer).first(size)));
  }
  stream.feed(transform.finish());
  return stream.finish();
}

/// A file on its way to the model; neither bytes nor an error: left for the next round.
struct SampleClassifier::Loaded {
  std::optional<prepare::PreparedFile> file;
  std::optional<Error> error;

  bool is_left() const { return !file && !error; }
};

SampleClassifier::SampleClassifier(const Classifier& classifier, prepare::Preprocess preprocess,
                                   std::optional<data::Corruption> corruption)
    : classifier_(classifier), preprocess_(std::move(preprocess)), corruption_(corruption) {
  if (!reads_files_as_they_are()) pool_ = std::make_unique<base::ThreadPool>(classifier.num_threads());
}

std::vector<FileAnswer> SampleClassifier::classify(std::span<const data::Sample> samples) const {
  std::vector<FileAnswer> answers;
  if (reads_files_as_they_are()) {
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
bool SampleClassifier::streams() const noexcept {
  return preprocess_.is_bytes() && !preprocess_.transforms.needs_whole_file() && !corruption_;
}

/// The answer for a file that is transformed while it flows; nothing if it is small, or cannot even be opened.
std::optional<FileAnswer> SampleClassifier::classify_if_large(const data::Sample& sample) const {
  std::error_code error;
  if (!streams() || std::filesystem::file_size(sample.path, error) < kLargeBytes || error) return std::nullopt;
  try {
    base::InputFile file(sample.path);
    return FileAnswer{classify_stream(classifier_, preprocess_.transforms, file.size(), pieces_of(file)), true};
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

}  // namespace byteformer::cli
