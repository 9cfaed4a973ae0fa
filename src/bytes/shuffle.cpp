// Reorders a file's bytes in place.
#include "bytes/shuffle.hpp"

#include <algorithm>
#include <array>
#include <string>

#include "base/randperm.hpp"
#include "byteformer/error.hpp"

namespace byteformer::bytes {
namespace {

constexpr std::array<std::string_view, 5> kModes = {"reverse", "cyclic_half_length", "stride", "window_shuffle",
                                                    "random_shuffle"};

void take_strides(std::span<std::uint8_t> file, std::size_t n) {
  const std::vector<std::uint8_t> in(file.begin(), file.end());
  auto out = file.begin();
  for (std::size_t first = 0; first < std::min(n, in.size()); ++first)
    for (std::size_t i = first; i < in.size(); i += n) *out++ = in[i];
}

}  // namespace

std::string_view to_string(ShuffleMode mode) noexcept { return kModes[static_cast<std::size_t>(mode)]; }

ShuffleMode parse_shuffle_mode(std::string_view name) {
  const auto known = std::ranges::find(kModes, name);
  if (known != kModes.end()) return static_cast<ShuffleMode>(known - kModes.begin());
  std::string names;
  for (const std::string_view mode : kModes) names += (names.empty() ? "" : ", ") + std::string(mode);
  throw Error(ErrorCode::kInvalidArgument, "this shuffle is not known, expected one of: " + names);
}

void validate(const Shuffle& shuffle) {
  if (has_size(shuffle.mode) && (shuffle.n < 1 || shuffle.n > Shuffle::kMaxSize))
    throw Error(ErrorCode::kInvalidArgument, "n of " + std::string(to_string(shuffle.mode)) + " is " +
                                                 std::to_string(shuffle.n) + ", expected 1 to " +
                                                 std::to_string(Shuffle::kMaxSize));
}

std::vector<std::uint32_t> window_order(std::uint32_t n) { return base::randperm(n, base::kPublishedSeed); }

void shuffle_windows(std::span<std::uint8_t> bytes, std::span<const std::uint32_t> order) {
  std::vector<std::uint8_t> in(order.size());
  for (; bytes.size() >= order.size(); bytes = bytes.subspan(order.size())) {
    std::copy_n(bytes.begin(), order.size(), in.begin());
    for (std::size_t i = 0; i < order.size(); ++i) bytes[i] = in[order[i]];
  }
}

void reorder(const Shuffle& shuffle, std::span<std::uint8_t> file, base::Random& random) {
  switch (shuffle.mode) {
    case ShuffleMode::kReverse: std::ranges::reverse(file); break;
    case ShuffleMode::kCyclicHalfLength:
      std::rotate(file.begin(), file.end() - static_cast<std::ptrdiff_t>(file.size() / 2), file.end());
      break;
    case ShuffleMode::kStride: take_strides(file, shuffle.n); break;
    case ShuffleMode::kWindowShuffle:
      if (file.size() >= shuffle.n) shuffle_windows(file, window_order(shuffle.n));
      break;
    case ShuffleMode::kRandomShuffle: random.shuffle(file); break;
  }
}

}  // namespace byteformer::bytes
