// Large files whose transforms let bytes flow stream through the engine; others are prepared, a bounded number at a
// time.
#include "api/prepared_files.hpp"

#include <atomic>
#include <numeric>
#include <string>
#include <utility>

#include "base/error_of.hpp"
#include "base/file_io.hpp"
#include "base/text.hpp"
#include "bytes/byte_permutation.hpp"

namespace byteformer::api {
namespace {

constexpr std::size_t kReadBytes = 1 << 20;
constexpr std::size_t kMostBytesAtOnce = std::size_t{1} << 28;

/// Neither file nor error: left for the next round.
struct Loaded {
  std::optional<LoadedFile> file;
  std::optional<Error> error;

  bool is_left() const { return !file && !error; }
  Bytes bytes() const { return file->as_it_is.value_or(file->file.bytes); }
};

std::vector<Loaded> load_round(base::ThreadPool& pool, std::span<const std::size_t> wanted, const LoadFile& load) {
  std::vector<Loaded> loaded(wanted.size());
  std::atomic<std::size_t> num_bytes{0};
  pool.parallel_for(wanted.size(), [&](std::size_t i, int) noexcept {
    if (num_bytes > kMostBytesAtOnce) return;
    loaded[i].error = base::error_of([&] {
      loaded[i].file = load(wanted[i]);
      num_bytes += loaded[i].file->file.bytes.size();
    });
  });
  return loaded;
}

std::vector<FileResult> classify_round(const Classifier& classifier, std::span<const Loaded> loaded) {
  std::vector<FileResult> results(loaded.size());
  std::vector<Bytes> files;
  std::vector<std::size_t> places;
  for (std::size_t i = 0; i < loaded.size(); ++i) {
    if (loaded[i].error) results[i] = *loaded[i].error;
    if (!loaded[i].file) continue;
    files.emplace_back(loaded[i].bytes());
    places.push_back(i);
  }
  std::vector<FileResult> of_files = classifier.classify_batch(files);
  for (std::size_t i = 0; i < places.size(); ++i) results[places[i]] = std::move(of_files[i]);
  return results;
}

}  // namespace

prepare::Preprocess read_preprocess(const std::filesystem::path& model_dir,
                                    std::span<const std::filesystem::path> key_paths) {
  prepare::Preprocess preprocess = prepare::read_preprocess(model_dir);
  for (const std::filesystem::path& path : key_paths) {
    const bytes::BytePermutation key = bytes::read_key(path);
    try {
      bytes::use_keys(preprocess.transforms, std::span(&key, 1));
    } catch (const Error& error) {
      base::fail(ErrorCode::kInvalidArgument, base::About{path.native()}, "is no key of ", base::printable(model_dir),
                 ": ", error.what());
    }
  }
  if (const bytes::BytePermutation* missing = bytes::find_without_key(preprocess.transforms))
    base::fail(ErrorCode::kInvalidArgument, base::About{model_dir.native()}, "reads ", prepare::describe(preprocess),
               ": the key ", missing->fingerprint(),
               " is not given; with it plain files are obfuscated, and as_is reads files that are obfuscated already");
  return preprocess;
}

prepare::PreparedFile prepared_bytes(media::FileBytes file, const prepare::Preprocess& preprocess) {
  static const std::string kSource = "the bytes";
  try {
    return prepare::prepare_if_needed(std::move(file), preprocess, kSource);
  } catch (const Error& error) {
    if (error.subject() != kSource) throw;
    throw Error(error.code(), error.what() + kSource.size() + 2);  // about nothing in particular
  }
}

prepare::PreparedFile prepared_file(const std::filesystem::path& path, const prepare::Preprocess& preprocess) {
  try {
    return prepare::prepare_if_needed(prepare::read_file(path, preprocess), preprocess, path.native());
  } catch (const Error& error) {
    throw base::about(path, error);
  }
}

Output classify_stream(const Classifier& classifier, const bytes::Transforms& transforms,
                       std::optional<std::uint64_t> num_bytes, const ReadPiece& read) {
  bytes::TransformStream transform(transforms, num_bytes);
  Stream stream = classifier.stream();
  std::vector<std::uint8_t> buffer(kReadBytes);
  for (std::size_t size = buffer.size(); size == buffer.size();) {
    size = read(buffer);
    stream.feed(transform.push(Bytes(buffer).first(size)));
  }
  stream.feed(transform.finish());
  return stream.finish();
}

std::vector<FileAnswer> classify_loaded(const Classifier& classifier, base::ThreadPool& pool, std::size_t count,
                                        const LoadFile& load) {
  std::vector<FileAnswer> answers(count);
  std::vector<std::size_t> waiting(count);
  std::iota(waiting.begin(), waiting.end(), std::size_t{0});
  while (!waiting.empty()) {
    const std::vector<Loaded> loaded = load_round(pool, waiting, load);
    std::vector<FileResult> results = classify_round(classifier, loaded);
    std::vector<std::size_t> left;
    for (std::size_t i = 0; i < waiting.size(); ++i) {
      if (loaded[i].is_left()) {
        left.push_back(waiting[i]);
      } else {
        answers[waiting[i]] = {std::move(results[i]), loaded[i].file && loaded[i].file->file.was_prepared};
      }
    }
    waiting = std::move(left);
  }
  return answers;
}

}  // namespace byteformer::api
