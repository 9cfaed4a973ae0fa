// From any picture or sound to the file that a model expects, what such a file looks like, and its words for people.
#include <algorithm>
#include <array>
#include <utility>

#include "base/file_io.hpp"
#include "base/text.hpp"
#include "media/places.hpp"
#include "prepare/preprocess.hpp"

namespace byteformer::prepare {

using base::fail;
using base::joined;

// Words.

namespace {

constexpr std::size_t kMostFileBytes = std::size_t{1} << 30;
constexpr std::size_t kFingerprintDigits = 12;  // of 64: as many as a person compares

struct FormatName {
  FileFormat format;
  std::string_view name;
  std::string_view extension;
  std::string_view title;
};
constexpr std::array<FormatName, 7> kFormats = {{{FileFormat::kTiff, "tiff", ".tiff", "TIFF"},
                                                 {FileFormat::kPng, "png", ".png", "PNG"},
                                                 {FileFormat::kJpeg, "jpeg", ".jpg", "JPEG"},
                                                 {FileFormat::kFhwc, "fhwc", ".fhwc", "raw RGB bytes (fHWC)"},
                                                 {FileFormat::kFchw, "fchw", ".fchw", "raw RGB planes (fCHW)"},
                                                 {FileFormat::kWav, "wav", ".wav", "WAV"},
                                                 {FileFormat::kMp3, "mp3", ".mp3", "MP3"}}};

const FormatName& name_of(FileFormat format) noexcept { return kFormats[static_cast<std::size_t>(format)]; }

std::string describe(const Encoding& encoding) {
  std::string text(name_of(encoding.format).title);
  if (encoding.format == FileFormat::kJpeg) text += joined(" (quality ", encoding.quality, ')');
  if (encoding.format == FileFormat::kWav) text += joined(' ', media::to_string(encoding.sample_format));
  return text;
}

std::string describe(const ImagePreparation& image) {
  if (image.crop) return joined(describe(image.encoding), " of ", *image.crop, 'x', *image.crop, " pixels");
  if (image.resize) return joined(describe(image.encoding), " of ", *image.resize, " pixels on the shorter side");
  return describe(image.encoding);
}

std::string describe(const SoundPreparation& sound) {
  std::string text = describe(sound.encoding);
  if (sound.duration_s) text += joined(" of ", *sound.duration_s, " s");
  if (sound.sample_rate) text += joined(" at ", *sound.sample_rate, " Hz");
  return text;
}

std::string describe(const bytes::Shuffle& shuffle) {
  switch (shuffle.mode) {
    case bytes::ShuffleMode::kReverse: return "bytes reversed";
    case bytes::ShuffleMode::kCyclicHalfLength: return "halves exchanged";
    case bytes::ShuffleMode::kStride: return joined("every ", shuffle.n, "th byte in turn");
    case bytes::ShuffleMode::kWindowShuffle: return joined("bytes shuffled within windows of ", shuffle.n);
    case bytes::ShuffleMode::kRandomShuffle: return "bytes in random order";
  }
  return {};
}

std::string describe(const bytes::BytePermutation& permutation) {
  if (permutation.seed()) return joined("values permuted by seed ", *permutation.seed());
  return joined("values permuted by the secret key ", permutation.fingerprint().substr(0, kFingerprintDigits));
}

std::string describe_encoding(const Preprocess& preprocess) {
  if (preprocess.is_bytes()) return "files";
  if (!preprocess.sound) return describe(*preprocess.image);
  if (!preprocess.image) return describe(*preprocess.sound);
  return joined(describe(*preprocess.image), ", or ", describe(*preprocess.sound));
}

}  // namespace

std::string_view to_string(FileFormat format) noexcept { return name_of(format).name; }
std::string_view extension(FileFormat format) noexcept { return name_of(format).extension; }
bool is_image(FileFormat format) noexcept { return format != FileFormat::kWav && format != FileFormat::kMp3; }

FileFormat parse_file_format(std::string_view name) {
  std::vector<std::string> names;
  for (const FormatName& known : kFormats) {
    if (known.name == name) return known.format;
    names.emplace_back(known.name);
  }
  fail(ErrorCode::kInvalidArgument, "the file format is \"", base::excerpt(name), "\", expected ",
       base::list(names, ", ", " or "));
}

std::string describe(const bytes::Transforms& transforms) {
  const auto& [pieces, shuffle, mask, noise, permutations] = transforms;
  std::vector<std::string> parts;
  if (pieces)
    parts.push_back(
        joined("the first ", pieces->start, " bytes, ", pieces->middle, " in the middle and the last ", pieces->end));
  if (shuffle) parts.push_back(describe(*shuffle));
  if (mask) parts.push_back(joined(mask->keep_frac, " of the positions"));
  if (noise) parts.push_back(joined("noise from ", noise->low, " to ", noise->high));
  for (const bytes::BytePermutation& permutation : permutations) parts.push_back(describe(permutation));
  return base::list(parts, ", ");
}

std::string describe(const Preprocess& preprocess) {
  if (preprocess.takes_files_as_they_are()) return "files as they are";
  if (preprocess.transforms.empty()) return describe_encoding(preprocess);
  return describe_encoding(preprocess) + " with " + describe(preprocess.transforms);
}

// Reading.

media::FileBytes read_file(const std::filesystem::path& path) {
  base::InputFile file(path);
  return read_file(file, path);
}

media::FileBytes read_file(base::InputFile& file, const std::filesystem::path& name) {
  if (file.size() > kMostFileBytes) throw Error(ErrorCode::kUnsupported, name.native(), "is larger than 1 GiB");
  media::FileBytes bytes(static_cast<std::size_t>(file.size()));
  bytes.resize(file.read(bytes));
  return bytes;
}

media::FileBytes read_file(const std::filesystem::path& path, const prepare::Preprocess& preprocess) {
  const auto& pieces = preprocess.transforms.pieces;
  if (!pieces || !preprocess.is_bytes()) return read_file(path);
  const base::MappedFile file(path);
  media::FileBytes bytes;
  for (const bytes::Range& range : ranges(*pieces, file.bytes().size())) {
    const std::size_t begin = bytes.size();
    bytes.resize(begin + static_cast<std::size_t>(range.size));
    if (range.size > 0)
      file.read(file.bytes().subspan(static_cast<std::size_t>(range.begin), static_cast<std::size_t>(range.size)),
                std::as_writable_bytes(std::span(bytes)).data() + begin);
  }
  return bytes;
}

// Encoding and preparing.

media::FileBytes encode_image(const media::Image& image, const Encoding& encoding) {
  switch (encoding.format) {
    case FileFormat::kTiff: return media::encode_tiff(image);
    case FileFormat::kPng: return media::encode_png(image);
    case FileFormat::kJpeg: return media::encode_jpeg(image, encoding.quality);
    case FileFormat::kFhwc: return media::encode_fhwc(image);
    case FileFormat::kFchw: return media::encode_fchw(image);
    default: fail(ErrorCode::kInvalidArgument, "a picture cannot be encoded as ", to_string(encoding.format));
  }
}

media::FileBytes encode_sound(const media::Sound& sound, const Encoding& encoding) {
  switch (encoding.format) {
    case FileFormat::kWav: return media::encode_wav(sound, encoding.sample_format);
    case FileFormat::kMp3: return media::encode_mp3(sound);
    default: fail(ErrorCode::kInvalidArgument, "a sound cannot be encoded as ", to_string(encoding.format));
  }
}

media::FileBytes prepared(const media::Image& image, const ImagePreparation& preparation, const std::string& source) {
  if (!preparation.resize && !preparation.crop) return encode_image(image, preparation.encoding);
  media::Image prepared = preparation.resize ? media::with_shorter_side(image, *preparation.resize) : image;
  if (preparation.crop) prepared = media::center_cropped(prepared, *preparation.crop, source);
  return encode_image(prepared, preparation.encoding);
}

media::FileBytes prepared(const media::Sound& sound, const SoundPreparation& preparation) {
  const int sample_rate = preparation.sample_rate.value_or(sound.sample_rate);
  media::Sound prepared = sound.sample_rate == sample_rate ? sound : media::resampled(sound, sample_rate);
  if (preparation.duration_s) media::fit(prepared, media::num_samples(*preparation.duration_s, sample_rate));
  return encode_sound(prepared, preparation.encoding);
}

media::FileBytes prepare_file(std::span<const std::uint8_t> file, const Preprocess& preprocess,
                              const std::string& source) {
  if (preprocess.is_bytes()) return {file.begin(), file.end()};
  const auto image_kind = media::image_kind(file);
  const auto sound_kind = media::sound_kind(file);
  if (image_kind && preprocess.image) return prepared(media::decode_image(file, source), *preprocess.image, source);
  if (sound_kind && preprocess.sound) return prepared(media::decode_sound(file, source), *preprocess.sound);
  if (image_kind || sound_kind)
    fail(ErrorCode::kUnsupported, base::About{source}, "is a file of kind ", image_kind ? *image_kind : *sound_kind,
         ", but the model expects ", describe(preprocess));
  const std::string other = media::other_kind(file);
  fail(ErrorCode::kUnsupported, base::About{source}, "is no picture and no sound that we know", other,
       other.empty() ? ", but" : ";", " the model expects ", describe(preprocess));
}

media::FileBytes transformed(media::FileBytes file, const Preprocess& preprocess, const std::string& source,
                             base::Random* random) {
  const bytes::Transforms& transforms = preprocess.transforms;
  if (transforms.empty()) return file;
  try {
    return random == nullptr ? bytes::transformed(transforms, std::move(file))
                             : bytes::transformed(transforms, std::move(file), *random);
  } catch (const Error& error) {
    throw Error(error.code(), source, error.what());
  }
}

PreparedFile prepare_if_needed(media::FileBytes file, const Preprocess& preprocess, const std::string& source) {
  if (preprocess.takes_files_as_they_are()) return {std::move(file), false};
  if (file.empty())
    fail(ErrorCode::kEmptyFile, base::About{source}, "is empty, but the model expects ", describe(preprocess));
  const bool was_in_form = is_in_form(file, preprocess);
  if (!was_in_form) file = prepare_file(file, preprocess, source);
  return {transformed(std::move(file), preprocess, source), !was_in_form || !preprocess.transforms.leaves_bytes()};
}

// Whether a file is in form already, judged by its header alone.

namespace {

using Bytes = std::span<const std::uint8_t>;

bool has_size(const std::optional<media::PictureSize>& size, const ImagePreparation& preparation) noexcept {
  if (!size || size->width == 0 || size->height == 0) return false;
  const auto is = [](std::uint32_t side, int wanted) { return side == static_cast<std::uint32_t>(wanted); };
  if (preparation.crop) return is(size->width, *preparation.crop) && is(size->height, *preparation.crop);
  return !preparation.resize || is(std::min(size->width, size->height), *preparation.resize);
}

using media::FileEnds;

/// More than any header takes; a comment of a JPEG has 64 KiB at most.
constexpr std::size_t kHeadBytes = 1 << 17;

/// Bare pixels have no header: their number must be right, and they must not begin as a picture does.
bool is_raw_in_form(const FileEnds& file, const ImagePreparation& preparation) noexcept {
  if (file.num_bytes == 0 || media::image_kind(file.head)) return false;
  if (preparation.crop) return file.num_bytes == std::uint64_t{3} * *preparation.crop * *preparation.crop;
  return file.num_bytes % (std::uint64_t{3} * preparation.resize.value_or(1)) == 0;
}

bool is_in_form(const FileEnds& file, const ImagePreparation& preparation) noexcept {
  switch (preparation.encoding.format) {
    case FileFormat::kTiff: return has_size(media::own_tiff_size(file), preparation);
    case FileFormat::kPng: return has_size(media::own_png_size(file), preparation);
    case FileFormat::kJpeg: return has_size(media::own_jpeg_size(file, preparation.encoding.quality), preparation);
    case FileFormat::kFhwc:
    case FileFormat::kFchw: return is_raw_in_form(file, preparation);
    default: return false;
  }
}

bool has_rate(int sample_rate, const SoundPreparation& preparation) noexcept {
  return !preparation.sample_rate || *preparation.sample_rate == sample_rate;
}

/// \param find_mp3  says what the frames of an MP3 are, where that is asked for
bool is_in_form(const FileEnds& file, const SoundPreparation& preparation, const auto& find_mp3) noexcept {
  const auto& duration_s = preparation.duration_s;
  if (preparation.encoding.format == FileFormat::kWav) {
    const auto wav = media::own_wav_header(file, preparation.encoding.sample_format);
    return wav && has_rate(wav->sample_rate, preparation) &&
           (!duration_s || media::num_samples(*duration_s, wav->sample_rate) == wav->num_frames());
  }
  if (preparation.encoding.format != FileFormat::kMp3) return false;
  const std::optional<media::OwnMp3> mp3 = find_mp3();
  return mp3 && has_rate(mp3->sample_rate, preparation) &&
         (!duration_s || mp3->can_hold(media::num_samples(*duration_s, mp3->sample_rate)));
}

bool is_in_form(const FileEnds& file, const Preprocess& preprocess, const auto& find_mp3) noexcept {
  if (preprocess.is_bytes()) return true;
  return (preprocess.image && is_in_form(file, *preprocess.image)) ||
         (preprocess.sound && is_in_form(file, *preprocess.sound, find_mp3));
}

bool leave_as_it_is(const bytes::Transforms& transforms, std::uint64_t num_bytes) noexcept {
  return transforms.leaves_bytes() && (!transforms.pieces || num_bytes <= transforms.pieces->total());
}

}  // namespace

bool is_in_form(Bytes file, const Preprocess& preprocess) noexcept {
  return is_in_form(FileEnds(file), preprocess, [&] { return media::own_mp3(file); });
}

bool is_as_read(Bytes file, const Preprocess& preprocess) noexcept {
  return leave_as_it_is(preprocess.transforms, file.size()) && is_in_form(file, preprocess);
}

void FormWatch::push(Bytes piece) {
  const Bytes of_head = piece.first(std::min(piece.size(), kHeadBytes - head_.size()));
  head_.insert(head_.end(), of_head.begin(), of_head.end());
  const Bytes of_tail = piece.last(std::min(piece.size(), FileEnds::kTailBytes));
  tail_.insert(tail_.end(), of_tail.begin(), of_tail.end());
  tail_.erase(tail_.begin(), tail_.end() - static_cast<std::ptrdiff_t>(std::min(tail_.size(), FileEnds::kTailBytes)));
  num_bytes_ += piece.size();
  mp3_.push(piece);
}

bool FormWatch::is_as_read() const noexcept {
  return leave_as_it_is(preprocess_->transforms, num_bytes_) &&
         is_in_form(FileEnds(head_, tail_, num_bytes_), *preprocess_, [&] { return mp3_.result(); });
}

// What comes of it.

SeenPicture seen_through(const bytes::PositionMask& mask, media::Image image) {
  const std::vector<bool> is_kept = bytes::kept_positions(mask, image.rgb.size());
  SeenPicture seen{.image = std::move(image)};
  for (std::size_t i = 0; i < is_kept.size(); ++i) {
    if (is_kept[i])
      ++seen.num_kept;
    else
      seen.image.rgb[i] = 0;
  }
  return seen;
}

namespace {

constexpr std::uint64_t kMostValues = std::uint64_t{1} << 24;  // colours or samples

std::optional<std::uint64_t> picture_bytes(const ImagePreparation& image) {
  const auto side = static_cast<std::uint64_t>(image.crop.value_or(image.resize.value_or(0)));
  const std::uint64_t num_values = 3 * side * side;
  if (side == 0 || num_values > kMostValues || image.encoding.format == FileFormat::kJpeg) return std::nullopt;
  const media::Image black{static_cast<int>(side), static_cast<int>(side), std::vector<std::uint8_t>(num_values)};
  return encode_image(black, image.encoding).size();
}

std::optional<std::uint64_t> sound_bytes(const SoundPreparation& sound) {
  const int rate = sound.sample_rate.value_or(0);
  const std::uint64_t length = media::num_samples(sound.duration_s.value_or(1), rate);
  if (length == 0 || length > kMostValues) return std::nullopt;
  return encode_sound({rate, std::vector<float>(length)}, sound.encoding).size();
}

}  // namespace

std::optional<std::uint64_t> typical_prepared_bytes(const Preprocess& preprocess) {
  const auto& [image, sound, transforms] = preprocess;
  if (preprocess.is_bytes() && transforms.pieces) return transforms.pieces->total();
  const auto num_bytes = image ? picture_bytes(*image) : sound ? sound_bytes(*sound) : std::nullopt;
  if (!num_bytes || !transforms.mask) return num_bytes;
  return std::max<std::uint64_t>(
      1, static_cast<std::uint64_t>(transforms.mask->keep_frac * static_cast<double>(*num_bytes)));
}

}  // namespace byteformer::prepare
