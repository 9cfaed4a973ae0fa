// Where the pixels of a picture and the samples of a sound lie in the bytes of its file.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "byteformer/byte_range.hpp"

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

/// Raw pixels of a picture of this size: interleaved, or in three planes.
PicturePlaces fhwc_places(int width, int height);
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

}  // namespace byteformer::media
