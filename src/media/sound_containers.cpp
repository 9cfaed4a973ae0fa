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

/// Looks at samples that begin at `begin` and take as many bytes as the number of `num_bytes` bytes at `offset` says.
void look_at_samples(SoundFile& file, std::uint64_t offset, std::size_t num_bytes, std::uint64_t begin) {
  const std::uint64_t stated = base::big_endian(file.bytes, offset, num_bytes);
  const std::uint64_t found = sample_bytes(file, begin, stated);
  if (found != stated) patch(file, offset, found, num_bytes);
  refuse_another(file, begin + found);
}

}  // namespace

void look_at_aiff(SoundFile& file) {
  constexpr std::uint64_t kOffsetAndBlock = 8;  // before the samples, and counted with them
  for (std::uint64_t at = 12; base::has_bytes(file.bytes, at, 8);) {
    const std::uint64_t size = base::big_endian(file.bytes, at + 4, 4);
    if (base::has_tag(file.bytes, at, "SSND")) {
      const bool is_unknown = size <= kOffsetAndBlock && base::has_bytes(file.bytes, at + 8, kOffsetAndBlock + 1);
      const std::uint64_t found = sample_bytes(file, at + 8, is_unknown ? 0 : size);
      if (found != size) patch(file, at + 4, found, 4);
      return refuse_another(file, at + 8 + found);
    }
    at += 8 + size + size % 2;
  }
  throw_damaged(file, "it ends before its samples begin");
}

void look_at_caf(SoundFile& file) {
  for (std::uint64_t at = 8; base::has_bytes(file.bytes, at, 12);) {
    const std::uint64_t size = base::big_endian(file.bytes, at + 4, 8);
    if (base::has_tag(file.bytes, at, "data")) return look_at_samples(file, at + 4, 8, at + 12);
    if (size > file.bytes.size()) break;
    at += 12 + size;
  }
  throw_damaged(file, "it ends before its samples begin");
}

void look_at_au(SoundFile& file) {
  require_bytes(file, 24);
  look_at_samples(file, 8, 4, base::big_endian(file.bytes, 4, 4));
}

/// Its frames have no lengths that could be read here: the decoder says whether all are there.
void look_at_flac(SoundFile& file) {
  constexpr std::string_view kStart{"fLaC\0\0\0\x22", 8};  // and the length of the one block that must be first
  const std::size_t another = base::as_text(file.bytes).find(kStart, 1);
  if (another != std::string_view::npos) refuse_another(file, another);
}

}  // namespace byteformer::media
