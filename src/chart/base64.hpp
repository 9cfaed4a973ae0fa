// Bytes as text, for data: addresses.
#pragma once

#include <cstdint>
#include <span>
#include <string>

namespace byteformer::chart {

/// Base64 with padding, in one line. \see RFC 4648, section 4
std::string base64(std::span<const std::uint8_t> bytes);

}  // namespace byteformer::chart
