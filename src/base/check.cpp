// Prints what a failed check found, without allocating, and aborts.
#include "base/check.hpp"

#include <array>
#include <cinttypes>
#include <cstdio>
#include <cstdlib>

namespace byteformer::base::detail {

void CheckedValue::print(char* text, std::size_t size) const noexcept {
  switch (kind_) {
    case Kind::kSigned: std::snprintf(text, size, "%" PRId64, as_signed); break;
    case Kind::kUnsigned: std::snprintf(text, size, "%" PRIu64, as_unsigned); break;
    case Kind::kReal: std::snprintf(text, size, "%.17g", as_real); break;
    case Kind::kPointer: std::snprintf(text, size, "%p", as_pointer); break;
  }
}

void check_failed(const char* file, int line, const char* condition) noexcept {
  std::fprintf(stderr, "byteformer: %s:%d: check failed: %s\n", file, line, condition);
  std::abort();
}

void check_failed(const char* file, int line, const char* condition, CheckedValue left, CheckedValue right) noexcept {
  std::array<char, 32> a{}, b{};
  left.print(a.data(), a.size());
  right.print(b.data(), b.size());
  std::fprintf(stderr, "byteformer: %s:%d: check failed: %s (%s and %s)\n", file, line, condition, a.data(), b.data());
  std::abort();
}

}  // namespace byteformer::base::detail
