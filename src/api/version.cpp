// The version, from the build.
#include "byteformer/version.hpp"

namespace byteformer {

const char* version() noexcept { return BYTEFORMER_VERSION; }

}  // namespace byteformer
