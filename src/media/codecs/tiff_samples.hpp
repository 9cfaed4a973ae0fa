// What the samples of a TIFF mean, and their conversion to RGB over white: every depth, kind of number and colour space
// that is one sample per channel and pixel.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <vector>

namespace byteformer::media {

/// The meaning of one sample of a pixel.
enum class SampleRole {
  kNone,
  kGrey,
  kWhiteIsZero,
  kRed,
  kGreen,
  kBlue,
  kIndex,
  kCyan,
  kMagenta,
  kYellow,
  kBlack,
  kLightness,
  kRedness,
  kYellowness,
  kStraight,
  kPremultiplied
};

enum class SampleKind { kWhole, kSigned, kFloat };

struct TiffSamples {
  std::uint64_t bits = 0;         ///< per sample
  std::uint64_t num_samples = 0;  ///< per pixel
  bool is_planar = false;
  bool is_lab_signed = false;
  SampleKind kind = SampleKind::kWhole;
  std::vector<SampleRole> roles = {};  ///< of the samples of a pixel, up to the last that is used
  std::vector<std::array<std::uint16_t, 3>> palette = {};

  /// Converts `num_pixels` pixels of a row that begins at byte `begin` of each plane (of the only one, if they are
  /// interleaved), to RGB.
  void convert_row(const std::vector<std::vector<std::uint8_t>>& planes, std::uint64_t begin, std::uint32_t num_pixels,
                   std::uint8_t* to) const {
    const bool is_interleaved = planes.size() == 1;
    const std::uint64_t samples_apart = is_planar ? 1 : num_samples;
    for (std::uint64_t x = 0; x < num_pixels; ++x) {
      std::array<std::int64_t, 3> rgb{};
      for (std::size_t i = 0; i < roles.size(); ++i) {
        const std::uint8_t* row = planes[is_interleaved ? 0 : i].data() + begin;
        const std::uint64_t index = samples_apart == 1 ? x : x * samples_apart + i;
        if (roles[i] != SampleRole::kNone) apply(roles[i], sample(roles[i], row, index * bits), rgb);
      }
      for (const std::int64_t value : rgb) *to++ = static_cast<std::uint8_t>((value + 128) / 257);
    }
  }

 private:
  /// The sample of `bits` bits that begins at bit `bit` of `row`, as a number of its kind in 16 bits.
  std::uint16_t sample(SampleRole role, const std::uint8_t* row, std::uint64_t bit) const noexcept {
    const std::uint8_t* at = row + bit / 8;
    if (kind == SampleKind::kFloat) return from_float(at);
    std::uint64_t value = 0;
    if (bits == 8) {
      value = *at;
    } else if (bits == 16) {
      value = load<std::uint16_t>(at);
    } else if (bits == 32) {
      value = load<std::uint32_t>(at);
    } else {
      for (std::uint64_t i = bit; i < bit + bits; ++i) value = value << 1 | (row[i / 8] >> (7 - i % 8) & 1U);
    }
    if (role == SampleRole::kIndex) return static_cast<std::uint16_t>(value);
    const std::uint64_t max = (std::uint64_t{1} << bits) - 1;
    const bool is_signed = kind == SampleKind::kSigned ||
                           (is_lab_signed && (role == SampleRole::kRedness || role == SampleRole::kYellowness));
    if (is_signed) value ^= (max + 1) / 2;  // the lowest is black
    return static_cast<std::uint16_t>((value * 65535 + max / 2) / max);
  }

  template <typename T>
  static T load(const std::uint8_t* at) noexcept {
    T value;
    std::memcpy(&value, at, sizeof(T));
    return value;
  }

  /// Floats from 0 to 1, of 16, 24, 32 or 64 bits; what is no number is black.
  std::uint16_t from_float(const std::uint8_t* at) const noexcept {
    double value = 0;
    if (bits == 64) value = load<double>(at);
    if (bits == 32) value = load<float>(at);
    if (bits == 16 || bits == 24) {
      const bool is_half = bits == 16;
      std::uint32_t raw = load<std::uint16_t>(at);
      if (!is_half)
        raw = std::endian::native == std::endian::little ? raw | std::uint32_t{at[2]} << 16 : raw << 8 | at[2];
      const int fraction_bits = is_half ? 10 : 16, exponent_bits = is_half ? 5 : 7;
      const int bias = (1 << (exponent_bits - 1)) - 1;
      const int exponent = static_cast<int>(raw >> fraction_bits) & ((1 << exponent_bits) - 1);
      const double fraction = raw & ((1U << fraction_bits) - 1);
      if (raw >> (bits - 1) != 0) return 0;  // below zero
      value = exponent == 0 ? std::ldexp(fraction, 1 - bias - fraction_bits)
                            : std::ldexp(fraction + (1 << fraction_bits), exponent - bias - fraction_bits);
    }
    if (!(value > 0)) return 0;
    return static_cast<std::uint16_t>(std::lround(std::min(value, 1.0) * 65535));
  }

  /// sRGB of CIELab, whose white is white.
  std::array<std::int64_t, 3> from_lab(const std::array<std::int64_t, 3>& lab) const {
    const double unit = bits == 8 ? 257 : 256;  // of 16 bits, as TIFF 6.0 (section 23) counts a* and b*
    const double y = (static_cast<double>(lab[0]) / 655.35 + 16) / 116;
    const double x = y + (static_cast<double>(lab[1]) / unit - 128) / 500;
    const double z = y - (static_cast<double>(lab[2]) / unit - 128) / 200;
    const auto linear = [](double f) { return f > 6.0 / 29 ? f * f * f : (f - 16.0 / 116) * 108 / 841; };
    const std::array<double, 3> xyz{linear(x) * 0.95047, linear(y), linear(z) * 1.08883};  // D65
    constexpr std::array<std::array<double, 3>, 3> kToRgb{
        {{3.2404542, -1.5371385, -0.4985314}, {-0.9692660, 1.8760108, 0.0415560}, {0.0556434, -0.2040259, 1.0572252}}};
    std::array<std::int64_t, 3> rgb{};
    for (std::size_t c = 0; c < 3; ++c) {
      const double value = kToRgb[c][0] * xyz[0] + kToRgb[c][1] * xyz[1] + kToRgb[c][2] * xyz[2];
      const double shown = value <= 0.0031308 ? 12.92 * value : 1.055 * std::pow(value, 1 / 2.4) - 0.055;
      rgb[c] = std::lround(std::clamp(shown, 0.0, 1.0) * 65535);
    }
    return rgb;
  }

  /// What a sample means for the pixel, whose other samples came before it. All have 16 bits.
  void apply(SampleRole role, std::int64_t value, std::array<std::int64_t, 3>& rgb) const {
    constexpr std::int64_t kMax = 65535;
    const auto scaled = [](std::int64_t a, std::int64_t b) { return (a * b + kMax / 2) / kMax; };
    switch (role) {
      case SampleRole::kNone: break;
      case SampleRole::kGrey: rgb = {value, value, value}; break;
      case SampleRole::kWhiteIsZero: rgb = {kMax - value, kMax - value, kMax - value}; break;
      case SampleRole::kRed: rgb[0] = value; break;
      case SampleRole::kGreen: rgb[1] = value; break;
      case SampleRole::kBlue: rgb[2] = value; break;
      case SampleRole::kIndex:
        for (std::size_t c = 0; c < 3; ++c) rgb[c] = palette[static_cast<std::size_t>(value)][c];
        break;
      case SampleRole::kCyan: rgb[0] = kMax - value; break;
      case SampleRole::kMagenta: rgb[1] = kMax - value; break;
      case SampleRole::kYellow: rgb[2] = kMax - value; break;
      case SampleRole::kBlack:
        for (std::int64_t& colour : rgb) colour = scaled(colour, kMax - value);
        break;
      case SampleRole::kLightness: rgb[0] = value; break;
      case SampleRole::kRedness: rgb[1] = value; break;
      case SampleRole::kYellowness:
        rgb[2] = value;
        rgb = from_lab(rgb);
        break;
      case SampleRole::kStraight:
        for (std::int64_t& colour : rgb) colour = scaled(colour, value) + kMax - value;
        break;
      case SampleRole::kPremultiplied:
        for (std::int64_t& colour : rgb) colour = std::min(colour + kMax - value, kMax);
        break;
    }
  }
};

}  // namespace byteformer::media
