// The table of corruptions, and files that go through one.
#include "data/corruption.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include "base/file_io.hpp"
#include "base/text.hpp"
#include "data/loader.hpp"
#include "media/image.hpp"
#include "media/sound.hpp"

namespace byteformer::data {
namespace {

using base::fail;
using base::joined;
using bytes::DamageKind;

constexpr double kRates[] = {0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3};
constexpr double kShares[] = {0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 0.9};
constexpr double kWindows[] = {2, 4, 8, 16, 32, 64, 128, 256};
constexpr double kQualities[] = {1, 3, 5, 10, 20, 40, 60, 80, 95};
constexpr double kBitrates[] = {8, 16, 24, 32, 48, 64};
constexpr double kSampleRates[] = {1000, 2000, 3000, 4000, 6000, 8000, 16000};

constexpr std::array<CorruptionKind, 9> kKinds = {{
    {"bit-flips", "share of bits that flip", 0, 1, false, kRates, DamageKind::kBitFlips},
    {"byte-noise", "share of bytes replaced by random ones", 0, 1, false, kRates, DamageKind::kByteNoise},
    {"truncate", "share of the file lost at its end", 0, 1, false, kShares, DamageKind::kTruncate},
    {"drop-blocks", "share of blocks of 64 bytes lost, later ones move up", 0, 1, false, kShares,
     DamageKind::kDropBlocks},
    {"zero-blocks", "share of blocks of 64 bytes set to zero", 0, 1, false, kShares, DamageKind::kZeroBlocks},
    {"shuffle-windows", "bytes of a window that is shuffled", 1, bytes::kMaxWindow, true, kWindows,
     DamageKind::kShuffleWindows},
    {"jpeg-quality", "quality of a JPEG that the picture goes through", 1, 100, true, kQualities,
     ReEncodingKind::kJpegQuality},
    {"mp3-bitrate", "kbit/s of an MP3 that the sound goes through", 8, 320, true, kBitrates,
     ReEncodingKind::kMp3Bitrate},
    {"sample-rate", "Hz that the sound is resampled to", 100, 768'000, true, kSampleRates, ReEncodingKind::kSampleRate},
}};
static_assert(bytes::kDamageBlock == 64, "the texts above say so");

/// Through MP3 and back, as long as it was and where it was.
media::Sound through_mp3(const media::Sound& sound, int kbit_per_s, const std::string& source) {
  media::Sound out = media::decode_sound(media::encode_mp3(sound, kbit_per_s), source);
  const std::size_t delay = std::min(media::kMp3DelaySamples, out.samples.size());
  out.samples.erase(out.samples.begin(), out.samples.begin() + static_cast<std::ptrdiff_t>(delay));
  media::fit(out, sound.samples.size());
  return out;
}

}  // namespace

media::FileBytes re_encoded(media::FileBytes file, ReEncodingKind kind, int level, const std::string& source) {
  const bool is_image = media::image_kind(file).has_value();
  if (!is_image && !media::sound_kind(file))
    throw Error(ErrorCode::kUnsupported,
                source + ": is no picture and no sound that we know" + media::other_kind(file) +
                    ", so it cannot be encoded in another way");
  if (is_image != (kind == ReEncodingKind::kJpegQuality)) return file;
  if (is_image) return media::encode_jpeg(media::decode_image(file, source), level);
  const media::Sound sound = media::decode_sound(file, source);
  try {
    return media::encode_wav(
        kind == ReEncodingKind::kSampleRate ? media::resampled(sound, level) : through_mp3(sound, level, source),
        media::SampleFormat::kFloat32);
  } catch (const Error& error) {
    throw error.code() == ErrorCode::kInvalidArgument ? Error(error.code(), source + ": " + error.what()) : error;
  }
}

std::span<const CorruptionKind> corruption_kinds() noexcept { return kKinds; }

const CorruptionKind& find_corruption_kind(std::string_view name) {
  const auto known = std::ranges::find(kKinds, name, &CorruptionKind::name);
  if (known != kKinds.end()) return *known;
  const auto names = base::words_of(kKinds, &CorruptionKind::name);
  fail(ErrorCode::kInvalidArgument, "there is no kind of damage `", base::excerpt(name), "`",
       base::did_you_mean(name, names, "; there are " + base::list(names, ", ")));
}

void validate_level(const CorruptionKind& kind, double level) {
  if (level >= kind.low && level <= kind.high && (!kind.is_whole || level == std::floor(level))) return;
  fail(ErrorCode::kInvalidArgument, kind.name, " takes ", kind.is_whole ? "whole numbers" : "numbers", " from ",
       kind.low, " to ", kind.high, " (", kind.quantity, "), not ", level);
}

void check_applies(const CorruptionKind& kind, const prepare::Preprocess& preprocess) {
  const auto* method = std::get_if<ReEncodingKind>(&kind.method);
  if (method == nullptr) return;
  const bool is_of_pictures = *method == ReEncodingKind::kJpegQuality;
  if (is_of_pictures ? preprocess.image.has_value() : preprocess.sound.has_value()) return;
  fail(ErrorCode::kInvalidArgument, kind.name, " needs a model that ", is_of_pictures ? "pictures" : "sounds",
       " are prepared for, but this one reads ", describe(preprocess));
}

prepare::PreparedFile load_corrupted(const Sample& sample, const prepare::Preprocess& preprocess,
                                     const Corruption& corruption) {
  media::FileBytes file = read_whole_file(sample);
  if (const auto* method = std::get_if<ReEncodingKind>(&corruption.kind->method)) {
    file = re_encoded(std::move(file), *method, static_cast<int>(corruption.level), base::printable(sample.path));
    return prepare_sample(std::move(file), sample, preprocess);
  }
  const bytes::Damage damage{std::get<DamageKind>(corruption.kind->method), corruption.level};
  if (corruption.is_of_source) file = bytes::damaged(damage, std::move(file), corruption.seed);
  prepare::PreparedFile prepared = prepare_sample(std::move(file), sample, preprocess);
  if (!corruption.is_of_source) prepared.bytes = bytes::damaged(damage, std::move(prepared.bytes), corruption.seed);
  return prepared;
}

}  // namespace byteformer::data
