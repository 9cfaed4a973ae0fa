// SHA-256: fingerprints of what may not be shown, and of what is too long to show.
#pragma once

#include <array>
#include <cstdint>
#include <span>

namespace byteformer::base {

using Sha256 = std::array<std::uint8_t, 32>;

/// The digest of `bytes`. Allocates nothing. \see FIPS 180-4
Sha256 sha256(std::span<const std::uint8_t> bytes) noexcept;

}  // namespace byteformer::base
