// Ogg, as far as its pages tell; its samples are the module's work.
#include <array>

#include "base/bytes_io.hpp"
#include "media/decoding.hpp"

namespace byteformer::media {
namespace {

constexpr std::size_t kHeaderBytes = 27;
constexpr std::size_t kChecksumOffset = 22;

/// The checksum of an Ogg page, whose own field counts as zeros. \see RFC 3533, section 6
std::uint32_t ogg_checksum(std::span<const std::uint8_t> page) {
  static const auto table = [] {
    std::array<std::uint32_t, 256> out{};
    for (std::uint32_t i = 0; i < 256; ++i) {
      out[i] = i << 24;
      for (int bit = 0; bit < 8; ++bit) out[i] = out[i] << 1 ^ ((out[i] >> 31) * 0x04C11DB7);
    }
    return out;
  }();
  std::uint32_t checksum = 0;
  for (std::size_t i = 0; i < page.size(); ++i) {
    const bool is_own_field = i >= kChecksumOffset && i < kChecksumOffset + 4;
    checksum = checksum << 8 ^ table[checksum >> 24 ^ (is_own_field ? 0u : page[i])];
  }
  return checksum;
}

}  // namespace

/// Whole, undamaged pages up to the one that says it is the last. (libsndfile skips damaged pages, takes a sound that
/// was cut between two for a short one, and leaks memory where headers are missing.)
void check_ogg(const SoundFile& file) {
  std::uint64_t at = 0;
  bool is_last = false;
  while (at < file.bytes.size()) {
    if (!base::has_tag(file.bytes, at, "OggS")) throw_damaged(file, "no page begins at byte " + std::to_string(at));
    require_bytes(file, at + kHeaderBytes);
    const std::size_t num_segments = file.bytes[at + 26];
    std::uint64_t num_bytes = kHeaderBytes + num_segments;
    require_bytes(file, at + num_bytes);
    for (std::size_t i = 0; i < num_segments; ++i) num_bytes += file.bytes[at + kHeaderBytes + i];
    require_bytes(file, at + num_bytes);
    if (ogg_checksum(file.bytes.subspan(at, num_bytes)) != base::little_endian(file.bytes, at + kChecksumOffset, 4))
      throw_damaged(file, "the checksum of the page at byte " + std::to_string(at) + " is wrong");
    is_last = (file.bytes[at + 5] & 4) != 0;
    at += num_bytes;
  }
  if (!is_last) throw_damaged(file, "it ends too early: its last page is missing");
}

}  // namespace byteformer::media
