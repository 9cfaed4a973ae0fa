// UTF-8 as far as output needs it: which bytes are text, and how many columns text takes.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace byteformer::cli {

/// Length in bytes of the well-formed UTF-8 sequence that starts at `text[position]`; 0 if none does (overlong forms,
/// surrogates and anything beyond U+10FFFF are not well-formed).
std::size_t utf8_sequence_length(std::string_view text, std::size_t position) noexcept;

/// Columns that `text` takes on a terminal: combining marks take none, wide East Asian characters and emoji two.
std::size_t display_width(std::string_view text) noexcept;

/// `text` followed by the spaces that fill `width` columns.
std::string pad_right(std::string_view text, std::size_t width);

/// `text` after the spaces that fill `width` columns.
std::string pad_left(std::string_view text, std::size_t width);

}  // namespace byteformer::cli
