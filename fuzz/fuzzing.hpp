// What all fuzz targets share: only byteformer::Error may come out of a parser.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <span>
#include <string_view>

#include "byteformer/error.hpp"

namespace byteformer::fuzz {

inline std::string_view as_text(const std::uint8_t* data, std::size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

inline std::span<const std::byte> as_bytes(const std::uint8_t* data, std::size_t size) {
  return std::as_bytes(std::span(data, size));
}

/// Runs `parse`; an Error is a correct answer, anything else crashes the target.
template <typename Parse>
int survive(Parse parse) {
  try {
    parse();
  } catch (const Error&) {
  }
  return 0;
}

/// Crashes where a property does not hold.
inline void require(bool holds) {
  if (!holds) std::abort();
}

}  // namespace byteformer::fuzz
