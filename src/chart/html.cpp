// The characters that mean something to HTML and XML, spelled out.
#include "chart/html.hpp"

#include "base/text.hpp"

namespace byteformer::chart {

std::string escaped(std::string_view text) {
  std::string result;
  for (const char c : base::printable(text, "\t\n")) {
    switch (c) {
      case '&': result += "&amp;"; break;
      case '<': result += "&lt;"; break;
      case '>': result += "&gt;"; break;
      case '"': result += "&quot;"; break;
      case '\'': result += "&#39;"; break;
      default: result += c;
    }
  }
  return result;
}

}  // namespace byteformer::chart
