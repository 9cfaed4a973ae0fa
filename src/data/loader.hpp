// Training files in random order: read, decoded, augmented and encoded by worker threads, the same whatever their
// number.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "byteformer/error.hpp"
#include "data/augmentation.hpp"
#include "data/data_set.hpp"
#include "media/image.hpp"
#include "prepare/preprocess.hpp"

namespace byteformer::data {

/// One file as the model is to see it, and what it is.
struct LoadedFile {
  media::FileBytes bytes;
  int label = 0;
  int other_label = 0;     ///< of the sound or picture mixed in; else `label`
  float first_share = 1;   ///< weight of `label`; the rest belongs to `other_label`
  std::size_t sample = 0;  ///< index into the samples
  std::size_t place = 0;   ///< in its batch
  std::string error;       ///< why there are no bytes; empty if there are
};

struct LoaderOptions {
  prepare::Preprocess preprocess;
  ImageAugmentation image_augmentation;
  SoundAugmentation sound_augmentation;
  std::vector<media::Sound> background;  ///< noise recordings at the model's rate
  std::size_t batch_size = 64;
  std::uint64_t seed = 0;
  bool balance_classes = false;  ///< every class is drawn equally often; else every sample once an epoch
  bool balance_kinds = false;    ///< pictures and sounds are drawn equally often
  std::size_t max_bytes =
      0;  ///< longer files are cut to a random piece of this length, then transformed; 0: whole files
  std::size_t min_bytes = 1;  ///< shorter results are errors
  int num_workers = 1;
  /// Which places of a batch are loaded here, in ascending order, given the batch's samples; without it all are. A file
  /// is the same wherever it is loaded.
  std::function<std::vector<std::size_t>(std::span<const std::size_t> samples)> choose_places;
};

/// Yields batch after batch, epoch after epoch. What a batch holds depends on the seed and its number only.
class Loader {
 public:
  /// Starts the workers at batch `first_batch`, counted from the start of the first epoch.
  Loader(std::vector<Sample> samples, LoaderOptions options, std::size_t first_batch = 0);
  ~Loader();
  Loader(const Loader&) = delete;
  Loader& operator=(const Loader&) = delete;

  /// The next batch; files that could not be read are in it with their error. One thread at a time.
  std::vector<LoadedFile> next();

 private:
  struct Shared;
  std::unique_ptr<Shared> shared_;
};

/// A whole regular file of up to 1 GiB.
/// \throws Error as base::InputFile; kUnsupported for a larger one.
media::FileBytes read_whole_file(const std::filesystem::path& path);
media::FileBytes read_whole_file(const Sample& sample);

/// One file for evaluation, without augmentation, as prepare_if_needed() says.
/// \throws Error as read_whole_file() and prepare_if_needed(). Thread-safe.
prepare::PreparedFile load_prepared(const Sample& sample, const prepare::Preprocess& preprocess);

/// The same where the bytes of the file are here already; they may be others than those that `sample.path` has.
/// \throws Error as prepare_if_needed(). Thread-safe.
prepare::PreparedFile prepare_sample(media::FileBytes file, const Sample& sample,
                                     const prepare::Preprocess& preprocess);
media::FileBytes load_for_evaluation(const Sample& sample, const prepare::Preprocess& preprocess);  ///< its bytes alone

/// What `error` says, after the name of the file of `sample` where it does not begin with that.
std::string naming(const Sample& sample, const Error& error);

/// The noise recordings of a data set, at the rate that `preparation` asks for.
/// \throws Error
std::vector<media::Sound> load_background(const std::vector<std::filesystem::path>& recordings,
                                          const prepare::SoundPreparation& preparation);

/// Number of batches of at most `batch_size` that an epoch of `num_samples` has.
std::size_t num_batches(std::size_t num_samples, std::size_t batch_size) noexcept;

}  // namespace byteformer::data
