// WAV as the published pipeline writes it: the headers of each sample format, and its float32 arithmetic.
#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>

#include "byteformer/error.hpp"
#include "media/byte_writer.hpp"
#include "media/published_samples.hpp"
#include "media/sound_encoders.hpp"

namespace byteformer::media {
namespace {

constexpr std::uint32_t kPcm = 1;
constexpr std::uint32_t kIeeeFloat = 3;
constexpr std::uint32_t kExtensible = 0xFFFE;
constexpr std::uint32_t kFrontCentre = 4;
constexpr std::size_t kMaxSamplesInWav = (std::numeric_limits<std::uint32_t>::max() - 128) / 4;

/// What the headers say of each sample format.
struct Layout {
  std::uint32_t tag;
  int sample_bytes;
  std::uint32_t format_chunk_bytes;
};

Layout layout_of(SampleFormat format) {
  switch (format) {
    case SampleFormat::kFloat32: return {kIeeeFloat, 4, 18};
    case SampleFormat::kInt32: return {kExtensible, 4, 40};
    case SampleFormat::kInt16: return {kPcm, 2, 16};
    case SampleFormat::kUint8: return {kPcm, 1, 16};
  }
  throw Error(ErrorCode::kInternal, "no such sample format");
}

void append_extension(FileBytes& out, const Layout& layout) {
  if (layout.format_chunk_bytes == 18) append_little_endian(out, 0, 2);
  if (layout.format_chunk_bytes != 40) return;
  append_little_endian(out, 22, 2);
  append_little_endian(out, 32, 2);  // valid bits
  append_little_endian(out, kFrontCentre, 4);
  append_little_endian(out, kPcm, 4);  // a GUID that begins with the tag
  append_text(out, {"\x00\x00\x10\x00\x80\x00\x00\xAA\x00\x38\x9B\x71", 12});
}

void append_headers(FileBytes& out, const Layout& layout, std::uint32_t sample_rate, std::uint32_t num_samples) {
  const auto sample_bytes = static_cast<std::uint32_t>(layout.sample_bytes);
  const bool has_fact = layout.format_chunk_bytes > 16;
  const std::uint32_t data_bytes = num_samples * sample_bytes;
  append_text(out, "RIFF");
  append_little_endian(out, 4 + 8 + layout.format_chunk_bytes + (has_fact ? 12 : 0) + 8 + data_bytes + data_bytes % 2,
                       4);
  append_text(out, "WAVEfmt ");
  append_little_endian(out, layout.format_chunk_bytes, 4);
  append_little_endian(out, layout.tag, 2);
  append_little_endian(out, 1, 2);  // channels
  append_little_endian(out, sample_rate, 4);
  append_little_endian(out, sample_rate * sample_bytes, 4);
  append_little_endian(out, sample_bytes, 2);
  append_little_endian(out, sample_bytes * 8, 2);
  append_extension(out, layout);
  if (has_fact) {
    append_text(out, "fact");
    append_little_endian(out, 4, 4);
    append_little_endian(out, num_samples, 4);
  }
  append_text(out, "data");
  append_little_endian(out, data_bytes, 4);
}

std::uint32_t int32_bits(float x) noexcept {
  const float scaled = saturated(x) * 2147483648.0f;
  if (scaled >= 2147483648.0f) return std::numeric_limits<std::int32_t>::max();
  return static_cast<std::uint32_t>(static_cast<std::int32_t>(scaled));
}

std::uint32_t sample_bits(float x, SampleFormat format) noexcept {
  switch (format) {
    case SampleFormat::kFloat32: return std::bit_cast<std::uint32_t>(published_float(x));
    case SampleFormat::kInt32: return int32_bits(x);
    case SampleFormat::kInt16: return static_cast<std::uint32_t>(static_cast<std::int32_t>(saturated(x) * 32767.0f));
    case SampleFormat::kUint8: return static_cast<std::uint32_t>((saturated(x) + 1.0f) * 255.0f / 2.0f);
  }
  return 0;
}

}  // namespace

std::string_view to_string(SampleFormat format) noexcept {
  switch (format) {
    case SampleFormat::kFloat32: return "float32";
    case SampleFormat::kInt32: return "int32";
    case SampleFormat::kInt16: return "int16";
    case SampleFormat::kUint8: return "uint8";
  }
  return "unknown";
}

SampleFormat parse_sample_format(std::string_view name) {
  for (const auto format : {SampleFormat::kFloat32, SampleFormat::kInt32, SampleFormat::kInt16, SampleFormat::kUint8})
    if (to_string(format) == name) return format;
  throw Error(ErrorCode::kInvalidArgument,
              "sample format \"" + std::string(name) + "\": expected float32, int32, int16 or uint8");
}

FileBytes encode_wav(const Sound& sound, SampleFormat format) {
  if (sound.samples.size() > kMaxSamplesInWav)
    throw Error(ErrorCode::kInvalidArgument, "cannot encode as WAV: too long for its 32-bit lengths");
  const Layout layout = layout_of(format);
  FileBytes out;
  out.reserve(80 + sound.samples.size() * static_cast<std::size_t>(layout.sample_bytes) + 1);
  append_headers(out, layout, static_cast<std::uint32_t>(sound.sample_rate),
                 static_cast<std::uint32_t>(sound.samples.size()));
  for (const float x : sound.samples) append_little_endian(out, sample_bits(x, format), layout.sample_bytes);
  if (out.size() % 2 != 0) out.push_back(0);  // every header has an even length
  return out;
}

}  // namespace byteformer::media
