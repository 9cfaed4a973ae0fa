// The shell of a report, an HTML page of its own, and what stands in it: escaped text, bytes as data: addresses.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace byteformer::chart {

/// `text` as character data, also inside quoted attributes: markup becomes text, and what no page should get is escaped
/// as base::printable() does it, but for tabs and newlines.
std::string escaped(std::string_view text);

/// Base64 with padding, in one line. \see RFC 4648, section 4
std::string base64(std::span<const std::uint8_t> bytes);

/// A whole document with no scripts and nothing to load. Headings, tables, `.numbers` (figures with a large <b>),
/// `.charts` (charts side by side) and `.note` have a style.
/// \param title plain text; \param body HTML; \param style more CSS
std::string html_page(std::string_view title, std::string_view body, std::string_view style = {});

}  // namespace byteformer::chart
