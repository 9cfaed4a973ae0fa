// Lengths of MP3 frames by ISO 11172-3 and 13818-3.
#include <array>

#include "media/mp3_frames.hpp"

namespace byteformer::media {

std::optional<std::size_t> mp3_frame_bytes(std::span<const std::uint8_t> bytes) noexcept {
  constexpr std::array<std::size_t, 15> kMpeg1Kbits{0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320};
  constexpr std::array<std::size_t, 15> kMpeg2Kbits{0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160};
  constexpr std::array<std::size_t, 3> kRates{44100, 48000, 32000};
  if (bytes.size() < 4 || bytes[0] != 0xFF || (bytes[1] & 0xE6) != 0xE2) return std::nullopt;  // in step, layer III
  const unsigned version = bytes[1] >> 3 & 3;  // 3: MPEG 1; 2: MPEG 2; 0: MPEG 2.5
  const std::size_t bit_rate = bytes[2] >> 4;
  const std::size_t rate = bytes[2] >> 2 & 3;
  if (version == 1 || bit_rate == 0 || bit_rate == 15 || rate == 3) return std::nullopt;
  const std::size_t padding = bytes[2] >> 1 & 1;
  if (version == 3) return 144'000 * kMpeg1Kbits[bit_rate] / kRates[rate] + padding;
  return 72'000 * kMpeg2Kbits[bit_rate] / (kRates[rate] / (version == 2 ? 2 : 4)) + padding;
}

}  // namespace byteformer::media
