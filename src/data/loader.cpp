// Worker threads that fill batches, and how a sample becomes the file that the model sees.
#include "data/loader.hpp"

#include <algorithm>
#include <condition_variable>
#include <exception>
#include <map>
#include <mutex>
#include <new>
#include <numeric>
#include <optional>
#include <thread>
#include <utility>

#include "base/file_io.hpp"
#include "base/random.hpp"
#include "byteformer/error.hpp"

namespace byteformer::data {
namespace {

constexpr std::size_t kBatchesAhead = 3;
constexpr std::size_t kWindow = 1 << 16;  // samples of archives that are shuffled together

// Streams of random numbers that must not meet: the order of an epoch, and the samples in it.
constexpr std::uint64_t kOrderStream = 0x4F52444552;

/// The part of the sound that the sample is.
/// \throws Error kInvalidFormat if it starts behind the end.
media::Sound clip(media::Sound sound, const Sample& sample) {
  if (!sample.start_s && !sample.duration_s) return sound;
  const std::size_t start = media::num_samples(sample.start_s.value_or(0), sound.sample_rate);
  if (start > 0 && start >= sound.samples.size())
    throw Error(ErrorCode::kInvalidFormat, sample.path.native(),
                "has no sound from " + std::to_string(*sample.start_s) + " s on, where its clip starts");
  sound.samples.erase(sound.samples.begin(), sound.samples.begin() + static_cast<std::ptrdiff_t>(start));
  const std::size_t most = media::num_samples(sample.duration_s.value_or(0), sound.sample_rate);
  if (sample.duration_s && most < sound.samples.size()) sound.samples.resize(std::max<std::size_t>(1, most));
  return sound;
}

/// \throws Error kUnsupported where a clip would be read as the whole file.
void check_clip(const Sample& sample, const prepare::Preprocess& preprocess) {
  if (sample.start_s && preprocess.is_bytes())
    throw Error(ErrorCode::kUnsupported, sample.path.native(),
                "is a clip of a longer sound, but the model reads files as they are");
}

/// A whole number of the sound's samples; none where each sound keeps its own.
std::optional<std::size_t> duration_samples(const prepare::SoundPreparation& preparation, const media::Sound& sound) {
  if (!preparation.duration_s) return std::nullopt;
  return media::num_samples(*preparation.duration_s, sound.sample_rate);
}

/// Whether the file begins like a sound; false where it cannot be read, as loading it will say.
bool is_sound(const Sample& sample) {
  try {
    base::InputFile file = open_file(sample);
    std::vector<std::uint8_t> head(static_cast<std::size_t>(std::min<std::uint64_t>(file.size(), 4096)));
    head.resize(file.read(head));
    return !media::image_kind(head) && media::sound_kind(head);
  } catch (const Error&) {
    return false;
  }
}

/// What the model has to know of the file; of one in an archive all of it.
media::FileBytes read_as_needed(const Sample& sample, const prepare::Preprocess& preprocess) {
  return sample.place ? read_whole_file(sample) : prepare::read_file(sample.path, preprocess);
}

/// The group of each sample; groups are drawn equally often.
std::vector<int> balanced_groups(const std::vector<Sample>& samples, const LoaderOptions& options) {
  std::vector<int> groups;
  for (const Sample& sample : samples) {
    const int kind = options.balance_kinds && is_sound(sample) ? 1 : 0;
    groups.push_back(2 * (options.balance_classes ? sample.label : 0) + kind);
  }
  return groups;
}

bool is_in_archive_of(const Sample& sample, const Sample& other) {
  return sample.place && other.place && sample.place->archive == other.place->archive;
}

/// Random in a way that reads archives, one after another, while they fit memory: these in random order, then the
/// samples within stretches of kWindow.
void shuffle_by_archive(std::span<std::size_t> order, const std::vector<Sample>& samples, base::Random& random) {
  std::vector<std::vector<std::size_t>> archives;  // the samples are sorted by path
  for (std::size_t i = 0; i < order.size(); ++i) {
    if (i == 0 || !is_in_archive_of(samples[i], samples[i - 1])) archives.emplace_back();
    archives.back().push_back(i);
  }
  random.shuffle(std::span(archives));
  auto out = order.begin();
  for (const auto& members : archives) out = std::ranges::copy(members, out).out;
  for (std::size_t begin = 0; begin < order.size(); begin += kWindow)
    random.shuffle(order.subspan(begin, std::min(kWindow, order.size() - begin)));
}

/// The order in which an epoch visits the samples.
std::vector<std::size_t> epoch_order(const std::vector<Sample>& samples, const std::vector<int>& groups,
                                     const LoaderOptions& options, std::size_t epoch) {
  base::Random random(options.seed, kOrderStream, epoch);
  std::vector<std::size_t> order(groups.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  const bool are_archived = !samples.empty() && samples.front().place;
  if (are_archived && order.size() > kWindow)
    shuffle_by_archive(order, samples, random);
  else
    random.shuffle(std::span(order));
  if (!options.balance_classes && !options.balance_kinds) return order;
  // Groups take turns; each goes through its samples in random order, again and again.
  std::map<int, std::vector<std::size_t>> by_group;
  for (const std::size_t i : order) by_group[groups[i]].push_back(i);
  std::vector<std::size_t> balanced;
  for (std::size_t round = 0; balanced.size() < groups.size(); ++round)
    for (const auto& [group, members] : by_group)
      if (balanced.size() < groups.size()) balanced.push_back(members[round % members.size()]);
  random.shuffle(std::span(balanced));
  return balanced;
}

/// Loads single samples; used by all workers.
class SampleLoader {
 public:
  SampleLoader(const std::vector<Sample>& samples, const LoaderOptions& options)
      : samples_(samples), options_(options) {}

  LoadedFile load(std::size_t epoch, std::size_t place, std::size_t index) const {
    LoadedFile file;
    file.sample = index;
    file.label = file.other_label = samples_[index].label;
    try {
      base::Random random(options_.seed, epoch, place);
      file.bytes = transformed(encoded(index, random, file), options_.preprocess, source_of(index), &random);
      if (file.bytes.size() < options_.min_bytes)
        throw Error(ErrorCode::kEmptyFile, source_of(index) + ": has too few bytes");
    } catch (const Error& error) {
      file.error = naming(samples_[index], error);
    } catch (const std::bad_alloc&) {
      file.error = source_of(index) + ": there is not enough memory for it";
    }
    if (!file.error.empty()) file.bytes.clear();
    return file;
  }

 private:
  std::string source_of(std::size_t index) const { return base::printable(samples_[index].path); }

  media::FileBytes encoded(std::size_t index, base::Random& random, LoadedFile& file) const {
    const std::string source = source_of(index);
    check_clip(samples_[index], options_.preprocess);
    const prepare::Preprocess& preprocess = options_.preprocess;
    // A random cut comes before the pieces, which are then pieces of a piece.
    media::FileBytes bytes =
        options_.max_bytes > 0 ? read_whole_file(samples_[index]) : read_as_needed(samples_[index], preprocess);
    if (preprocess.image && media::image_kind(bytes))
      return image(media::decode_image(bytes, source), *preprocess.image, source, random);
    if (preprocess.sound && media::sound_kind(bytes)) {
      media::Sound first = sound(clip(media::decode_sound(bytes, source), samples_[index]), random);
      if (options_.sound_augmentation.mixup) mix(first, random, file);
      return encode_sound(first, preprocess.sound->encoding);
    }
    if (!preprocess.is_bytes()) return prepare_file(bytes, preprocess, source);  // says what is wrong
    if (options_.max_bytes > 0 && bytes.size() > options_.max_bytes) cut(bytes, random);
    return bytes;
  }

  media::FileBytes image(const media::Image& decoded, const prepare::ImagePreparation& preparation,
                         const std::string& source, base::Random& random) const {
    const ImageAugmentation& augmentation = options_.image_augmentation;
    if (augmentation.min_crop_area > 0 && preparation.crop)
      return encode_image(augmented(decoded, *preparation.crop, augmentation, random), preparation.encoding);
    media::Image still = preparation.resize ? media::with_shorter_side(decoded, *preparation.resize) : decoded;
    if (preparation.crop) still = media::center_cropped(still, *preparation.crop, source);
    return encode_image(augmented(still, still.width, augmentation, random), preparation.encoding);
  }

  media::Sound sound(media::Sound decoded, base::Random& random) const {
    const prepare::SoundPreparation& preparation = *options_.preprocess.sound;
    if (preparation.sample_rate) decoded = media::resampled(decoded, *preparation.sample_rate);
    const std::optional<std::size_t> length = duration_samples(preparation, decoded);
    return augmented(std::move(decoded), length, options_.sound_augmentation, options_.background, random);
  }

  /// A second sound, drawn and augmented alike, weighted uniformly.
  void mix(media::Sound& first, base::Random& random, LoadedFile& file) const {
    const std::size_t other = random.below(samples_.size());
    media::FileBytes bytes = read_whole_file(samples_[other]);
    if (!media::sound_kind(bytes)) return;
    media::Sound second = sound(clip(media::decode_sound(bytes, source_of(other)), samples_[other]), random);
    media::fit(second, first.samples.size());
    const auto share = static_cast<float>(random.uniform());
    for (std::size_t i = 0; i < first.samples.size(); ++i)
      first.samples[i] = share * first.samples[i] + (1 - share) * second.samples[i];
    file.other_label = samples_[other].label;
    file.first_share = share;
  }

  /// A piece of the file: its head as often as any other, since that is where most formats say what they are.
  void cut(media::FileBytes& bytes, base::Random& random) const {
    const std::size_t spare = bytes.size() - options_.max_bytes;
    const std::size_t begin = random.chance(0.5) ? 0 : random.below(spare + 1);
    bytes.erase(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(begin));
    bytes.resize(options_.max_bytes);
  }

  const std::vector<Sample>& samples_;
  const LoaderOptions& options_;
};

}  // namespace

std::size_t num_batches(std::size_t num_samples, std::size_t batch_size) noexcept {
  return std::max<std::size_t>(1, (num_samples + batch_size - 1) / batch_size);
}

std::vector<media::Sound> load_background(const std::vector<std::filesystem::path>& recordings,
                                          const prepare::SoundPreparation& preparation) {
  std::vector<media::Sound> sounds;
  for (const std::filesystem::path& path : recordings) {
    media::Sound sound = media::decode_sound(prepare::read_file(path), base::printable(path));
    if (preparation.sample_rate) sound = media::resampled(sound, *preparation.sample_rate);
    sound.memory = {};  // stays as long as the run does: no decoder may wait for it
    sounds.push_back(std::move(sound));
  }
  return sounds;
}

media::FileBytes read_whole_file(const std::filesystem::path& path) { return prepare::read_file(path); }

media::FileBytes read_whole_file(const Sample& sample) {
  base::InputFile file = open_file(sample);
  return prepare::read_file(file, sample.path);
}

prepare::PreparedFile load_prepared(const Sample& sample, const prepare::Preprocess& preprocess) {
  return prepare_sample(read_as_needed(sample, preprocess), sample, preprocess);
}

prepare::PreparedFile prepare_sample(media::FileBytes file, const Sample& sample,
                                     const prepare::Preprocess& preprocess) {
  const std::string source = base::printable(sample.path);
  check_clip(sample, preprocess);
  if ((sample.start_s || sample.duration_s) && preprocess.sound && media::sound_kind(file)) {
    media::Sound sound = media::decode_sound(file, source);
    const std::size_t num_samples = sound.samples.size();
    sound = clip(std::move(sound), sample);
    if (sample.start_s || sound.samples.size() < num_samples)
      return {transformed(prepared(sound, *preprocess.sound), preprocess, source), true};
  }
  return prepare_if_needed(std::move(file), preprocess, source);
}

std::string naming(const Sample& sample, const Error& error) {
  const std::string name = base::printable(sample.path), what = error.what();
  return what.starts_with(name) ? what : name + ": " + what;
}

media::FileBytes load_for_evaluation(const Sample& sample, const prepare::Preprocess& preprocess) {
  return load_prepared(sample, preprocess).bytes;
}

/// The state that workers and reader share. Workers take places of the batch sequence in order.
struct Loader::Shared {
  struct Batch {
    std::vector<LoadedFile> files;
    std::size_t num_missing = 0;
  };

  Shared(std::vector<Sample> all, LoaderOptions with, std::size_t first)
      : samples(std::move(all)),
        options(std::move(with)),
        groups(balanced_groups(samples, options)),
        loader(samples, options),
        next_read(first),
        next_batch(first) {}

  std::size_t per_epoch() const { return num_batches(samples.size(), options.batch_size); }

  /// Samples [first, second) of the epoch's order that batch `batch` of the epoch holds: as even as they can be.
  std::pair<std::size_t, std::size_t> range(std::size_t batch) const {
    return {samples.size() * batch / per_epoch(), samples.size() * (batch + 1) / per_epoch()};
  }

  /// The places of a batch of `batch_samples` that are loaded here.
  std::vector<std::size_t> places_of(std::span<const std::size_t> batch_samples) const {
    if (options.choose_places) return options.choose_places(batch_samples);
    std::vector<std::size_t> all(batch_samples.size());
    std::iota(all.begin(), all.end(), std::size_t{0});
    return all;
  }

  /// Fills batches; what goes wrong besides single files is for the reader, who ends the run.
  void work() noexcept {
    try {
      take_samples();
    } catch (...) {
      const std::lock_guard lock(mutex);
      if (!failure) failure = std::current_exception();
      ready.notify_all();
    }
  }

  void take_samples() {
    std::unique_lock lock(mutex);
    for (;;) {
      wake.wait(lock, [&] { return stopping || next_batch < next_read + kBatchesAhead; });
      if (stopping) return;
      const std::size_t batch = next_batch;
      const std::size_t epoch = batch / per_epoch();
      const auto [begin, end] = range(batch % per_epoch());
      if (open_epoch != epoch || order.empty()) {
        order = epoch_order(samples, groups, options, epoch);
        open_epoch = epoch;
      }
      if (next_place == 0) {
        places = places_of(std::span(order).subspan(begin, end - begin));
        batches[batch] = {std::vector<LoadedFile>(places.size()), places.size()};
        if (places.empty()) {
          ++next_batch;
          ready.notify_all();
          continue;
        }
      }
      const std::size_t at = next_place++;
      const std::size_t place = places[at];
      const std::size_t sample = order[begin + place];
      if (next_place == places.size()) {
        next_place = 0;
        ++next_batch;
      }
      lock.unlock();
      LoadedFile file = loader.load(epoch, begin + place, sample);
      file.place = place;
      lock.lock();
      Batch& open = batches[batch];
      open.files[at] = std::move(file);
      if (--open.num_missing == 0) ready.notify_all();
    }
  }

  std::vector<Sample> samples;
  LoaderOptions options;
  std::vector<int> groups;  // of each sample
  SampleLoader loader;
  std::mutex mutex;  // guards all below
  std::condition_variable wake, ready;
  std::map<std::size_t, Batch> batches;
  std::size_t next_read;            // batch that the reader wants next
  std::size_t next_batch;           // batch whose samples workers take
  std::vector<std::size_t> places;  // of it that are loaded here
  std::size_t next_place = 0;       // among these
  std::size_t open_epoch = 0;       // of `order`
  std::vector<std::size_t> order;
  bool stopping = false;
  std::exception_ptr failure;  // of a worker, which is gone then
  std::vector<std::thread> workers;
};

Loader::Loader(std::vector<Sample> samples, LoaderOptions options, std::size_t first_batch)
    : shared_(std::make_unique<Shared>(std::move(samples), std::move(options), first_batch)) {
  for (int i = 0; i < std::max(1, shared_->options.num_workers); ++i)
    shared_->workers.emplace_back([shared = shared_.get()] { shared->work(); });
}

Loader::~Loader() {
  {
    const std::lock_guard lock(shared_->mutex);
    shared_->stopping = true;
  }
  shared_->wake.notify_all();
  for (std::thread& worker : shared_->workers) worker.join();
}

std::vector<LoadedFile> Loader::next() {
  std::unique_lock lock(shared_->mutex);
  const std::size_t batch = shared_->next_read;
  shared_->ready.wait(lock, [&] {
    if (shared_->failure) return true;
    const auto found = shared_->batches.find(batch);
    return found != shared_->batches.end() && found->second.num_missing == 0;
  });
  if (shared_->failure) std::rethrow_exception(shared_->failure);
  std::vector<LoadedFile> files = std::move(shared_->batches[batch].files);
  shared_->batches.erase(batch);
  ++shared_->next_read;
  lock.unlock();
  shared_->wake.notify_all();
  return files;
}

}  // namespace byteformer::data
