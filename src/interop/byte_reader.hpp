// A cursor over bytes from outside: little-endian numbers and slices, never past the end.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "format/text.hpp"

namespace byteformer::interop {

inline std::string_view as_text(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

class ByteReader {
 public:
  /// `source` stands in messages and must outlive the reader.
  ByteReader(std::span<const std::byte> bytes, const std::string& source) : bytes_(bytes), source_(source) {}

  std::size_t position() const noexcept { return position_; }
  std::size_t num_left() const noexcept { return bytes_.size() - position_; }

  /// The next `count` bytes.
  /// \throws Error kInvalidFormat if there are fewer.
  std::span<const std::byte> take(std::uint64_t count) {
    if (count > num_left())
      format::fail(ErrorCode::kInvalidFormat, source_, ": is cut off or lies about a length: ", count,
                   " bytes wanted at offset ", position_, ", ", num_left(), " left");
    const auto taken = bytes_.subspan(position_, static_cast<std::size_t>(count));
    position_ += taken.size();
    return taken;
  }

  std::uint8_t u8() { return static_cast<std::uint8_t>(number(1)); }
  std::uint16_t u16() { return static_cast<std::uint16_t>(number(2)); }
  std::uint32_t u32() { return static_cast<std::uint32_t>(number(4)); }
  std::uint64_t u64() { return number(8); }

 private:
  std::uint64_t number(std::size_t num_bytes) {
    std::uint64_t value = 0;
    const auto bytes = take(num_bytes);
    for (std::size_t i = 0; i < num_bytes; ++i) value |= std::to_integer<std::uint64_t>(bytes[i]) << (8 * i);
    return value;
  }

  std::span<const std::byte> bytes_;
  const std::string& source_;
  std::size_t position_ = 0;
};

}  // namespace byteformer::interop
