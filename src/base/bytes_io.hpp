// Numbers and tags in bytes: read in place, read by a cursor that never passes the end, and appended.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "base/check.hpp"
#include "base/text.hpp"

namespace byteformer::base {

inline std::string_view as_text(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}
inline std::string_view as_text(std::span<const std::uint8_t> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// In place. Bytes are any contiguous range of octets.

/// Whether `num_bytes` bytes follow `offset`.
template <typename Bytes>
bool has_bytes(const Bytes& bytes, std::uint64_t offset, std::uint64_t num_bytes) noexcept {
  return offset <= std::size(bytes) && num_bytes <= std::size(bytes) - offset;
}

/// Whether `tag` stands at `offset`; not if the bytes end before it does.
template <typename Bytes>
bool has_tag(const Bytes& bytes, std::uint64_t offset, std::string_view tag) noexcept {
  return has_bytes(bytes, offset, tag.size()) &&
         as_text(std::span(bytes)).substr(static_cast<std::size_t>(offset), tag.size()) == tag;
}

/// The number of `num_bytes` bytes (at most 8) at `offset`, most significant byte first. The caller checks the range.
template <typename Bytes>
std::uint64_t big_endian(const Bytes& bytes, std::uint64_t offset, std::size_t num_bytes) {
  BF_DCHECK_LE(num_bytes, 8);
  BF_DCHECK(has_bytes(bytes, offset, num_bytes));
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < num_bytes; ++i) value = value << 8 | static_cast<std::uint8_t>(bytes[offset + i]);
  return value;
}

/// The same, least significant byte first.
template <typename Bytes>
std::uint64_t little_endian(const Bytes& bytes, std::uint64_t offset, std::size_t num_bytes) {
  BF_DCHECK_LE(num_bytes, 8);
  BF_DCHECK(has_bytes(bytes, offset, num_bytes));
  std::uint64_t value = 0;
  for (std::size_t i = num_bytes; i-- > 0;) value = value << 8 | static_cast<std::uint8_t>(bytes[offset + i]);
  return value;
}

// Appended to a std::string or a vector of octets.

template <typename Bytes>
void append_text(Bytes& out, std::string_view text) {
  for (const char c : text) out.push_back(static_cast<typename Bytes::value_type>(c));
}

/// The lowest `num_bytes` bytes of `value`, least significant first.
template <typename Bytes>
void append_little_endian(Bytes& out, std::uint64_t value, std::size_t num_bytes) {
  for (std::size_t i = 0; i < num_bytes; ++i)
    out.push_back(static_cast<typename Bytes::value_type>(value >> (8 * i) & 0xFF));
}

/// The same, most significant byte first.
template <typename Bytes>
void append_big_endian(Bytes& out, std::uint64_t value, std::size_t num_bytes) {
  for (std::size_t i = num_bytes; i-- > 0;)
    out.push_back(static_cast<typename Bytes::value_type>(value >> (8 * i) & 0xFF));
}

/// A cursor over bytes from outside.
class ByteReader {
 public:
  /// `source` is the subject of errors; it and the bytes must outlive the reader.
  ByteReader(std::span<const std::byte> bytes, const std::string& source, std::endian order = std::endian::little)
      : bytes_(bytes), source_(source), order_(order) {}

  std::size_t position() const noexcept { return position_; }
  std::size_t num_left() const noexcept { return bytes_.size() - position_; }

  /// The next `count` bytes.
  /// \throws Error kInvalidFormat if there are fewer.
  std::span<const std::byte> take(std::uint64_t count) {
    if (count > num_left())
      fail_format(source_, "is cut off or lies about a length: ", count, " bytes wanted at offset ", position_, ", ",
                  num_left(), " left");
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
    const auto bytes = take(num_bytes);
    return order_ == std::endian::little ? little_endian(bytes, 0, num_bytes) : big_endian(bytes, 0, num_bytes);
  }

  std::span<const std::byte> bytes_;
  const std::string& source_;
  std::endian order_;
  std::size_t position_ = 0;
};

}  // namespace byteformer::base
