// Reads transforms key by key, and writes them as a model names them.
#include "experiments/recipe_transforms.hpp"

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

#include "base/random.hpp"
#include "base/text.hpp"
#include "bytes/transforms.hpp"
#include "interop/yaml_file.hpp"
#include "prepare/preprocess.hpp"

namespace byteformer::experiments {
namespace {

using bytes::Transforms;
using interop::YamlFile;

/// The value at `key`. \throws Error kInvalidFormat where there is none.
template <typename T>
T required(const YamlFile& yaml, std::string_view key, const std::optional<T>& value, std::string_view expected) {
  if (!value) yaml.refuse_absence(key, expected);
  return *value;
}

std::uint64_t read_seed(const YamlFile& yaml) {
  return static_cast<std::uint64_t>(yaml.integer("seed", 0, UINT32_MAX).value_or(base::kPublishedSeed));
}

void read_shuffle(const YamlFile& yaml, Transforms& transforms) {
  const auto mode = yaml.choice("mode", {"reverse", "cyclic_half_length", "stride", "window_shuffle", "random_shuffle"},
                                ErrorCode::kInvalidFormat);
  bytes::Shuffle shuffle;
  shuffle.mode = bytes::parse_shuffle_mode(required(yaml, "mode", mode, "reverse, cyclic_half_length, ..."));
  if (bytes::has_size(shuffle.mode))
    shuffle.n = static_cast<std::uint32_t>(yaml.integer("n", 1, bytes::Shuffle::kMaxSize).value_or(shuffle.n));
  transforms.shuffle = shuffle;
}

void read_mask(const YamlFile& yaml, Transforms& transforms) {
  constexpr std::string_view kExpected = "the share of positions to keep";
  const double keep_frac = required(yaml, "keep_frac", yaml.number("keep_frac", 1e-9, 1), kExpected);
  transforms.mask = {keep_frac, read_seed(yaml)};
}

void read_noise(const YamlFile& yaml, Transforms& transforms) {
  const auto bound = [&](std::string_view key) {
    constexpr int kMost = bytes::UniformNoise::kMaxWidth;
    return static_cast<int>(required(yaml, key, yaml.integer(key, -kMost, kMost), "the numbers to add: low and high"));
  };
  transforms.noise = {bound("low"), bound("high")};
  if (transforms.noise->low > transforms.noise->high)
    yaml.refuse("low", base::joined("at most the ", transforms.noise->high, " of high"));
}

void read_permutation(const YamlFile& yaml, Transforms& transforms) {
  transforms.permutations.push_back(bytes::BytePermutation::of_seed(read_seed(yaml)));
}

struct Type {
  std::string_view name;
  void (*read)(const YamlFile&, Transforms&);
};
/// In the order in which they are applied.
constexpr std::array<Type, 4> kTypes = {{{"shuffle", read_shuffle},
                                         {"mask_positions", read_mask},
                                         {"random_uniform", read_noise},
                                         {"byte_permutation", read_permutation}}};

std::size_t read_type(const YamlFile& yaml) {
  const auto name = required(
      yaml, "type",
      yaml.choice("type", {kTypes[0].name, kTypes[1].name, kTypes[2].name, kTypes[3].name}, ErrorCode::kInvalidFormat),
      "shuffle, mask_positions, random_uniform or byte_permutation");
  std::size_t i = 0;
  while (kTypes[i].name != name) ++i;
  return i;
}

}  // namespace

std::optional<std::string> read_transforms(const YamlFile& yaml, const std::string& path) {
  const std::vector<YamlFile> items = yaml.sections(path);
  if (items.empty()) return std::nullopt;
  Transforms transforms;
  std::size_t next = 0;  // the first type that may come
  for (const YamlFile& item : items) {
    const std::size_t type = read_type(item);
    if (type < next)
      item.refuse("type", "each once, in this order: shuffle, mask_positions, random_uniform, byte_permutation");
    kTypes[type].read(item, transforms);
    interop::require_known_keys(item);
    next = type + 1;
  }
  bytes::validate(transforms);
  return prepare::transforms_json(transforms);
}

}  // namespace byteformer::experiments
