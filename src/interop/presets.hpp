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

}  // namespace byteformer::interop
