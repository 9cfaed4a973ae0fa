// The frame headers of MPEG audio, layer III.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

namespace byteformer::media {

/// The length of the layer III frame whose header stands at the start of `bytes`; nothing if there is none.
std::optional<std::size_t> mp3_frame_bytes(std::span<const std::uint8_t> bytes) noexcept;

}  // namespace byteformer::media
