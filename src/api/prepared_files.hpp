// Files that are brought into a model's form before it reads them: one, many, or one that flows. Not in libbyteformer.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "base/thread_pool.hpp"
#include "byteformer/classifier.hpp"
#include "bytes/transforms.hpp"
#include "prepare/preprocess.hpp"

namespace byteformer::api {

/// How the model in `model_dir` reads files, with its secret keys in place.
/// \throws Error as prepare::read_preprocess(); kInvalidArgument where a key is missing or is none of the model's.
prepare::Preprocess read_preprocess(const std::filesystem::path& model_dir,
                                    std::span<const std::filesystem::path> key_paths);

/// prepare::prepare_if_needed() of bytes that are from nowhere in particular, and of a file.
prepare::PreparedFile prepared_bytes(media::FileBytes file, const prepare::Preprocess& preprocess);
prepare::PreparedFile prepared_file(const std::filesystem::path& path, const prepare::Preprocess& preprocess);

/// A file from here on is better read in pieces than whole, where what is to be done with it allows either.
inline constexpr std::uint64_t kLargeBytes = std::uint64_t{1} << 20;

/// Whether bytes can go on to the model before the file has ended.
inline bool streams(const prepare::Preprocess& preprocess) noexcept {
  return preprocess.is_bytes() && !preprocess.transforms.needs_whole_file();
}

/// Fills a piece as far as the input goes and returns the number of bytes: less than its size only at the end.
using ReadPiece = std::function<std::size_t(std::span<std::uint8_t>)>;

/// The output for what `read` gives, bit for bit that of the transformed file as a whole. Uses all threads.
/// \param transforms  none of which needs the whole file
/// \param num_bytes  of the file, where it is known; only a mask of positions needs it
/// \throws Error as Stream and bytes::TransformStream, without a path, and what `read` throws.
Output classify_stream(const Classifier& classifier, const bytes::Transforms& transforms,
                       std::optional<std::uint64_t> num_bytes, const ReadPiece& read);

/// What the model says of one file, and whether it read other bytes than those of the file.
struct FileAnswer {
  FileResult result;
  bool was_prepared = false;
};

/// A file on its way to the model.
struct LoadedFile {
  prepare::PreparedFile file;
  std::optional<Bytes> as_it_is = {};  ///< instead of the file's own bytes; they live as long as the call
};

/// Loads file `i`, and prepares it. Thread-safe. What it throws becomes the file's error.
using LoadFile = std::function<LoadedFile(std::size_t i)>;

/// Classifies `count` files that `load` gives; the answers have their order. Threads of `pool` load, no more at once
/// than fit a bound, then those of the classifier classify. \param classifier  loaded as_is
std::vector<FileAnswer> classify_loaded(const Classifier& classifier, base::ThreadPool& pool, std::size_t count,
                                        const LoadFile& load);

}  // namespace byteformer::api
