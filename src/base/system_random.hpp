// Randomness that nobody can predict, for what is secret; random.hpp has the reproducible kind.
#pragma once

#include <cstdint>
#include <span>

namespace byteformer::base {

/// Fills `out` with bytes of the system's random source. Thread-safe.
/// \throws Error kIo with the system's reason.
void fill_from_system_random(std::span<std::uint8_t> out);

}  // namespace byteformer::base
