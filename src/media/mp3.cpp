// MP3, as far as its frame headers tell (ISO 11172-3 and 13818-3); its samples are the module's work.
#include <array>

#include "base/bytes_io.hpp"
#include "media/codecs.hpp"
#include "media/places.hpp"

namespace byteformer::media {
namespace {

using Bytes = std::span<const std::uint8_t>;

struct Frame {
  std::size_t num_bytes = 0;
  int sample_rate = 0;
  std::uint64_t num_samples = 0;
  bool is_mono = false;
};

/// The layer III frame whose header stands at `offset`; nothing if there is none.
std::optional<Frame> frame_at(Bytes file, std::uint64_t offset) noexcept {
  constexpr std::array<int, 15> kMpeg1Kbits{0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320};
  constexpr std::array<int, 15> kMpeg2Kbits{0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160};
  constexpr std::array<int, 3> kRates{44100, 48000, 32000};
  if (!base::has_bytes(file, offset, 4)) return std::nullopt;
  const Bytes header = file.subspan(offset, 4);
  if (header[0] != 0xFF || (header[1] & 0xE6) != 0xE2) return std::nullopt;  // in step, layer III
  const int version = header[1] >> 3 & 3;                                    // 3: MPEG 1; 2: MPEG 2; 0: MPEG 2.5
  const std::size_t bit_rate = header[2] >> 4;
  const std::size_t rate = header[2] >> 2 & 3;
  if (version == 1 || bit_rate == 0 || bit_rate == 15 || rate == 3) return std::nullopt;
  Frame frame;
  frame.sample_rate = kRates[rate] / (version == 3 ? 1 : version == 2 ? 2 : 4);
  frame.num_samples = version == 3 ? 1152 : 576;
  const int kbits = (version == 3 ? kMpeg1Kbits : kMpeg2Kbits)[bit_rate];
  const int padding = header[2] >> 1 & 1;
  frame.num_bytes =
      frame.num_samples / 8 * static_cast<std::size_t>(kbits) * 1000 / static_cast<std::size_t>(frame.sample_rate) +
      static_cast<std::size_t>(padding);
  frame.is_mono = header[3] >> 6 == 3;
  return frame;
}

/// Bytes of the ID3v2 tag before the first frame, as its header says.
std::uint64_t id3_bytes(Bytes file) noexcept {
  if (!base::has_tag(file, 0, "ID3") || file.size() < 10) return 0;
  std::uint64_t num_bytes = 0;
  for (std::size_t i = 6; i < 10; ++i) num_bytes = num_bytes << 7 | (file[i] & 0x7F);
  return num_bytes + ((file[5] & 0x10) != 0 ? 20 : 10);  // with a footer or without
}

/// Calls `see` with each frame and its offset until it returns false, the last one perhaps cut short.
/// \return where the frames end
template <typename See>
std::uint64_t for_each_frame(Bytes file, const See& see) {
  std::uint64_t at = id3_bytes(file);
  for (auto frame = frame_at(file, at); frame && see(*frame, at); frame = frame_at(file, at)) at += frame->num_bytes;
  return at;
}

}  // namespace

bool is_mp3(Bytes file) noexcept {
  if (base::has_tag(file, 0, "ID3")) return true;
  const auto first = frame_at(file, 0);
  return first && (file.size() < first->num_bytes + 4 || frame_at(file, first->num_bytes));
}

/// Whole frames up to the end; what follows the last frame is a tag or may be anything.
void check_mp3(const SoundFile& file) {
  require_bytes(file, id3_bytes(file.bytes));
  for_each_frame(file.bytes, [&](const Frame& frame, std::uint64_t at) {
    require_bytes(file, at + frame.num_bytes);
    return true;
  });
}

std::uint64_t mp3_samples(Bytes file) noexcept {
  std::uint64_t num_samples = 0;
  for_each_frame(file, [&](const Frame& frame, std::uint64_t) {
    num_samples += frame.num_samples;
    return true;
  });
  return num_samples;
}

FileBytes encode_mp3(const Sound& sound, std::optional<int> kbit_per_s) {
  return codecs().encode_mp3(sound, kbit_per_s);
}

bool OwnMp3::can_hold(std::uint64_t num_samples) const noexcept {
  const std::uint64_t filled = (num_samples + samples_per_frame - 1) / samples_per_frame;
  // LAME's delay needs two frames more at 576 samples per frame, one or two at 1152.
  return num_frames == filled + 2 || (samples_per_frame == 1152 && num_frames == filled + 1);
}

std::optional<OwnMp3> own_mp3(Bytes file) noexcept {
  const auto first = frame_at(file, 0);
  if (!first) return std::nullopt;
  OwnMp3 own{first->sample_rate, 0, first->num_samples};
  const std::uint64_t end = for_each_frame(file, [&](const Frame& frame, std::uint64_t at) {
    ++own.num_frames;
    return frame.is_mono && frame.sample_rate == own.sample_rate && base::has_bytes(file, at, frame.num_bytes);
  });
  return end == file.size() ? std::optional(own) : std::nullopt;
}

std::optional<SoundPlaces> mp3_places(Bytes file) {
  SoundPlaces places;
  for_each_frame(file, [&](const Frame& frame, std::uint64_t at) {
    if (!base::has_bytes(file, at, frame.num_bytes)) return false;
    places.samples_per_block = frame.num_samples;
    places.parts.push_back({{at, at + frame.num_bytes}, static_cast<std::uint32_t>(places.num_blocks++)});
    return true;
  });
  if (places.num_blocks == 0) return std::nullopt;
  return places;
}

}  // namespace byteformer::media
