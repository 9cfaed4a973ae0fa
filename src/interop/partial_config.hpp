// What tells of a model besides its config.json: the published sizes, the published configurations (CoreNet YAML), and
// the shapes of weights.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "format/config.hpp"
#include "format/tensors.hpp"

namespace byteformer::interop {

struct Preset {
  std::string_view name;
  std::int64_t hidden_size, num_hidden_layers, num_attention_heads, intermediate_size;
};

inline constexpr std::array kPresets{
    Preset{"tiny", 192, 12, 3, 768},
    Preset{"small", 384, 12, 6, 1536},
    Preset{"base", 768, 12, 12, 3072},
    Preset{"huge", 1280, 32, 20, 5120},
};

/// Positions where a configuration does not say how many, and no tensor tells.
inline constexpr std::int64_t kUnsaidPositions = 10'000;

/// Fills what `said` leaves open from the shapes of `tensors`; `config_source` stands in messages.
/// \throws Error kInvalidModel naming both sides where they contradict each other, and where a tensor that tells a size
///         is missing or has another number of dimensions.
format::PartialConfig infer_from_shapes(const format::PartialConfig& said, const format::Tensors& tensors,
                                        const std::string& config_source);

class YamlFile;

/// Parses `model.classification.n_classes` and `model.classification.byteformer.*` of a published YAML file; keys that
/// change nothing here (dropout, paths, statistics) are ignored knowingly. Nested and dotted keys are both understood.
/// Masking is `released`, which no key says.
/// \throws Error kInvalidFormat naming `source`, the key, what was expected and what was found.
format::PartialConfig parse_published_yaml(std::string_view yaml, const std::string& source);

/// The same of a file that is open already, with masking left open.
format::PartialConfig read_published_model(const YamlFile& yaml);

}  // namespace byteformer::interop
