// The four sizes of ByteFormer that were published.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

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

}  // namespace byteformer::interop
