// The inside of decode_image() and decode_sound(): what their decoders share, and those that are our own.
#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/text.hpp"
#include "media/image.hpp"
#include "media/sound.hpp"

namespace byteformer::media {

/// What pictures and sounds take on all threads, decoded and made of them, kMaxDecodingBytes at most.
MemoryBudget& decoding_budget();

/// Memory for what is made of a picture or sound: resized, resampled, encoded.
MemoryBudget::Share memory_for(std::uint64_t num_bytes);

/// A file that is decoded.
struct CodedFile {
  std::span<const std::uint8_t> bytes;  ///< from the format's first byte on
  const std::string& source;
  std::string_view kind;  ///< for messages: "PNG", "wav sound"
  MemoryBudget& budget;
};

/// \throws Error kInvalidFormat: "SOURCE: damaged KIND: REASON".
template <typename... Parts>
[[noreturn]] void throw_damaged(const CodedFile& file, const Parts&... reason) {
  base::fail_format(file.source, "damaged ", file.kind, ": ", reason...);
}

// Pictures.

struct ImageFile : CodedFile {
  std::size_t max_pixels = 0;
};

/// A picture as it is stored, and the EXIF orientation (1 to 8) that says how to turn it.
struct StoredImage {
  Image image;
  int orientation = 1;
};

/// \throws Error kInvalidFormat for a picture that is empty or has more than `file.max_pixels` pixels.
void check_size(const ImageFile& file, std::uint64_t width, std::uint64_t height);

/// A checked, zeroed picture, with memory for it, for as much again where `turns` says that it will be turned upright,
/// and for `work_bytes` that decoding takes besides.
/// \throws as check_size(), and Error kInvalidFormat where that is more than all that decoding may take.
Image blank_image(const ImageFile& file, std::uint64_t width, std::uint64_t height, std::uint64_t work_bytes = 0,
                  bool turns = false);

/// `colour` with opacity `alpha` on white paper, rounded.
constexpr std::uint8_t over_white(unsigned colour, unsigned alpha) noexcept {
  return static_cast<std::uint8_t>((colour * alpha + 255 * (255 - alpha) + 127) / 255);
}

/// The orientation (1 to 8) that an EXIF block tells, with or without its "Exif\0\0" prefix; 1 where it tells none.
int exif_orientation(std::span<const std::uint8_t> exif) noexcept;

/// What every encoder of pictures asks of a picture, and the memory of what it writes.
/// \throws Error kInvalidArgument for a picture without pixels, with more than kMaxPixels, or whose bytes do not fit
/// its size.
[[nodiscard]] MemoryBudget::Share memory_to_encode(const Image& image);

// One file per format says how it begins.
bool is_jpeg(std::span<const std::uint8_t> file) noexcept;
bool is_png(std::span<const std::uint8_t> file) noexcept;
bool is_tiff(std::span<const std::uint8_t> file) noexcept;
bool is_bmp(std::span<const std::uint8_t> file) noexcept;
bool is_pnm(std::span<const std::uint8_t> file) noexcept;

StoredImage decode_bmp(const ImageFile& file);
StoredImage decode_pnm(const ImageFile& file);

// Sounds.

/// A number that is to be read otherwise than it stands in the file.
struct Patch {
  std::uint64_t offset = 0;
  std::vector<std::uint8_t> bytes;
};

struct SoundFile : CodedFile {
  std::size_t max_samples = 0;

  // What a look at the container found, before anything is decoded.
  std::vector<std::span<const std::uint8_t>> parts = {};  ///< to decode one after another: streams that were joined
  std::list<std::vector<std::uint8_t>> unwrapped = {};    ///< parts that do not lie in the file as they are decoded
  std::vector<MemoryBudget::Share> memory = {};           ///< of those
  std::vector<Patch> patches = {};                        ///< of the only part
  std::uint64_t num_expected = 0;                         ///< samples per channel, where only the look tells
};

/// \throws Error kInvalidFormat, as "it ends too early", where the file has fewer than `needed` bytes.
void require_bytes(const SoundFile& file, std::uint64_t needed);

/// Whether a file that says that its samples take `num_bytes` does not know: what writers to a pipe leave there is 0 or
/// (less some headers) the most that 31, 32, 63 or 64 bits hold.
bool is_unknown_length(std::uint64_t num_bytes) noexcept;

/// How many bytes samples take that begin at `begin` and say that they take `num_bytes`: all to the end of the file
/// where that is unknown.
/// \throws Error kInvalidFormat where the file is shorter than it says.
std::uint64_t sample_bytes(const SoundFile& file, std::uint64_t begin, std::uint64_t num_bytes);

// libsndfile takes a file that was cut short for a short sound, reads some lengths that nobody knew as they stand, and
// stops behind the first of several streams. These look first, and fill in the file's parts and patches.
// Each throws Error kInvalidFormat where the file ends before its own numbers say.
void look_at_wav(SoundFile& file);
void look_at_w64(SoundFile& file);
void look_at_aiff(SoundFile& file);
void look_at_au(SoundFile& file);
void look_at_caf(SoundFile& file);
void look_at_flac(SoundFile& file);
void look_at_ogg(SoundFile& file);
void look_at_mp3(SoundFile& file);

/// Where what begins at `at` begins indeed, behind zeros and tags: ID3v1, ID3v2, APE, Lyrics3.
std::uint64_t behind_tags(std::span<const std::uint8_t> file, std::uint64_t at) noexcept;

/// \throws Error kInvalidFormat where behind `end` another sound begins, of which a decoder would say nothing.
void refuse_another(const SoundFile& file, std::uint64_t end);

/// Whether it begins with a frame of layer III and, where it goes on, another: four bytes alone look like a header too
/// often.
bool is_mp3(std::span<const std::uint8_t> file) noexcept;

/// What every encoder of sounds asks of a sound, and the memory of what it writes.
/// \throws Error kInvalidArgument for one without samples, to which a shorter one may have been rounded.
[[nodiscard]] MemoryBudget::Share memory_to_encode(const Sound& sound);

/// Gathers the means over the channels of what a decoder hands out.
class MonoSamples {
 public:
  /// \param num_expected samples per channel, as far as the file tells: memory for them is taken at once
  /// \throws Error kInvalidFormat where they are more than all that decoding may take.
  MonoSamples(const SoundFile& file, std::uint64_t num_expected);

  /// \param block whole frames, channels interleaved
  /// \throws Error kInvalidFormat for more than `max_samples`, and for what is not a finite number.
  void append(std::span<const float> block, std::size_t num_channels);

  std::size_t size() const noexcept { return sound_.samples.size(); }

  /// \throws Error kInvalidFormat where there is none.
  Sound take(int sample_rate);

 private:
  void make_room(std::size_t num_more);

  const SoundFile& file_;
  Sound sound_;
};

// The rounding that the published pipeline gives to float samples, in WAV and before MP3.

/// In [-1, 1]; silence where there is no number.
float saturated(float x) noexcept;

/// `x` on the grid of 2^-24 that the published code writes as float32; saturated to [-1, 1].
float published_float(float x) noexcept;

}  // namespace byteformer::media
