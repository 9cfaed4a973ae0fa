// What the bytes of a file tell without being decoded: whether it is one that we wrote, and where its pixels or samples
// lie.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "byteformer/byte_range.hpp"
#include "media/sound.hpp"

namespace byteformer::media {

/// Bytes of a file that belong to one block of its picture or sound. A block may have several parts.
struct Part {
  ByteRange bytes;
  std::uint32_t block = 0;
};

/// A picture as a grid of blocks, row by row from the top. Bytes that are in no part are headers and the like.
struct PicturePlaces {
  int width = 0;  ///< pixels
  int height = 0;
  int block_width = 1;  ///< pixels; 1: every pixel has bytes of its own
  int block_height = 1;
  std::vector<Part> parts = {};

  int columns() const noexcept { return (width + block_width - 1) / block_width; }
  int rows() const noexcept { return (height + block_height - 1) / block_height; }
  std::size_t num_blocks() const noexcept {
    return static_cast<std::size_t>(columns()) * static_cast<std::size_t>(rows());
  }
};

/// Raw pixels of a picture of this size: interleaved from byte `begin` on, or in three planes.
PicturePlaces fhwc_places(int width, int height, std::uint64_t begin = 0);
PicturePlaces fchw_places(int width, int height);

// Each gives nothing for a file that is no such picture, is damaged, or lies otherwise. Thread-safe.

/// A TIFF as encode_tiff() writes it.
std::optional<PicturePlaces> tiff_places(std::span<const std::uint8_t> file);

/// A PNG of 8-bit RGB whose deflate blocks are stored, as encode_png() writes it. A pixel's bytes are what its row's
/// filter leaves of it: differences from neighbours, for most rows.
std::optional<PicturePlaces> png_places(std::span<const std::uint8_t> file);

/// A baseline JPEG that stands upright, in blocks of one MCU. Which bytes make a row of blocks is known to within the
/// few bytes that libjpeg reads ahead; inside a row the bytes are shared out evenly, although blocks with more detail
/// take more.
std::optional<PicturePlaces> jpeg_places(std::span<const std::uint8_t> file);

/// A sound as a row of blocks of one length.
struct SoundPlaces {
  std::size_t samples_per_block = 1;  ///< of one channel; 1: every sample has bytes of its own
  std::size_t num_blocks = 0;
  std::vector<Part> parts = {};
};

/// A WAV file without compression.
std::optional<SoundPlaces> wav_places(std::span<const std::uint8_t> file);

/// An MP3 file, in blocks of one frame. A frame may borrow bytes from those before it, and what it says is heard one
/// frame later than where it stands.
std::optional<SoundPlaces> mp3_places(std::span<const std::uint8_t> file);

// Files as this floor's encoders write them, judged by their headers alone and strictly: what another program wrote
// around the same pixels or samples is none of them.

/// A file of which the middle may be gone, as one that flows: its first bytes, its last ones, and how many there were.
struct FileEnds {
  static constexpr std::size_t kTailBytes = 8;

  FileEnds(std::span<const std::uint8_t> file) noexcept
      : head(file), tail(file.last(std::min(file.size(), kTailBytes))), num_bytes(file.size()) {}
  FileEnds(std::span<const std::uint8_t> first, std::span<const std::uint8_t> last, std::uint64_t size) noexcept
      : head(first), tail(last), num_bytes(size) {}

  std::span<const std::uint8_t> head;  ///< all of it, or enough for any header
  std::span<const std::uint8_t> tail;  ///< kTailBytes, or all of a shorter file
  std::uint64_t num_bytes = 0;
};

struct PictureSize {
  std::uint32_t width = 0;
  std::uint32_t height = 0;
};

/// As encode_tiff() writes it, to the byte.
std::optional<PictureSize> own_tiff_size(const FileEnds& file) noexcept;

/// A PNG of 8-bit RGB, not interlaced, without chunks of metadata, stored uncompressed.
std::optional<PictureSize> own_png_size(const FileEnds& file) noexcept;

/// A baseline JPEG as libjpeg writes it at `quality`, without metadata before the frame that would turn the picture.
std::optional<PictureSize> own_jpeg_size(const FileEnds& file, int quality) noexcept;

/// A WAV file's own words, whoever wrote it.
struct WavHeader {
  int format_tag = 0;  ///< 1: integers, 3: float; of an extensible header, that of its GUID
  int num_channels = 0;
  int sample_rate = 0;
  int bytes_per_frame = 0;  ///< of all channels
  int bits_per_sample = 0;
  std::uint64_t data_offset = 0;     ///< of the first sample
  std::uint64_t num_data_bytes = 0;  ///< as the header says, whatever the file holds

  std::uint64_t num_frames() const noexcept;  ///< samples per channel
};

/// Nothing if `file` does not begin with the whole header of a WAV file.
std::optional<WavHeader> parse_wav_header(std::span<const std::uint8_t> file) noexcept;

/// The header of a whole file as encode_wav() writes it; nothing for any other.
std::optional<WavHeader> own_wav_header(const FileEnds& file, SampleFormat format) noexcept;

/// A file of nothing but layer III frames of one channel and one rate.
struct OwnMp3 {
  int sample_rate = 0;
  std::uint64_t num_frames = 0;
  std::uint64_t samples_per_frame = 0;

  /// Whether encode_mp3() makes so many frames of `num_samples` samples.
  bool can_hold(std::uint64_t num_samples) const noexcept;
};

/// Goes through the frames of an MP3 file that comes in pieces; allocates nothing.
class OwnMp3Walk {
 public:
  void push(std::span<const std::uint8_t> piece) noexcept;
  /// Of the file so far: nothing where it is none of ours.
  std::optional<OwnMp3> result() const noexcept;

 private:
  void see_header() noexcept;

  OwnMp3 own_ = {};
  bool is_own_ = true;
  std::array<std::uint8_t, 4> header_ = {};
  std::size_t num_header_bytes_ = 0;  ///< of the next frame's header that are here
  std::uint64_t num_to_come_ = 0;     ///< bytes of the frame after its header
};
std::optional<OwnMp3> own_mp3(std::span<const std::uint8_t> file) noexcept;

}  // namespace byteformer::media
