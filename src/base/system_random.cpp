// Random numbers from getrandom(2).
#include "base/system_random.hpp"

#include <sys/random.h>

#include <cerrno>
#include <cstring>
#include <string>

#include "byteformer/error.hpp"

namespace byteformer::base {

void fill_from_system_random(std::span<std::uint8_t> out) {
  while (!out.empty()) {
    const ssize_t got = ::getrandom(out.data(), out.size(), 0);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0)
      throw Error(ErrorCode::kIo, std::string("cannot draw from the system's random source: ") + std::strerror(errno));
    out = out.subspan(static_cast<std::size_t>(got));
  }
}

}  // namespace byteformer::base
