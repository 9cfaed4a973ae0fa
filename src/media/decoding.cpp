// The checks that decoders share, the memory that they take, and the orientation in an EXIF block.
#include "media/decoding.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include "base/bytes_io.hpp"

namespace byteformer::media {
namespace {

[[noreturn]] void throw_too_large(const CodedFile& file, std::uint64_t num_bytes) {
  constexpr std::uint64_t kMiB = std::uint64_t{1} << 20;
  base::fail_format(file.source, "to decode it takes ", num_bytes / kMiB, " MiB of memory; at most ",
                    file.budget.limit_bytes() / kMiB, " MiB are used");
}

MemoryBudget::Share reserve(const CodedFile& file, std::uint64_t num_bytes) {
  if (num_bytes > file.budget.limit_bytes()) throw_too_large(file, num_bytes);
  return file.budget.reserve(num_bytes);
}

constexpr std::string_view kGitLfsTag = "version https://git-lfs";

struct OtherKind {
  std::uint64_t offset;
  std::string_view tag;
  std::string_view words;
};

constexpr auto kOtherKinds =
    std::to_array<OtherKind>({{4, "ftypheic", "a HEIC picture"},
                              {4, "ftypavif", "an AVIF picture"},
                              {4, "ftyp", "an MP4 or M4A file"},
                              {4, "jP  \r\n", "a JPEG 2000 picture"},
                              {0, "8BPS", "a Photoshop file"},
                              {0, {"\0\0\1\0", 4}, "an icon"},
                              {0, "<svg", "an SVG drawing"},
                              {128, "DICM", "a DICOM file"},
                              {0, "\x1A\x45\xDF\xA3", "a Matroska or WebM file"},
                              {0, "\x30\x26\xB2\x75", "a WMA or other ASF file"},
                              {0, "#!AMR", "an AMR sound"},
                              {0, "NIST_1A", "a NIST SPHERE sound"},
                              {0, "Creative Voice File", "a VOC sound"},
                              {0, "PK\3\4", "a ZIP archive"},
                              {0, "<!DOCTYPE", "an HTML page"},
                              {0, "<html", "an HTML page"},
                              {0, kGitLfsTag, "a pointer of Git LFS (see `git lfs pull`)"}});

}  // namespace

std::string other_kind(std::span<const std::uint8_t> file) {
  for (const OtherKind& kind : kOtherKinds)
    if (base::has_tag(file, kind.offset, kind.tag)) return ", but " + std::string(kind.words);
  return {};
}

bool is_git_lfs_pointer(std::span<const std::uint8_t> file) noexcept { return base::has_tag(file, 0, kGitLfsTag); }

void check_size(const ImageFile& file, std::uint64_t width, std::uint64_t height) {
  if (width == 0 || height == 0) throw_damaged(file, "it has no pixels (", width, " x ", height, ")");
  if (width > file.max_pixels || height > file.max_pixels / width)
    base::fail_format(file.source, "the ", file.kind, " says it has ", width, " x ", height, " pixels; at most ",
                      file.max_pixels, " are allowed");
}

Image blank_image(const ImageFile& file, std::uint64_t width, std::uint64_t height, std::uint64_t work_bytes,
                  bool turns) {
  check_size(file, width, height);
  const std::uint64_t num_bytes = width * height * 3;
  auto memory = reserve(file, (turns ? 2 : 1) * num_bytes + work_bytes);
  return {static_cast<int>(width), static_cast<int>(height), std::vector<std::uint8_t>(num_bytes), std::move(memory)};
}

int exif_orientation(std::span<const std::uint8_t> exif) noexcept {
  constexpr std::string_view kPrefix{"Exif\0\0", 6};
  constexpr unsigned kOrientationTag = 274;
  constexpr unsigned kShort = 3;
  constexpr std::size_t kEntryBytes = 12;
  if (base::has_tag(exif, 0, kPrefix)) exif = exif.subspan(kPrefix.size());
  const bool is_big_endian = base::has_tag(exif, 0, "MM");
  if (!is_big_endian && !base::has_tag(exif, 0, "II")) return 1;
  // Zero beyond the end, which no valid field holds.
  const auto number = [&](std::size_t offset, std::size_t num_bytes) -> std::size_t {
    if (!base::has_bytes(exif, offset, num_bytes)) return 0;
    return is_big_endian ? base::big_endian(exif, offset, num_bytes) : base::little_endian(exif, offset, num_bytes);
  };
  if (number(2, 2) != 42) return 1;

  const std::size_t directory = number(4, 4);
  const std::size_t num_entries = number(directory, 2);
  for (std::size_t i = 0; i < num_entries; ++i) {
    const std::size_t entry = directory + 2 + i * kEntryBytes;
    if (!base::has_bytes(exif, entry, kEntryBytes)) break;
    if (number(entry, 2) != kOrientationTag || number(entry + 2, 2) != kShort) continue;
    const std::size_t orientation = number(entry + 8, 2);
    return orientation >= 1 && orientation <= 8 ? static_cast<int>(orientation) : 1;
  }
  return 1;
}

void require_bytes(const SoundFile& file, std::uint64_t needed) {
  if (needed > file.bytes.size()) throw_damaged(file, "it ends too early: ", file.bytes.size(), " bytes of ", needed);
}

bool is_unknown_length(std::uint64_t num_bytes) noexcept {
  constexpr std::uint64_t kHeaders = 0x10000;
  const auto is_just_below = [&](std::uint64_t limit) { return num_bytes < limit && limit - num_bytes <= kHeaders; };
  return num_bytes == 0 || num_bytes == UINT64_MAX || is_just_below(UINT64_MAX) ||
         is_just_below(std::uint64_t{1} << 63) || is_just_below(std::uint64_t{1} << 32) ||
         is_just_below((std::uint64_t{1} << 31) + kHeaders / 2) ||
         is_just_below(0x7F000000 + kHeaders);  // sox, in AIFF
}

std::uint64_t sample_bytes(const SoundFile& file, std::uint64_t begin, std::uint64_t num_bytes) {
  require_bytes(file, begin);
  const std::uint64_t num_left = file.bytes.size() - begin;
  if (num_bytes > 0 && num_bytes <= num_left) return num_bytes;
  if (is_unknown_length(num_bytes)) return num_left;
  require_bytes(file, num_bytes > UINT64_MAX - begin ? num_bytes : begin + num_bytes);
  return num_left;
}

MonoSamples::MonoSamples(const SoundFile& file, std::uint64_t num_expected) : file_(file) {
  // A header may say anything: what lies beyond is found when it comes.
  const std::size_t num_samples = std::min<std::uint64_t>(num_expected, file.max_samples);
  sound_.memory = reserve(file, std::max<std::size_t>(num_samples, 1) * sizeof(float));
  sound_.samples.reserve(num_samples);
}

void MonoSamples::make_room(std::size_t num_more) {
  auto& samples = sound_.samples;
  const std::size_t needed = samples.size() + num_more;
  if (needed <= samples.capacity()) return;
  const std::size_t capacity = std::min(std::max(needed, samples.size() * 2), file_.max_samples);
  const std::uint64_t num_bytes = capacity * sizeof(float);  // beside those that are copied there
  if (!sound_.memory.grow(num_bytes)) throw_too_large(file_, num_bytes + samples.size() * sizeof(float));
  samples.reserve(capacity);
  sound_.memory.shrink(num_bytes);
}

void MonoSamples::append(std::span<const float> block, std::size_t num_channels) {
  const std::size_t num_frames = block.size() / num_channels;
  if (num_frames > file_.max_samples - size())
    base::fail_format(file_.source, "the sound has more than ", file_.max_samples, " samples");
  make_room(num_frames);
  for (std::size_t i = 0; i < num_frames; ++i) {
    double sum = 0;
    for (const float sample : block.subspan(i * num_channels, num_channels)) sum += sample;
    if (!std::isfinite(sum)) throw_damaged(file_, "sample ", size(), " is not a finite number");
    sound_.samples.push_back(static_cast<float>(sum / static_cast<double>(num_channels)));
  }
}

Sound MonoSamples::take(int sample_rate) {
  if (sound_.samples.empty()) throw_damaged(file_, "it has no samples");
  sound_.sample_rate = sample_rate;
  return std::move(sound_);
}

float saturated(float x) noexcept { return std::isnan(x) ? 0.0f : std::clamp(x, -1.0f, 1.0f); }

float published_float(float x) noexcept {
  constexpr double kTwoTo31 = 2147483648.0;
  const double scaled = std::trunc(static_cast<double>(saturated(x)) * kTwoTo31);
  const auto fixed = static_cast<std::int64_t>(std::clamp(scaled, -kTwoTo31, kTwoTo31 - 1));
  if (fixed > (std::int64_t{1} << 31) - 65) return 1.0f;
  return static_cast<float>(static_cast<double>((fixed + 64) & ~std::int64_t{127}) / kTwoTo31);
}

}  // namespace byteformer::media
