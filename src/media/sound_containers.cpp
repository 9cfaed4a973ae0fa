// Whether a sound file has all the bytes that its containers promise.
#include <algorithm>
#include <array>

#include "media/byte_reader.hpp"
#include "media/mp3_frames.hpp"
#include "media/sound_file.hpp"

namespace byteformer::media {
namespace {

constexpr std::uint64_t kUnknown32 = 0xFFFFFFFF;  // what a writer to a pipe leaves as a length
constexpr std::size_t kOggHeaderBytes = 27;
constexpr std::size_t kOggChecksumOffset = 22;

void require(const SoundFile& file, std::uint64_t needed) {
  if (needed > file.bytes.size())
    throw_damaged(file,
                  "it ends too early: " + std::to_string(file.bytes.size()) + " bytes of " + std::to_string(needed));
}

/// RIFF and IFF: walks the chunks to the one with the samples.
void check_chunks(const SoundFile& file, bool is_little_endian, std::string_view samples_tag) {
  std::uint64_t at = 12;
  while (at + 8 <= file.bytes.size()) {
    const std::uint64_t size =
        is_little_endian ? little_endian(file.bytes, at + 4, 4) : big_endian(file.bytes, at + 4, 4);
    if (has_tag(file.bytes, at, samples_tag)) {
      if (size != kUnknown32) require(file, at + 8 + size);
      return;
    }
    at += 8 + size + size % 2;
  }
  throw_damaged(file, "it ends before its samples begin");
}

void check_caf(const SoundFile& file) {
  std::uint64_t at = 8;
  while (at + 12 <= file.bytes.size()) {
    const std::uint64_t size = big_endian(file.bytes, at + 4, 8);
    if (has_tag(file.bytes, at, "data")) {
      if (size != UINT64_MAX) require(file, size > file.bytes.size() ? size : at + 12 + size);
      return;
    }
    if (size > file.bytes.size()) break;
    at += 12 + size;
  }
  throw_damaged(file, "it ends before its samples begin");
}

void check_au(const SoundFile& file) {
  require(file, 24);
  const std::uint64_t size = big_endian(file.bytes, 8, 4);
  if (size != kUnknown32) require(file, big_endian(file.bytes, 4, 4) + size);
}

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
    const bool is_own_field = i >= kOggChecksumOffset && i < kOggChecksumOffset + 4;
    checksum = checksum << 8 ^ table[checksum >> 24 ^ (is_own_field ? 0u : page[i])];
  }
  return checksum;
}

/// Whole, undamaged pages up to the one that says it is the last. (libsndfile skips damaged pages, takes a sound that
/// was cut between two for a short one, and leaks memory where headers are missing.)
void check_ogg(const SoundFile& file) {
  std::uint64_t at = 0;
  bool is_last = false;
  while (at < file.bytes.size()) {
    if (!has_tag(file.bytes, at, "OggS")) throw_damaged(file, "no page begins at byte " + std::to_string(at));
    require(file, at + kOggHeaderBytes);
    const std::size_t num_segments = file.bytes[at + 26];
    std::uint64_t num_bytes = kOggHeaderBytes + num_segments;
    require(file, at + num_bytes);
    for (std::size_t i = 0; i < num_segments; ++i) num_bytes += file.bytes[at + kOggHeaderBytes + i];
    require(file, at + num_bytes);
    if (ogg_checksum(file.bytes.subspan(at, num_bytes)) != little_endian(file.bytes, at + kOggChecksumOffset, 4))
      throw_damaged(file, "the checksum of the page at byte " + std::to_string(at) + " is wrong");
    is_last = (file.bytes[at + 5] & 4) != 0;
    at += num_bytes;
  }
  if (!is_last) throw_damaged(file, "it ends too early: its last page is missing");
}

/// Whole frames up to the end; what follows the last frame is a tag or may be anything.
void check_mp3(const SoundFile& file) {
  std::uint64_t at = 0;
  if (has_tag(file.bytes, 0, "ID3")) {
    require(file, 10);
    for (std::size_t i = 6; i < 10; ++i) at = at << 7 | (file.bytes[i] & 0x7F);
    at += (file.bytes[5] & 0x10) != 0 ? 20 : 10;  // with a footer or without
    require(file, at);
  }
  while (at < file.bytes.size()) {
    const auto frame_bytes = mp3_frame_bytes(file.bytes.subspan(at));
    if (!frame_bytes) return;
    require(file, at + *frame_bytes);
    at += *frame_bytes;
  }
}

}  // namespace

void check_complete(const SoundFile& file) {
  if (has_tag(file.bytes, 0, "RIFF")) check_chunks(file, true, "data");
  if (has_tag(file.bytes, 0, "RIFX")) check_chunks(file, false, "data");
  if (file.kind == "aiff") check_chunks(file, false, "SSND");
  if (file.kind == "caf") check_caf(file);
  if (file.kind == "au") check_au(file);
  if (file.kind == "ogg") check_ogg(file);
  if (file.kind == "mp3") check_mp3(file);
}

}  // namespace byteformer::media
