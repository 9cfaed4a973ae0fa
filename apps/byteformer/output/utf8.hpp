// How many columns of a terminal text takes.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace byteformer::cli {

/// Columns that `text` takes on a terminal: combining marks take none, wide East Asian characters and emoji two.
std::size_t display_width(std::string_view text) noexcept;

/// `text` followed by the spaces that fill `width` columns.
std::string pad_right(std::string_view text, std::size_t width);

/// `text` after the spaces that fill `width` columns.
std::string pad_left(std::string_view text, std::size_t width);

}  // namespace byteformer::cli
