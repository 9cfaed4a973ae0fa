// Horizontal bars of text.
#pragma once

#include <cstddef>
#include <string>

namespace byteformer::cli {

/// A bar that fills `fraction` (clamped to [0, 1]) of `columns`: in eighths of a column where the terminal has block
/// characters, else in whole `#`. Not padded.
std::string bar(double fraction, std::size_t columns, bool has_unicode);

}  // namespace byteformer::cli
