// Puts the values of bytes along directions of the embedding, and filters over them into the convolution.
#include "plan/filter_bank.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>
#include <optional>

#include "base/random.hpp"
#include "byteformer/error.hpp"
#include "media/places.hpp"
#include "prepare/preprocess.hpp"

namespace byteformer::plan {
namespace {

using Kind = ByteNumbers::Kind;

constexpr double kNoise = 0.5;  // what is left of the published start
constexpr double kSoundGain = 4;
constexpr std::int64_t kLeastHiddenSize = 8;
constexpr std::uint64_t kStream = 0x4649'4C54;  // of random numbers

/// What a byte's value is. Each scale has a direction of the embedding to itself.
enum Scale { kUnsigned, kSigned, kFloatHigh, kNumScales };

/// Roughly in [-1, 1].
double value_of(std::uint8_t byte, Scale scale) {
  switch (scale) {
    case kUnsigned: return (byte - 127.5) / 127.5;  // also the lower byte of a number, in a unit of its own
    case kSigned: return (static_cast<std::int8_t>(byte) + 0.5) / 128;
    // Sign and the upper seven bits of the exponent, a factor of 4 each: about the square root of the number, since
    // the rest of the mantissa means nothing without them.
    case kFloatHigh: return (byte < 128 ? 1 : -1) * std::exp2(std::min(0, (byte & 127) - 63));
    case kNumScales: break;
  }
  return 0;
}

/// A byte of a number that filters read.
struct Digit {
  std::int64_t offset;
  Scale scale;
  double weight;
};

/// How a kind of number lies in its bytes; from the third byte on, a sample says nothing that can be heard.
struct Form {
  std::int64_t num_bytes;
  std::vector<Digit> digits;
};

Form form_of(Kind kind) {
  constexpr double kLower = 127.5 / 32768;
  switch (kind) {
    case Kind::kInt16: return {2, {{1, kSigned, 1}, {0, kUnsigned, kLower}}};
    case Kind::kInt32: return {4, {{3, kSigned, 1}, {2, kUnsigned, kLower}}};
    case Kind::kFloat32: return {4, {{3, kFloatHigh, 1}}};
    case Kind::kUint8:
    case Kind::kRgb:
    case Kind::kPlanes: break;
  }
  return {1, {{0, kUnsigned, 1}}};
}

using Filter = std::vector<double>;  // a tap per number

void normalise(Filter& filter) {
  double square = 0;
  for (const double tap : filter) square += tap * tap;
  for (double& tap : filter) tap /= std::sqrt(square);
}

/// Cosines and sines in turn, under a window.
Filter sound_filter(std::size_t channel, std::size_t num_channels, std::size_t length) {
  const auto pair = static_cast<double>(channel / 2), num_pairs = static_cast<double>((num_channels + 1) / 2);
  Filter filter(length);
  for (std::size_t i = 0; i < length; ++i) {
    const double t = (static_cast<double>(i) + 0.5) / static_cast<double>(length);
    const double phase = std::numbers::pi * (pair + 0.5) / num_pairs * static_cast<double>(length) * t;
    filter[i] = std::sin(std::numbers::pi * t) * (channel % 2 == 0 ? std::cos(phase) : std::sin(phase));
  }
  normalise(filter);
  for (double& tap : filter) tap *= kSoundGain;
  return filter;
}

/// Of the cosine transform. Fine detail is faint in pictures, so it is made stronger.
Filter wave(std::size_t frequency, std::size_t length) {
  Filter filter(length);
  for (std::size_t i = 0; i < length; ++i)
    filter[i] = std::cos(std::numbers::pi * static_cast<double>(frequency) * (static_cast<double>(i) + 0.5) /
                         static_cast<double>(length));
  normalise(filter);
  for (double& tap : filter) tap *= std::min(3.0, 0.5 + 0.25 * static_cast<double>(frequency));
  return filter;
}

/// Luminance and two colour differences, which are fainter in pictures, in turn. Zero for channels that are left over.
Filter pixel_filter(std::size_t channel, std::size_t length, std::size_t first_red) {
  constexpr double kColours[3][3] = {{1, 1, 1}, {1, -1, 0}, {1, 1, -2}};
  constexpr double kNorms[3] = {3, 2, 6};
  const std::size_t num_pixels = (length - first_red) / 3, colour = channel % 3;
  Filter filter(length);
  if (channel / 3 >= num_pixels) return filter;
  const Filter along_row = wave(channel / 3, num_pixels);
  for (std::size_t i = 0; i < 3 * num_pixels; ++i)
    filter[first_red + i] =
        along_row[i / 3] * kColours[colour][i % 3] / std::sqrt(kNorms[colour]) * (colour == 0 ? 1 : 2);
  return filter;
}

/// \param length numbers that a token sees
Filter filter_of(const ByteNumbers& numbers, std::size_t channel, std::size_t num_channels, std::size_t length) {
  switch (numbers.kind) {
    case Kind::kRgb: return pixel_filter(channel, length, static_cast<std::size_t>(numbers.first_byte % 3));
    case Kind::kPlanes: return channel < length ? wave(channel, length) : Filter(length);
    default: return sound_filter(channel, num_channels, length);
  }
}

using Direction = std::vector<double>;

/// What of `row`, whose elements lie `stride` apart, points along `direction`.
double along(const float* row, std::size_t stride, const Direction& direction) {
  double sum = 0;
  for (std::size_t i = 0; i < direction.size(); ++i) sum += direction[i] * static_cast<double>(row[i * stride]);
  return sum;
}

/// Orthogonal and of length 1; of the scales that are read.
std::array<Direction, kNumScales> directions_of(std::span<const ByteNumbers> numbers, std::size_t hidden_size,
                                                std::uint64_t seed) {
  std::array<Direction, kNumScales> directions;
  base::Random random(seed, kStream);
  for (const ByteNumbers& n : numbers)
    for (const Digit& digit : form_of(n.kind).digits) {
      Direction& direction = directions[digit.scale];
      if (!direction.empty()) continue;
      Direction drawn(hidden_size);
      for (double& x : drawn) x = random.normal();
      for (const Direction& other : directions) {
        double common = 0;
        for (std::size_t i = 0; i < other.size(); ++i) common += other[i] * drawn[i];
        for (std::size_t i = 0; i < other.size(); ++i) drawn[i] -= common * other[i];
      }
      normalise(drawn);
      direction = std::move(drawn);
    }
  return directions;
}

/// Leaves noise of half the size, in all directions but these.
void make_room(const std::array<Direction, kNumScales>& directions, std::size_t hidden_size, float* row,
               std::size_t stride) {
  for (const Direction& direction : directions) {
    const double length = direction.empty() ? 0 : along(row, stride, direction);
    for (std::size_t i = 0; i < direction.size(); ++i) row[i * stride] -= static_cast<float>(length * direction[i]);
  }
  for (std::size_t i = 0; i < hidden_size; ++i) row[i * stride] *= static_cast<float>(kNoise);
}

bool keeps_order(const bytes::Transforms& transforms) {
  return !transforms.pieces && !transforms.mask &&
         (!transforms.shuffle || transforms.shuffle->mode == bytes::ShuffleMode::kReverse);
}

std::optional<ByteNumbers> numbers_of(const prepare::Encoding& encoding) {
  const auto after = [](std::size_t num_bytes) { return static_cast<std::int64_t>(num_bytes); };
  switch (encoding.format) {
    case prepare::FileFormat::kFhwc: return ByteNumbers{Kind::kRgb};
    case prepare::FileFormat::kFchw: return ByteNumbers{Kind::kPlanes};
    case prepare::FileFormat::kTiff:
      return ByteNumbers{Kind::kRgb, after(media::encode_tiff({1, 1, {0, 0, 0}}).size() - 3)};
    case prepare::FileFormat::kWav: {
      constexpr Kind kKinds[] = {Kind::kFloat32, Kind::kInt32, Kind::kInt16, Kind::kUint8};
      return ByteNumbers{
          kKinds[static_cast<int>(encoding.sample_format)],
          after(media::parse_wav_header(media::encode_wav({8000, {0}}, encoding.sample_format))->data_offset)};
    }
    default: return {};  // compressed
  }
}

}  // namespace

std::string_view to_string(ByteNumbers::Kind kind) noexcept {
  switch (kind) {
    case Kind::kUint8: return "uint8 samples";
    case Kind::kInt16: return "int16 samples";
    case Kind::kInt32: return "int32 samples";
    case Kind::kFloat32: return "float32 samples";
    case Kind::kRgb: return "RGB pixels";
    case Kind::kPlanes: return "pixels in planes";
  }
  return "unknown";
}

std::vector<ByteNumbers> numbers_of(const format::ModelConfig& config) {
  std::vector<ByteNumbers> all;
  const prepare::Preprocess preprocess = prepare::parse_preprocess(config.preprocess, "the model: preprocess");
  const std::int64_t stride = config.conv_kernel_size / 2;
  if (stride == 0 || config.hidden_size < kLeastHiddenSize || !preprocess.transforms.permutations.empty()) return all;
  const auto add = [&](const prepare::Encoding& encoding) {
    std::optional<ByteNumbers> numbers = numbers_of(encoding);
    if (!numbers) return;
    const std::int64_t num_bytes = form_of(numbers->kind).num_bytes;
    if (stride % num_bytes != 0) return;
    if (preprocess.transforms.pieces || preprocess.transforms.shuffle || preprocess.transforms.mask) {
      if (num_bytes > 1) return;
      numbers->first_byte = 0;  // reversed, pixels come first
      numbers->are_in_order = keeps_order(preprocess.transforms);
    }
    if (numbers->kind == Kind::kRgb && stride % 3 != 0) numbers->kind = Kind::kPlanes;  // tokens start at any colour
    all.push_back(*numbers);
  };
  if (preprocess.image) add(preprocess.image->encoding);
  if (preprocess.sound) add(preprocess.sound->encoding);
  return all;
}

void start_as_filter_bank(const format::ModelConfig& config, std::uint64_t seed, std::span<float> embeddings,
                          std::span<float> convolution) {
  const std::vector<ByteNumbers> numbers = numbers_of(config);
  if (numbers.empty())
    throw Error(ErrorCode::kInvalidArgument, "bytes are no numbers here that a filter bank could read");
  const auto hidden = static_cast<std::size_t>(config.hidden_size);
  const auto kernel = static_cast<std::size_t>(config.conv_kernel_size);
  const std::array<Direction, kNumScales> directions = directions_of(numbers, hidden, seed);

  for (std::size_t byte = 0; byte < 256; ++byte) {
    float* const row = embeddings.data() + byte * hidden;
    make_room(directions, hidden, row, 1);
    for (int scale = 0; scale < kNumScales; ++scale) {
      const Direction& direction = directions[static_cast<std::size_t>(scale)];
      const double value = value_of(static_cast<std::uint8_t>(byte), static_cast<Scale>(scale));
      for (std::size_t i = 0; i < direction.size(); ++i) row[i] += static_cast<float>(value * direction[i]);
    }
  }

  for (std::size_t out = 0; out < hidden; ++out) {
    // A joint model's channels take turns.
    const ByteNumbers& n = numbers[out % numbers.size()];
    if (!n.are_in_order) continue;
    float* const of_channel = convolution.data() + out * hidden * kernel;
    for (std::size_t tap = 0; tap < kernel; ++tap) make_room(directions, hidden, of_channel + tap, kernel);
    const Form form = form_of(n.kind);
    const auto num_bytes = static_cast<std::size_t>(form.num_bytes);
    const std::size_t num_channels = (hidden + numbers.size() - 1) / numbers.size();
    const Filter filter = filter_of(n, out / numbers.size(), num_channels, kernel / num_bytes);
    for (const Digit& digit : form.digits) {
      const Direction& direction = directions[digit.scale];
      const std::size_t phase = static_cast<std::size_t>(n.first_byte + digit.offset) % num_bytes;
      for (std::size_t t = 0; t < filter.size(); ++t)
        for (std::size_t i = 0; i < hidden; ++i)
          of_channel[i * kernel + t * num_bytes + phase] += static_cast<float>(digit.weight * filter[t] * direction[i]);
    }
  }
}

}  // namespace byteformer::plan
