// The library's version.
#pragma once

namespace byteformer {

/// Version of the library that is linked, "major.minor.patch".
const char* version() noexcept;

}  // namespace byteformer
