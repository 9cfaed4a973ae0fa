// Text from outside inside HTML and SVG.
#pragma once

#include <string>
#include <string_view>

namespace byteformer::chart {

/// `text` as character data, also inside quoted attributes: markup becomes text, and control characters that XML
/// forbids become U+FFFD. \param text UTF-8
std::string escaped(std::string_view text);

}  // namespace byteformer::chart
