// AIFF, AU, CAF and FLAC, as far as their containers tell; their samples are the module's work.
#include <algorithm>

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

}  // namespace byteformer::media
