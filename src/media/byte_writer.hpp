// Appending numbers and tags to the bytes of a file.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "media/image_encoders.hpp"

namespace byteformer::media {

inline void append_text(FileBytes& out, std::string_view text) {
  for (const char c : text) out.push_back(static_cast<std::uint8_t>(c));
}

inline void append_little_endian(FileBytes& out, std::uint32_t value, int num_bytes) {
  for (int i = 0; i < num_bytes; ++i) out.push_back(static_cast<std::uint8_t>(value >> (8 * i)));
}

inline void append_big_endian(FileBytes& out, std::uint32_t value, int num_bytes) {
  for (int i = num_bytes - 1; i >= 0; --i) out.push_back(static_cast<std::uint8_t>(value >> (8 * i)));
}

}  // namespace byteformer::media
