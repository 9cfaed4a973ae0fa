// Reads samples, and makes of them the files that the model sees: in training changed at random, else as they are.
#include "data/sample_loader.hpp"

#include <algorithm>
#include <new>
#include <optional>
#include <utility>

#include "base/file_io.hpp"
#include "base/text.hpp"
#include "byteformer/error.hpp"

namespace byteformer::data {
namespace {

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

/// What the model has to know of the file; of one in an archive all of it.
media::FileBytes read_as_needed(const Sample& sample, const prepare::Preprocess& preprocess) {
  return sample.place ? read_whole_file(sample) : prepare::read_file(sample.path, preprocess);
}

/// A second file that cannot be used leaves the first as it is; its own turn says what is wrong with it.
void unless_damaged(const auto& mix_second) {
  try {
    mix_second();
  } catch (const Error&) {
  }
}

}  // namespace

LoadedFile SampleLoader::load(std::size_t epoch, std::size_t place, std::size_t index) const {
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

std::string SampleLoader::source_of(std::size_t index) const { return base::printable(samples_[index].path); }

media::FileBytes SampleLoader::encoded(std::size_t index, base::Random& random, LoadedFile& file) const {
  const std::string source = source_of(index);
  check_clip(samples_[index], options_.preprocess);
  const prepare::Preprocess& preprocess = options_.preprocess;
  // A random cut comes before the pieces, which are then pieces of a piece.
  media::FileBytes bytes =
      options_.max_bytes > 0 ? read_whole_file(samples_[index]) : read_as_needed(samples_[index], preprocess);
  if (preprocess.image && media::image_kind(bytes)) {
    media::Image first = image(bytes, source, random);
    const double probability = options_.image_augmentation.cutmix_probability;
    if (probability > 0 && random.chance(probability)) unless_damaged([&] { paste_other(first, random, file); });
    return encode_image(first, preprocess.image->encoding);
  }
  if (preprocess.sound && media::sound_kind(bytes)) {
    media::Sound first = sound(clip(media::decode_sound(bytes, source), samples_[index]), random);
    if (options_.sound_augmentation.mixup) unless_damaged([&] { mix_other(first, random, file); });
    return encode_sound(first, preprocess.sound->encoding);
  }
  if (!preprocess.is_bytes()) return prepare_file(bytes, preprocess, source);  // says what is wrong
  if (options_.max_bytes > 0 && bytes.size() > options_.max_bytes) cut(bytes, random);
  return bytes;
}

media::Image SampleLoader::image(const media::FileBytes& bytes, const std::string& source, base::Random& random) const {
  const prepare::ImagePreparation& preparation = *options_.preprocess.image;
  const ImageAugmentation& augmentation = options_.image_augmentation;
  media::Image decoded = media::decode_image(bytes, source);
  if (augmentation.min_crop_area > 0 && preparation.crop)
    return augmented(decoded, *preparation.crop, augmentation, random);
  if (preparation.resize) decoded = media::with_shorter_side(decoded, *preparation.resize);
  if (preparation.crop) decoded = media::center_cropped(decoded, *preparation.crop, source);
  return augmented(decoded, decoded.width, augmentation, random);
}

/// A box of a second picture, drawn and augmented alike.
void SampleLoader::paste_other(media::Image& first, base::Random& random, LoadedFile& file) const {
  const std::size_t other = random.below(samples_.size());
  const media::FileBytes bytes = read_whole_file(samples_[other]);
  if (!media::image_kind(bytes)) return;
  const media::Image second = image(bytes, source_of(other), random);
  if (second.width != first.width || second.height != first.height) return;
  file.first_share = static_cast<float>(paste_box(first, second, random));
  file.other_label = samples_[other].label;
}

media::Sound SampleLoader::sound(media::Sound decoded, base::Random& random) const {
  const prepare::SoundPreparation& preparation = *options_.preprocess.sound;
  if (preparation.sample_rate) decoded = media::resampled(decoded, *preparation.sample_rate);
  const std::optional<std::size_t> length = duration_samples(preparation, decoded);
  return augmented(std::move(decoded), length, options_.sound_augmentation, options_.background, random);
}

/// A second sound, drawn and augmented alike, weighted uniformly.
void SampleLoader::mix_other(media::Sound& first, base::Random& random, LoadedFile& file) const {
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
void SampleLoader::cut(media::FileBytes& bytes, base::Random& random) const {
  const std::size_t spare = bytes.size() - options_.max_bytes;
  const std::size_t begin = random.chance(0.5) ? 0 : random.below(spare + 1);
  bytes.erase(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(begin));
  bytes.resize(options_.max_bytes);
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

}  // namespace byteformer::data
