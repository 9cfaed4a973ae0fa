// Files that the program carries in itself: the page, and the description of the service.
#pragma once

#include <string_view>

namespace byteformer::serve {

inline constexpr std::string_view kOpenApiAsset = "openapi.json";

/// The text of the file `name` of src/serve/page; empty if there is none.
std::string_view asset(std::string_view name) noexcept;

}  // namespace byteformer::serve
