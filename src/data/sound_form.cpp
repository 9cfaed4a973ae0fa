// Reading the headers of WAV and MP3 files.
#include "data/sound_form.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <string_view>

namespace byteformer::data {
namespace {

using Bytes = std::span<const std::uint8_t>;

bool has(Bytes file, std::size_t offset, std::string_view text) noexcept {
  return offset <= file.size() && text.size() <= file.size() - offset &&
         std::ranges::equal(file.subspan(offset, text.size()), text, {}, {}, [](char c) { return std::uint8_t(c); });
}

std::uint32_t little_endian(Bytes file, std::size_t offset, int num_bytes) noexcept {
  std::uint32_t value = 0;
  for (int i = num_bytes - 1; i >= 0; --i) value = value << 8 | file[offset + i];
  return value;
}

/// A `fmt ` chunk, of which `body` is the content.
std::optional<WavHeader> parse_format(Bytes body) noexcept {
  constexpr int kExtensible = 0xFFFE;
  if (body.size() < 16) return std::nullopt;
  WavHeader header;
  header.format_tag = static_cast<int>(little_endian(body, 0, 2));
  header.num_channels = static_cast<int>(little_endian(body, 2, 2));
  header.sample_rate = static_cast<int>(little_endian(body, 4, 4) & 0x7FFFFFFF);
  header.bits_per_sample = static_cast<int>(little_endian(body, 14, 2));
  if (header.format_tag == kExtensible && body.size() >= 26)
    header.format_tag = static_cast<int>(little_endian(body, 24, 2));
  return header;
}

struct WavForm {
  int format_tag;
  int bits_per_sample;
  std::uint64_t data_offset;
};

WavForm wav_form(media::SampleFormat format) noexcept {
  switch (format) {
    case media::SampleFormat::kFloat32: return {3, 32, 58};
    case media::SampleFormat::kInt32: return {1, 32, 80};
    case media::SampleFormat::kInt16: return {1, 16, 44};
    case media::SampleFormat::kUint8: break;
  }
  return {1, 8, 44};
}

bool has_length(std::uint64_t samples, int sample_rate, const SoundPreparation& preparation) noexcept {
  if (preparation.sample_rate && *preparation.sample_rate != sample_rate) return false;
  return !preparation.duration_s || num_samples(*preparation.duration_s, sample_rate) == samples;
}

bool is_wav_in_form(Bytes file, const SoundPreparation& preparation) noexcept {
  const auto header = parse_wav_header(file);
  const WavForm form = wav_form(preparation.encoding.sample_format);
  if (!header || header->num_channels != 1 || header->format_tag != form.format_tag ||
      header->bits_per_sample != form.bits_per_sample || header->data_offset != form.data_offset)
    return false;
  const std::uint64_t whole = header->data_offset + header->num_data_bytes + header->num_data_bytes % 2;
  return whole == file.size() && has_length(header->num_frames(), header->sample_rate, preparation);
}

struct MpegFrame {
  std::size_t num_bytes = 0;
  int sample_rate = 0;
  int num_samples = 0;
  bool is_mono = false;
};

/// The header of a layer III frame at `offset`.
std::optional<MpegFrame> parse_frame(Bytes file, std::size_t offset) noexcept {
  constexpr std::array<int, 16> kBitRates1 = {0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 0};
  constexpr std::array<int, 16> kBitRates2 = {0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160, 0};
  constexpr std::array<int, 3> kSampleRates = {44'100, 48'000, 32'000};
  if (offset > file.size() || file.size() - offset < 4) return std::nullopt;
  if (file[offset] != 0xFF || (file[offset + 1] & 0xE0) != 0xE0) return std::nullopt;
  const int version = file[offset + 1] >> 3 & 3;  // 3: MPEG 1, 2: MPEG 2, 0: MPEG 2.5
  const int layer = file[offset + 1] >> 1 & 3;    // 1: layer III
  const int bit_rate_index = file[offset + 2] >> 4;
  const int sample_rate_index = file[offset + 2] >> 2 & 3;
  const int padding = file[offset + 2] >> 1 & 1;
  const int kbits = (version == 3 ? kBitRates1 : kBitRates2)[bit_rate_index];
  if (version == 1 || layer != 1 || sample_rate_index == 3 || kbits == 0) return std::nullopt;
  MpegFrame frame;
  frame.sample_rate = kSampleRates[sample_rate_index] / (version == 3 ? 1 : version == 2 ? 2 : 4);
  frame.num_samples = version == 3 ? 1152 : 576;
  frame.num_bytes = static_cast<std::size_t>(frame.num_samples / 8 * kbits * 1000 / frame.sample_rate + padding);
  frame.is_mono = file[offset + 3] >> 6 == 3;
  return frame;
}

bool is_mp3_in_form(Bytes file, const SoundPreparation& preparation) noexcept {
  const auto first = parse_frame(file, 0);
  if (!first || !first->is_mono || (preparation.sample_rate && *preparation.sample_rate != first->sample_rate))
    return false;
  std::uint64_t num_frames = 0;
  for (std::size_t offset = 0; offset < file.size(); ++num_frames) {
    const auto frame = parse_frame(file, offset);
    if (!frame || frame->num_bytes > file.size() - offset || !frame->is_mono ||
        frame->sample_rate != first->sample_rate)
      return false;
    offset += frame->num_bytes;
  }
  if (!preparation.duration_s) return true;
  const std::uint64_t wanted = num_samples(*preparation.duration_s, first->sample_rate);
  const auto per_frame = static_cast<std::uint64_t>(first->num_samples);
  const std::uint64_t filled = (wanted + per_frame - 1) / per_frame;
  // LAME's delay needs two frames more at 576 samples a frame, one or two at 1152.
  return num_frames == filled + 2 || (per_frame == 1152 && num_frames == filled + 1);
}

}  // namespace

std::uint64_t WavHeader::num_frames() const noexcept {
  const auto bytes_per_frame = static_cast<std::uint64_t>((bits_per_sample + 7) / 8) * num_channels;
  return bytes_per_frame == 0 ? 0 : num_data_bytes / bytes_per_frame;
}

std::optional<WavHeader> parse_wav_header(Bytes file) noexcept {
  if (!has(file, 0, "RIFF") || !has(file, 8, "WAVE")) return std::nullopt;
  std::optional<WavHeader> header;
  for (std::uint64_t offset = 12; offset + 8 <= file.size();) {
    const std::uint64_t num_bytes = little_endian(file, offset + 4, 4);
    const std::uint64_t body = offset + 8;
    if (has(file, offset, "data")) {
      if (!header) return std::nullopt;
      header->data_offset = body;
      header->num_data_bytes = num_bytes;
      return header;
    }
    if (body + num_bytes > file.size()) return std::nullopt;
    if (has(file, offset, "fmt ")) {
      header = parse_format(file.subspan(body, num_bytes));
      if (!header) return std::nullopt;
    }
    offset = body + num_bytes + num_bytes % 2;
  }
  return std::nullopt;
}

std::size_t num_samples(double duration_s, int sample_rate) noexcept {
  return static_cast<std::size_t>(std::llround(duration_s * sample_rate));
}

bool is_in_form(Bytes file, const SoundPreparation& preparation) noexcept {
  switch (preparation.encoding.format) {
    case FileFormat::kWav: return is_wav_in_form(file, preparation);
    case FileFormat::kMp3: return is_mp3_in_form(file, preparation);
    default: return false;
  }
}

}  // namespace byteformer::data
