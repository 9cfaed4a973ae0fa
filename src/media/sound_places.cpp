// Places in sounds: the samples of a WAV file, the frames of an MP3.
#include <algorithm>

#include "media/byte_reader.hpp"
#include "media/mp3_frames.hpp"
#include "media/places.hpp"

namespace byteformer::media {
namespace {

constexpr std::uint64_t kPcm = 1, kIeeeFloat = 3, kExtensible = 0xFFFE;

SoundPlaces samples(std::uint64_t begin, std::uint64_t end, std::uint64_t sample_bytes) {
  SoundPlaces places{.samples_per_block = 1, .num_blocks = (end - begin) / sample_bytes};
  for (std::uint32_t i = 0; i < places.num_blocks; ++i)
    places.parts.push_back({{begin + i * sample_bytes, begin + (i + 1) * sample_bytes}, i});
  return places;
}

/// Bytes before the first frame.
std::uint64_t id3_bytes(std::span<const std::uint8_t> file) {
  if (!has_tag(file, 0, "ID3") || !has_bytes(file, 0, 10)) return 0;
  std::uint64_t size = 0;
  for (std::size_t i = 6; i < 10; ++i) size = size << 7 | (file[i] & 0x7F);
  return size + ((file[5] & 0x10) != 0 ? 20 : 10);
}

}  // namespace

std::optional<SoundPlaces> wav_places(std::span<const std::uint8_t> file) {
  if (!has_tag(file, 0, "RIFF") || !has_tag(file, 8, "WAVE")) return std::nullopt;
  std::uint64_t sample_bytes = 0;  // of all channels
  for (std::uint64_t at = 12; has_bytes(file, at, 8);) {
    const std::uint64_t size = little_endian(file, at + 4, 4);
    if (has_tag(file, at, "fmt ") && has_bytes(file, at + 8, 16)) {
      const std::uint64_t tag = little_endian(file, at + 8, 2);
      if (tag != kPcm && tag != kIeeeFloat && tag != kExtensible) return std::nullopt;
      sample_bytes = little_endian(file, at + 20, 2);
    }
    if (has_tag(file, at, "data")) {
      if (sample_bytes == 0) return std::nullopt;
      return samples(at + 8, std::min<std::uint64_t>(file.size(), at + 8 + size), sample_bytes);
    }
    at += 8 + size + size % 2;
  }
  return std::nullopt;
}

std::optional<SoundPlaces> mp3_places(std::span<const std::uint8_t> file) {
  SoundPlaces places;
  for (std::uint64_t at = id3_bytes(file); at < file.size();) {
    const auto frame_bytes = mp3_frame_bytes(file.subspan(at));
    if (!frame_bytes || !has_bytes(file, at, *frame_bytes)) break;
    const bool is_mpeg1 = (file[at + 1] & 0x08) != 0;
    places.samples_per_block = is_mpeg1 ? 1152 : 576;
    places.parts.push_back({{at, at + *frame_bytes}, static_cast<std::uint32_t>(places.num_blocks++)});
    at += *frame_bytes;
  }
  if (places.num_blocks == 0) return std::nullopt;
  return places;
}

}  // namespace byteformer::media
