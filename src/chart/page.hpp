// The shell of a report: an HTML page of its own, light or dark as the reader's system is.
#pragma once

#include <string>
#include <string_view>

namespace byteformer::chart {

/// A whole document with no scripts and nothing to load. Headings, tables, `.numbers` (figures with a large <b>),
/// `.charts` (charts side by side) and `.note` have a style.
/// \param title plain text; \param body HTML; \param style more CSS
std::string html_page(std::string_view title, std::string_view body, std::string_view style = {});

}  // namespace byteformer::chart
