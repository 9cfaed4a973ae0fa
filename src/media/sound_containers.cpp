// AIFF, AU, CAF, FLAC and Ogg, as far as their containers tell; their samples are the module's work.
#include <algorithm>
#include <array>
#include <numeric>

#include "base/bytes_io.hpp"
#include "media/decoding.hpp"

namespace byteformer::media {
namespace {

/// Has the number of `num_bytes` bytes at `offset` read as `value`.
void patch(SoundFile& file, std::uint64_t offset, std::uint64_t value, std::size_t num_bytes) {
  file.patches.push_back({offset, {}});
  base::append_big_endian(file.patches.back().bytes, value, num_bytes);
}

/// Looks at the chunk of the samples, whose size is the number of `num_bytes` bytes at `at`. Who could not go back
/// wrote one of `num_before` bytes, which stand before the samples.
void look_at_chunk(SoundFile& file, std::uint64_t at, std::uint64_t size, std::size_t num_bytes,
                   std::uint64_t num_before) {
  const std::uint64_t begin = at + num_bytes;
  const bool is_unknown = size <= num_before && base::has_bytes(file.bytes, begin, num_before + 1);
  const std::uint64_t found = sample_bytes(file, begin, is_unknown ? 0 : size);
  if (found != size) patch(file, at, found, num_bytes);
  refuse_another(file, begin + found);
}

}  // namespace

void look_at_aiff(SoundFile& file) {
  constexpr std::uint64_t kOffsetAndBlock = 8;  // before the samples, and counted with them
  for (std::uint64_t at = 12; base::has_bytes(file.bytes, at, 8);) {
    const std::uint64_t size = base::big_endian(file.bytes, at + 4, 4);
    if (base::has_tag(file.bytes, at, "SSND")) return look_at_chunk(file, at + 4, size, 4, kOffsetAndBlock);
    at += 8 + size + size % 2;
  }
  throw_damaged(file, "it ends before its samples begin");
}

void look_at_caf(SoundFile& file) {
  constexpr std::uint64_t kEditCount = 4;
  for (std::uint64_t at = 8; base::has_bytes(file.bytes, at, 12);) {
    const std::uint64_t size = base::big_endian(file.bytes, at + 4, 8);
    if (base::has_tag(file.bytes, at, "data")) return look_at_chunk(file, at + 4, size, 8, kEditCount);
    if (size > file.bytes.size()) break;
    at += 12 + size;
  }
  throw_damaged(file, "it ends before its samples begin");
}

void look_at_au(SoundFile& file) {
  require_bytes(file, 24);
  const bool is_little_endian = base::has_tag(file.bytes, 0, "dns.");
  const auto number = [&](std::uint64_t at) {
    return is_little_endian ? base::little_endian(file.bytes, at, 4) : base::big_endian(file.bytes, at, 4);
  };
  const std::uint64_t begin = number(4), stated = number(8);
  const std::uint64_t found = sample_bytes(file, begin, stated);
  if (found != stated) {
    patch(file, 8, found, 4);
    if (is_little_endian) std::ranges::reverse(file.patches.back().bytes);
  }
  refuse_another(file, begin + found);
}

/// Its frames have no lengths that could be read here: the decoder says whether all are there.
void look_at_flac(SoundFile& file) {
  constexpr std::string_view kStart{"fLaC\0\0\0\x22", 8};  // and the length of the one block that must be first
  const std::size_t another = base::as_text(file.bytes).find(kStart, 1);
  if (another != std::string_view::npos) refuse_another(file, another);
}

namespace {

constexpr std::size_t kPageHeaderBytes = 27;
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

/// FLAC in Ogg without the pages around it, which libsndfile does not read as others write them: behind nine bytes of
/// its own the first packet is the start of a FLAC file, and all others are what follows there.
std::vector<std::uint8_t> unwrapped_flac(std::span<const std::uint8_t> stream) {
  constexpr std::size_t kOwnBytes = 9;
  std::vector<std::uint8_t> flac;
  for (std::size_t at = 0; at < stream.size(); at = behind_tags(stream, at)) {
    const std::size_t num_segments = stream[at + 26];
    const auto segments = stream.subspan(at + kPageHeaderBytes, num_segments);
    const std::size_t num_bytes = std::accumulate(segments.begin(), segments.end(), std::size_t{0});
    const auto body = stream.subspan(at + kPageHeaderBytes + num_segments, num_bytes);
    const auto kept = body.subspan(at == 0 ? std::min(kOwnBytes, num_bytes) : 0);
    flac.insert(flac.end(), kept.begin(), kept.end());
    at += kPageHeaderBytes + num_segments + num_bytes;
  }
  return flac;
}

/// Adds a stream to the parts of the file.
void add_part(SoundFile& file, std::span<const std::uint8_t> stream) {
  constexpr std::string_view kFlac = "\177FLAC";
  if (base::has_tag(stream, kPageHeaderBytes + stream[26], kFlac)) {
    file.memory.push_back(memory_for(stream.size()));
    stream = file.unwrapped.emplace_back(unwrapped_flac(stream));
  }
  file.parts.push_back(stream);
}

}  // namespace

/// Whole, undamaged pages up to the one that says it is the last. (libsndfile skips damaged pages, takes a sound that
/// was cut between two for a short one, and leaks memory where headers are missing.) Streams that follow one another
/// are parts.
void look_at_ogg(SoundFile& file) {
  constexpr std::uint8_t kFirst = 2, kLast = 4;
  const std::span<const std::uint8_t> bytes = file.bytes;
  std::uint64_t at = 0, begin = 0, end = 0;  // of a page; of a part
  bool is_last = false, was_first = true;
  while (at < bytes.size()) {
    if (!base::has_tag(bytes, at, "OggS")) {
      const std::uint64_t next = behind_tags(bytes, at);
      if (next == bytes.size()) break;
      if (!base::has_tag(bytes, next, "OggS")) throw_damaged(file, "no page begins at byte ", at);
      at = next;
    }
    require_bytes(file, at + kPageHeaderBytes);
    const std::size_t num_segments = bytes[at + 26];
    std::uint64_t num_bytes = kPageHeaderBytes + num_segments;
    require_bytes(file, at + num_bytes);
    for (std::size_t i = 0; i < num_segments; ++i) num_bytes += bytes[at + kPageHeaderBytes + i];
    require_bytes(file, at + num_bytes);
    if (ogg_checksum(bytes.subspan(at, num_bytes)) != base::little_endian(bytes, at + kChecksumOffset, 4))
      throw_damaged(file, "the checksum of the page at byte ", at, " is wrong");
    const bool is_first = (bytes[at + 5] & kFirst) != 0;
    if (is_first && !was_first) {
      add_part(file, bytes.subspan(begin, end - begin));
      begin = at;
    }
    was_first = is_first;
    is_last = (bytes[at + 5] & kLast) != 0;
    end = at += num_bytes;
  }
  if (!is_last) throw_damaged(file, "it ends too early: its last page is missing");
  add_part(file, bytes.subspan(begin, end - begin));
}

}  // namespace byteformer::media
