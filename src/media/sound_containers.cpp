// AIFF, AU and CAF, as far as their containers tell; their samples are the module's work.
#include "base/bytes_io.hpp"
#include "media/decoding.hpp"

namespace byteformer::media {
namespace {

constexpr std::uint64_t kUnknown = 0xFFFFFFFF;  // what a writer to a pipe leaves as a length

}  // namespace

void check_aiff(const SoundFile& file) {
  for (std::uint64_t at = 12; base::has_bytes(file.bytes, at, 8);) {
    const std::uint64_t size = base::big_endian(file.bytes, at + 4, 4);
    if (base::has_tag(file.bytes, at, "SSND")) {
      if (size != kUnknown) require_bytes(file, at + 8 + size);
      return;
    }
    at += 8 + size + size % 2;
  }
  throw_damaged(file, "it ends before its samples begin");
}

void check_caf(const SoundFile& file) {
  std::uint64_t at = 8;
  while (base::has_bytes(file.bytes, at, 12)) {
    const std::uint64_t size = base::big_endian(file.bytes, at + 4, 8);
    if (base::has_tag(file.bytes, at, "data")) {
      if (size != UINT64_MAX) require_bytes(file, size > file.bytes.size() ? size : at + 12 + size);
      return;
    }
    if (size > file.bytes.size()) break;
    at += 12 + size;
  }
  throw_damaged(file, "it ends before its samples begin");
}

void check_au(const SoundFile& file) {
  require_bytes(file, 24);
  const std::uint64_t size = base::big_endian(file.bytes, 8, 4);
  if (size != kUnknown) require_bytes(file, base::big_endian(file.bytes, 4, 4) + size);
}

}  // namespace byteformer::media
