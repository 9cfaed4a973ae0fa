// HTML without scripts, light or dark as the reader's system is.
#include "chart/page.hpp"

#include <algorithm>

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

std::string base64(std::span<const std::uint8_t> bytes) {
  constexpr char kDigits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    const std::size_t count = std::min<std::size_t>(3, bytes.size() - i);
    std::uint32_t bits = 0;
    for (std::size_t j = 0; j < 3; ++j) bits = bits << 8 | (j < count ? bytes[i + j] : 0U);
    for (std::size_t j = 0; j < 4; ++j) text += j <= count ? kDigits[bits >> (18 - 6 * j) & 63] : '=';
  }
  return text;
}

namespace {

constexpr std::string_view kStyle = R"(
:root{color-scheme:light dark;--text:#1c2430;--page:#fff;--line:#dde3ea;--faint:#eef1f5;--soft:#f5f7fa}
@media(prefers-color-scheme:dark){:root{--text:#e6e9ee;--page:#12161c;--line:#343c47;--faint:#252b34;--soft:#1b2129}}
body{font:15px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:var(--text);background:var(--page)}
h1{font-size:1.5rem}h2{font-size:1.15rem;margin-top:2rem;border-bottom:1px solid var(--line);padding-bottom:.25rem}
table{border-collapse:collapse}td,th{padding:.2rem .6rem;text-align:right;border-bottom:1px solid var(--faint)}
td:first-child,th:first-child{text-align:left}svg{max-width:100%;height:auto}
.charts{display:flex;flex-wrap:wrap;gap:1rem}.note{opacity:.75}
.numbers{display:flex;gap:2rem;flex-wrap:wrap}.numbers b{display:block;font-size:1.6rem}
pre{background:var(--soft);padding:.7rem;overflow:auto}
)";

}  // namespace

std::string html_page(std::string_view title, std::string_view body, std::string_view style) {
  std::string page =
      "<!doctype html><html lang=en><meta charset=utf-8><meta name=viewport content=\"width=device-width\"><title>";
  page += escaped(title);
  page += "</title><style>";
  page += kStyle;
  page += style;
  page += "</style>";
  page += body;
  return page + "</html>\n";
}

}  // namespace byteformer::chart
