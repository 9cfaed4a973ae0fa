// The library's version.
#pragma once

#include "byteformer/export.hpp"

namespace byteformer {

/// Version of the library that is linked, "major.minor.patch".
BYTEFORMER_EXPORT const char* version() noexcept;

}  // namespace byteformer
