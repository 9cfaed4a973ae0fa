// Text from outside inside HTML and SVG.
#pragma once

#include <string>
#include <string_view>

namespace byteformer::chart {

/// `text` as character data, also inside quoted attributes: markup becomes text, and what no page should get is escaped
/// as base::printable() does it, but for tabs and newlines.
std::string escaped(std::string_view text);

}  // namespace byteformer::chart
